/**
 * A connection of `ws` that can be parted with in one write. At a stop `ws` would make a frame, arm a timer and await the peer's own end for each client, which with thousands of
 * them is most of the work. Here the hub writes the last words and the close frame itself, and when the peer's close frame arrives the connection is over.
 */
import type { Duplex } from "node:stream"
import { WebSocket } from "ws"

/** What the hub's `WebSocketServer` makes of an upgrade. */
export class PartingSocket extends WebSocket {
  private parted: Duplex | undefined = undefined

  /** A close frame has just been written to `socket`: nothing follows it. What still arrives is read up to the peer's close frame. */
  part(socket: Duplex): void {
    this.parted = socket
  }

  /** `ws` calls this too: when the peer's close frame has arrived, or what is no frame. */
  override close(code?: number, reason?: string | Buffer): void {
    if (this.parted === undefined) super.close(code, reason)
    // Both close frames are through. The peer's own end is not waited for: it may keep its side open as long as it likes.
    else if (this.parted.writableLength === 0) this.terminate()
    else this.parted.end(() => this.terminate())
  }

  override pong(...answer: Parameters<WebSocket["pong"]>): void {
    if (this.parted === undefined) super.pong(...answer)
  }
}
