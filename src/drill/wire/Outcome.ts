/**
 * What became of one request, judged from the client's side of the socket alone.
 *
 * @module
 */

/**
 * - `complete`: a whole response with a status and body that were expected.
 * - `declined`: a whole 503; the client knows and may go elsewhere.
 * - `wrong`: a whole response that is neither, or bytes that are no response.
 * - `refused`: the connection was refused, or gone before a byte of the request was taken. Safe to retry.
 * - `late`: sent after the server's FIN had arrived here, or so close to it that the server could not have seen the request before it closed.
 * - `dropped`: sent on an open connection, which then closed without a byte of response.
 * - `cut`: the response began and did not end.
 * - `hung`: neither answered nor closed when the stop was given up.
 */
export type Outcome = "complete" | "declined" | "wrong" | "refused" | "late" | "dropped" | "cut" | "hung"

/** Every outcome, in the order in which tables show them. */
export const outcomes = [
  "complete",
  "declined",
  "refused",
  "late",
  "wrong",
  "dropped",
  "cut",
  "hung"
] as const

/** Whoever got one of these was owed an answer and has none. `late` is not among them: no server can help it that closes idle connections. */
export const lostOutcomes: ReadonlyArray<Outcome> = ["wrong", "dropped", "cut", "hung"]

/** Whether the request is a loss that the service answers for. */
export const isLost = (outcome: Outcome): boolean => lostOutcomes.includes(outcome)

/** How a connection went away: FIN, RST, a refusal before it was established, or by the drill's own hand. */
export type Ending = "fin" | "reset" | "refused" | "given up"

/**
 * What the server's kernel did with a request that met a FIN, as far as it can be known here.
 *
 * - `after the close`: the kernel answered the request with a reset, so it arrived when nobody could read it any more.
 * - `before the close`: the kernel took it, and the server closed with nothing unread: somebody read the request and did not answer.
 * - `half-closed`: the server has sent its FIN and goes on reading; the order of the two cannot be told.
 * - `unknown`: the connection ended otherwise, or nobody asked.
 */
export type Arrival = "after the close" | "before the close" | "half-closed" | "unknown"

/** What the client saw of a request whose connection ended before its response was whole. */
export interface Loss {
  /** How the connection ended. */
  readonly ending: Ending
  /** The kernel here took at least one byte of the request. */
  readonly written: boolean
  /** Bytes of the response that did arrive. */
  readonly received: number
  /**
   * Milliseconds from the first write to the moment the end of the connection was noticed here, without those in which the service was kept from running by
   * others on the machine.
   */
  readonly age: number
  /** The client looked at its sockets at least once between the write and the end. */
  readonly looked: boolean
  /** The request went out in more than one write: parts of it may have met different fates. */
  readonly pieces: boolean
  /** Where the request met the FIN. */
  readonly arrival: Arrival
}

/** A request that was written at most this long before the FIN was noticed may have crossed it (ms). */
export const raceWindow = 5

/**
 * Judges a request that got no whole response.
 *
 * A reset without a FIN before it comes from a server that closed while unread bytes lay in its receive buffer (or that reset on purpose), so the
 * request had arrived: dropped, never late. After a FIN the kernel reports end-of-file even when a reset follows, and then the reset is what tells:
 * bytes that come to a closed socket are answered with one, bytes that were read before are not. Only a server that has closed its own direction and
 * goes on reading leaves it open; there a request that is at most {@link raceWindow} old may have crossed the FIN, and so may one since whose write
 * the client has not looked at its sockets, for then the FIN may have been waiting here already.
 */
export const judge = (loss: Loss): Outcome => {
  if (loss.ending === "given up") return "hung"
  if (loss.ending === "refused" || !loss.written) return "refused"
  if (loss.received > 0) return "cut"
  if (loss.ending === "reset") return "dropped"
  if (loss.arrival === "after the close" && !loss.pieces) return "late"
  if (loss.arrival === "before the close") return "dropped"
  return !loss.looked || loss.age <= raceWindow ? "late" : "dropped"
}

/**
 * What a reset ran into: `response`, bytes of which had arrived; `request`, which lay unread at the server or was read and answered with the reset
 * (the client cannot know which of the two); `nothing`, no request was outstanding.
 */
export type Hit = "response" | "request" | "nothing"

/** The record of one request. Times are milliseconds of `performance.now()`. */
export interface Sent {
  /** Method and path without the query. */
  readonly kind: string
  /** Number of the connection, from 1 in the order in which they were begun; 0 when none was established. */
  readonly connection: number
  /** What became of it. */
  readonly outcome: Outcome
  /** The first write of it was made. */
  readonly sentAt: number
  /** The first byte of its response was read; absent when there was none. */
  readonly firstByteAt?: number
  /** The last byte of its response was read, or its end was noticed. */
  readonly doneAt: number
  /** How the connection ended, when that is what ended the request. */
  readonly ending?: Ending
  /** What the reset ran into, when one ended the request. */
  readonly hit?: Hit
  /** Status of the response when it was whole. */
  readonly status?: number
  /** The response forbade another request on the connection (`Connection: close`, HTTP/1.0, or an end by FIN). */
  readonly close?: boolean
}
