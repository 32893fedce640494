/**
 * One connection, from the attempt to its end. It ends when the peer says so, when no greeting comes, and when the peer is not heard any more: pages cannot
 * see WebSocket's own pings, so after a silence the protocol's `ping` is sent, which the server must answer.
 *
 * @module
 */
import type * as Protocol from "../realtime/Protocol.js"
import * as Incoming from "./Incoming.js"
import type { Close, Socket, SocketConstructor } from "./Socket.js"
import type { Schedule } from "./Timers.js"

/** How long to put up with silence. */
export interface Patience {
  /** From the attempt until the server's first word, in milliseconds. 10000. */
  readonly connectMs?: number
  /** Silence after which the server is asked whether it is there, in milliseconds. 30000. */
  readonly quietMs?: number
  /** How long it may take to answer that, in milliseconds. 10000. */
  readonly answerMs?: number
}

/** All of it said. */
export const defaults: Required<Patience> = { connectMs: 10_000, quietMs: 30_000, answerMs: 10_000 }

/** What a link is made of. */
export interface Parts {
  readonly url: string
  readonly WebSocket: SocketConstructor
  readonly schedule: Schedule
  readonly patience: Required<Patience>
  /** It is open: messages may be sent. */
  readonly onOpen: (link: Link) => void
  /** A message has come. */
  readonly onMessage: (link: Link, message: Incoming.Incoming) => void
  /** It has ended; nothing follows. Not called after {@link Link.close}. */
  readonly onEnd: (close: Close) => void
}

/** A connection. */
export interface Link {
  /** Sends a message; what is sent after the end is lost. */
  readonly send: (message: Protocol.ClientMessage) => void
  /** Closes it with 1000: nothing is heard of it any more. */
  readonly close: () => void
}

/** Ends what cannot be waited for: a handshake with a peer that is gone takes a while. */
const abandon = (socket: Socket) => {
  if (socket.terminate === undefined) socket.close()
  else socket.terminate()
}

/** Begins to connect. Throws when the WebSocket cannot be made at all, as when a secure page may not have an insecure one. */
export const open = (parts: Parts): Link => {
  const { patience, schedule } = parts
  const socket = new parts.WebSocket(parts.url)
  let isOver = false
  let isHeard = false

  const end = (close: Close) => {
    if (isOver) return
    isOver = true
    callOff()
    parts.onEnd(close)
  }
  const lose = (reason: string) => {
    if (isOver) return
    abandon(socket)
    end({ code: 1006, reason })
  }
  // One timer for a whole stretch, not one for each message.
  const listen = () => {
    callOff = schedule(patience.quietMs, () => {
      if (isHeard) {
        isHeard = false
        return listen()
      }
      link.send({ op: "ping" })
      callOff = schedule(patience.answerMs, () => {
        if (!isHeard) return lose("the server does not answer")
        isHeard = false
        listen()
      })
    })
  }
  let callOff = schedule(patience.connectMs, () => lose("there is no connection within the time for it"))
  let isGreeted = false

  const link: Link = {
    send: (message) => {
      if (!isOver) socket.send(JSON.stringify(message))
    },
    close: () => {
      isOver = true
      callOff()
      socket.close(1000)
    }
  }
  socket.addEventListener("open", () => {
    if (!isOver) parts.onOpen(link)
  })
  socket.addEventListener("message", ({ data }) => {
    if (isOver) return
    isHeard = true
    if (!isGreeted) {
      isGreeted = true
      callOff()
      listen()
    }
    parts.onMessage(link, Incoming.read(data))
  })
  socket.addEventListener("close", ({ code, reason }) => end({ code, reason }))
  // The close that follows says all that there is to know.
  socket.addEventListener("error", () => {})
  return link
}
