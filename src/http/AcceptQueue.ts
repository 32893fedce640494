/**
 * Closing a listener that clients never leave alone.
 *
 * The kernel completes connections ahead of the server and keeps them in the accept queue; a listener that closes resets what is in there, though a client may
 * have written its request already. Where connections keep coming, the queue is empty now and then, but does not stay so until the close. So the listener is sealed first: its
 * queue is made as short as it can be, one place, and a connection of our own takes that place. From then on the kernel ignores first packets, and a client whose first
 * packet was ignored is refused when it repeats it, which is safe. If the queue then holds our connection and nothing else, and no handshake is under way, closing loses nobody.
 * If not, the queue gets its length back. It must not stay short for long: clients repeat what was ignored all at once a second later, and of a burst at a short queue
 * most are let in by SYN cookies, of which the kernel keeps no trace.
 *
 * What is in the queue is told by `/proc` on Linux. Elsewhere nothing is sealed.
 */
import * as Fs from "node:fs"
import * as Net from "node:net"

/** The accept queue of one listener. */
export interface AcceptQueue {
  /** Makes the queue as short as it can be, for good. Node offers that on the handle only; without one nothing changes. */
  readonly shrink: () => void
  /**
   * Tries to take the only place, and decides before the next poll phase: true when nobody but us is in the queue, and nobody can come. The listener must then be closed at
   * once; when false, what was in the way is accepted in the next turns. Undefined where the system does not tell.
   */
  readonly seal: (decide: (sealed: boolean | undefined) => void) => void
  /** Whether an accepted socket is the other end of ours; it is then to be destroyed, and counts nowhere. */
  readonly isOurs: (socket: Net.Socket) => boolean
}

/** Where Linux tells of its sockets, and the states that matter. */
const tables = ["/proc/net/tcp", "/proc/net/tcp6"]
const [established, handshake, listening] = ["01", "03", "0A"]

/** What waits at a port. */
interface Waiting {
  /** Connections in the accept queue. */
  readonly queued: number
  /** Handshakes under way. */
  readonly arriving: number
  /** Whether the connection from our own port is complete. */
  readonly isOurs: boolean
}

const ending = (port: number): string => `:${port.toString(16).toUpperCase().padStart(4, "0")}`

/** The lines with `word` in them. A busy host has tens of thousands of sockets, and taking all lines apart would be time in which connections come. */
const linesWith = function* (text: string, word: string): Generator<string> {
  for (let at = text.indexOf(word); at >= 0;) {
    const end = text.indexOf("\n", at)
    const line = text.slice(text.lastIndexOf("\n", at) + 1, end < 0 ? undefined : end)
    yield line
    at = end < 0 ? -1 : text.indexOf(word, end)
  }
}

/** What waits at a port, where one of those who wait may be us; undefined where that cannot be known. */
const waiting = (port: number, ours: number): Waiting | undefined => {
  const [server, client] = [ending(port), ending(ours)]
  let queued: number | undefined
  let arriving = 0
  let isOurs = false
  for (const table of tables) {
    let text: string
    try {
      text = Fs.readFileSync(table, "latin1")
    } catch {
      continue
    }
    for (const line of linesWith(text, `${server} `)) {
      const [, local, remote, state, queues] = line.trim().split(/\s+/, 5)
      if (local === undefined || remote === undefined) continue
      if (state === established && local.endsWith(client) && remote.endsWith(server)) isOurs = true
      if (!local.endsWith(server)) continue
      if (state === handshake) arriving += 1
      if (state !== listening) continue
      // Two listeners of one port, on different addresses: whose queue is whose is not worth telling apart.
      if (queued !== undefined) return undefined
      queued = Number.parseInt(queues?.split(":")[1] ?? "", 16)
    }
  }
  return queued === undefined || Number.isNaN(queued) ? undefined : { queued, arriving, isOurs }
}

/** An address under which the listener can be reached from here. */
const reachable = (address: string): string =>
  address === "0.0.0.0" ? "127.0.0.1" : address === "::" ? "::1" : address

/** The queue of a server that listens, and was given room for `backlog` connections. */
export const of = (server: Net.Server, backlog: number): AcceptQueue => {
  const { address, port } = server.address() as Net.AddressInfo
  const ours = new Set<number>()
  const host = reachable(address)
  let length = backlog
  const resize = (to: number): void => {
    const { _handle: handle } = server as {
      _handle?: { readonly listen?: (backlog: number) => number } | null
    }
    handle?.listen?.(to)
  }
  const isHere = (remote: string | undefined) => remote === host || remote === `::ffff:${host}`
  return {
    shrink: () => {
      length = 0
      resize(0)
    },
    seal: (decide) => {
      resize(0)
      const plug = Net.connect({ port, host })
      // It is reset when the listener closes, and refused a place when somebody else has it.
      plug.on("error", () => {})
      // Node connects in a tick of its own, the one before this; on one machine the handshake is over when that returns.
      process.nextTick(() => {
        const { localPort } = plug
        const at = localPort === undefined ? undefined : waiting(port, localPort)
        // Where it has no place nobody will accept it, and its port may be a client's tomorrow.
        if (localPort !== undefined && at?.isOurs === true) ours.add(localPort)
        const sealed = at && at.isOurs && at.queued === 1 && at.arriving === 0
        if (sealed !== true) resize(length)
        decide(sealed)
        plug.destroy()
      })
    },
    isOurs: ({ remoteAddress, remotePort }) =>
      ours.size > 0 && remotePort !== undefined && isHere(remoteAddress) && ours.delete(remotePort)
  }
}
