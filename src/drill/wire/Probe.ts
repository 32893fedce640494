/**
 * Asks a connection on which a FIN has arrived whether the bytes sent before were taken by anybody.
 *
 * A kernel answers bytes for a socket that was closed with a reset, and the first write after a reset fails. So a write that fails at once tells that the
 * request itself was answered with a reset: it came after the close. A write that is taken and followed by one that fails tells that the reset came only
 * now: the request had been taken before the close. Two that are taken come from a server that still reads. The bytes are an empty line, which servers
 * ignore before a request.
 *
 * @module
 */
import type * as Net from "node:net"
import type { Arrival } from "./Outcome.js"
import { pause } from "../Pause.js"

/** Long enough for a reset to come back on loopback (ms). */
const settle = 3

const write = (socket: Net.Socket): Promise<boolean> =>
  new Promise((resolve) => {
    if (socket.destroyed || !socket.writable) return resolve(false)
    socket.write("\r\n", (error) => resolve(!error))
  })

/** `failed` tells the code of an earlier error on the socket. Takes two times 3 ms at most; never rejects. */
export const probe = async (socket: Net.Socket, failed: () => string | undefined): Promise<Arrival> => {
  if (failed() !== undefined) return failed() === "EPIPE" ? "after the close" : "unknown"
  await pause(settle)
  if (socket.writableEnded) return "unknown"
  if (!(await write(socket))) return "after the close"
  await pause(settle)
  return (await write(socket)) ? "half-closed" : "before the close"
}
