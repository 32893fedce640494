/**
 * The drain of a server: stop listening, answer what is in hand, let go of who is idle, and at the limit cut what is left and say so.
 *
 * A client that keeps a connection open may use it until it has been told otherwise. So connections end in one of two ways: the answer to
 * a request says that it was the last, or nothing was asked for the whole of the idle grace.
 */
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import type * as Lifecycle from "../lifecycle/Lifecycle.js"
import type { InterruptedRequest } from "../lifecycle/LifecycleEvent.js"
import type { Connection } from "./Connection.js"
import type { Connections } from "./Connections.js"
import * as EventLoop from "./EventLoop.js"
import type { HttpListener } from "./HttpListener.js"
import type { Response } from "./Message.js"
import * as Problem from "./Problem.js"
import { pathOf } from "./ProblemMiddleware.js"

/** What a drain works on. */
export interface Options {
  /** How events call the server. */
  readonly name: string
  readonly listener: HttpListener
  readonly connections: Connections
  readonly lifecycle: Lifecycle.Shape
  /** How long an idle connection stays, from the start of the drain or from the end of its last answer, whichever is later. */
  readonly idleGrace: Duration.Duration
  /** The bound of a drain that nobody else bounds. */
  readonly limit: Duration.Duration
  /** Whether requests in flight are waited for; when not, they are cut as soon as nothing new can come. */
  readonly wait: boolean
}

/** The drain of one server. */
export interface Drain {
  /**
   * Drains; ends when no connection is left that anyone could still use. Interrupting it is the limit: what is left is cut, counted and
   * told. Never fails. It runs once: a second call waits for the first.
   */
  readonly run: Effect.Effect<void>
  /** As {@link run}, bounded by the limit, and waits until what had to be cut is cut. Never fails, and ends whatever the state. */
  readonly finish: Effect.Effect<void>
  /** Whether it has begun. */
  readonly unsafeBegun: () => boolean
}

/**
 * How long clients that have been told are given to take note before the drain goes on without them, in milliseconds: since they were told
 * or, while others do, since the last one did; and at most.
 */
const noteMillis = 25
const mostNoteMillis = 250
/** How long what was interrupted has to come to its end, and its 503 to be sent, in milliseconds. */
const cutMillis = 200
/** How many idle connections are closed in one turn of the event loop. */
const slice = 8
/** The shortest sleep between two looks, in milliseconds. */
const leastMillis = 5

const described = (response: Response, now: number): InterruptedRequest => ({
  method: response.req.method ?? "",
  path: pathOf(response.req.url ?? ""),
  ageMillis: now - response.arrived
})

/** A drain that has not begun. */
export const make = (options: Options): Effect.Effect<Drain> =>
  Effect.gen(function* () {
    const { connections, lifecycle, listener, name } = options
    const grace = Duration.toMillis(options.idleGrace)
    const done = yield* Deferred.make<void>()
    const expired = yield* Deferred.make<void>()
    const left = Effect.unsafeMakeLatch()
    connections.onLeave = () => left.unsafeOpen()
    let begun = false

    /** When an idle connection is let go: an answer that promised more, given after the start, buys it another grace. */
    const dueAt = (connection: Connection, start: number): number =>
      Math.max(start, connection.idleSince) + grace

    /** Until when a connection must be waited for; undefined when it need not be, infinite while it is being answered. */
    const awaited = (connection: Connection, start: number, now: number): number | undefined => {
      if (connection.isIdle) return dueAt(connection, start)
      if (!connection.isSettled) return Number.POSITIVE_INFINITY
      const heard = Math.max(connection.shutAt, connections.lastLeft)
      const until = Math.min(heard + noteMillis, connection.shutAt + mostNoteMillis)
      return until > now ? until : undefined
    }

    /** Lets go of connections as they fall due; ends when none is left to wait for. */
    const letGo = (start: number): Effect.Effect<void> =>
      Effect.gen(function* () {
        while (true) {
          left.unsafeClose()
          const now = yield* Clock.currentTimeMillis
          const due = [...connections.open].filter(
            (connection) => connection.isIdle && dueAt(connection, start) <= now
          )
          if (due.length > 0) {
            // Each is looked at again in a check phase: what arrived meanwhile has been read by then.
            yield* EventLoop.inSlices(due, slice, (connection) => {
              if (connection.isIdle) connection.shut()
            })
            continue
          }
          let next = Number.POSITIVE_INFINITY
          let waiting = false
          for (const connection of connections.open) {
            const until = awaited(connection, start, now)
            if (until === undefined) continue
            waiting = true
            next = Math.min(next, until)
          }
          if (!waiting) return
          // Whoever falls idle meanwhile is due a grace later at the earliest, whoever is told a note later.
          const sleep = Math.max(leastMillis, Math.min(next - now, grace, noteMillis))
          yield* Effect.raceFirst(left.await, Effect.sleep(sleep))
        }
      })

    const cut = Effect.gen(function* () {
      const now = yield* Clock.currentTimeMillis
      const pending = connections.pending()
      const requests = pending.map((response) => described(response, now))
      connections.interrupted += pending.length
      const fibers: Array<Fiber.RuntimeFiber<unknown, unknown>> = []
      for (const response of pending) {
        response.cut = true
        response.shouldKeepAlive = false
        if (!response.headersSent) response.setHeader("retry-after", String(Problem.retryAfterSeconds))
        // The platform ends a stream properly when it is interrupted; one that is cut must not look like one that ended.
        else response.socket?.destroy()
        if (response.fiber !== undefined) fibers.push(response.fiber)
        else Problem.send(response, Problem.stopping)
      }
      yield* Effect.forEach(fibers, Fiber.interruptFork, { discard: true })
      const sent = Effect.gen(function* () {
        yield* Fiber.awaitAll(fibers)
        while (connections.pending().some((response) => response.writableEnded)) yield* EventLoop.turn
      })
      yield* Effect.raceFirst(Effect.interruptible(sent), Effect.interruptible(Effect.sleep(cutMillis)))
      for (const connection of connections.open) {
        if (!connection.isSettled) connection.socket.destroy()
      }
      if (requests.length > 0) yield* lifecycle.emit({ _tag: "RequestsInterrupted", server: name, requests })
    })

    const drain = Effect.gen(function* () {
      const start = yield* Clock.currentTimeMillis
      const requestsAtStart = connections.requests
      const connectionsAtStart = connections.open.size
      const before = {
        answered: connections.answered,
        interrupted: connections.interrupted,
        late: connections.late
      }
      const whole = options.wait
        ? Effect.as(Effect.zipRight(listener.stopListening, letGo(start)), true)
        : Effect.as(listener.stopListening, false)
      const overrun = Effect.as(Deferred.await(expired), false)
      const end = yield* Effect.exit(Effect.interruptible(Effect.raceFirst(whole, overrun)))
      // The 503 of a request that was cut is an answer, but not the one that was asked for.
      const drained = connections.answered - before.answered
      if (!Exit.isSuccess(end) || !end.value) yield* cut
      yield* lifecycle.emit({
        _tag: "Drained",
        server: name,
        count: {
          requestsAtStart,
          connectionsAtStart,
          drained,
          interrupted: connections.interrupted - before.interrupted,
          late: connections.late - before.late
        }
      })
    }).pipe(Effect.ensuring(Deferred.succeed(done, void 0)), Effect.uninterruptible)

    const run = Effect.suspend(() => {
      if (begun) return Deferred.await(done)
      begun = true
      return drain
    })

    return {
      run,
      unsafeBegun: () => begun,
      finish: Effect.all(
        [
          run,
          Effect.raceFirst(
            Effect.interruptible(Deferred.await(done)),
            Effect.interruptible(Effect.sleep(options.limit))
          ).pipe(Effect.zipRight(Deferred.succeed(expired, void 0)))
        ],
        { concurrency: "unbounded", discard: true }
      )
    }
  })
