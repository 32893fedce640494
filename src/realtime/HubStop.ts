/**
 * How a hub stops.
 *
 * Quiesce: no heartbeat and no new client any more, and everybody is told, each with a time of its own to come back. Events go on. Release: what was
 * received is handled and answered, sessions are saved, and everybody gets `bye` and the close frame in one write, wave by wave. Then the peers'
 * close frames are awaited; who does not answer in time is terminated.
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FiberRef from "effect/FiberRef"
import * as LogLevel from "effect/LogLevel"
import * as EventLoop from "../http/EventLoop.js"
import type { Client } from "./Client.js"
import * as Frame from "./Frame.js"
import type { HubConfig } from "./HubConfig.js"
import * as Protocol from "./Protocol.js"
import type { Sessions } from "./Sessions.js"

/** Clients that are told, or closed, in one turn of the event loop. */
const wave = 500

/** What is said of a peer that did not answer, at most; the others are in the total. */
const mostFailuresTold = 20

/** What a stop works on. */
export interface Parts {
  readonly config: HubConfig
  readonly clients: ReadonlySet<Client>
  readonly sessions: Sessions
  /** The bound of the whole release. Peers that are silent are terminated a little before it. */
  readonly limit: Duration.Duration
  /** Calls back as soon as no client has a message in hand, and as soon as none is left. Returns what calls it off. */
  readonly whenSettled: (then: () => void) => () => void
  readonly whenEmpty: (then: () => void) => () => void
}

/** The stop of one hub. */
export interface HubStop {
  /** Whether it has begun: no new client is taken. */
  readonly unsafeBegun: () => boolean
  /** Ends when it has begun. */
  readonly begun: Effect.Effect<void>
  /** Tells all clients. Runs once; later calls do nothing. Never fails. */
  readonly quiesce: Effect.Effect<void>
  /** Closes all clients. Never fails; interrupting it terminates who is left. */
  readonly release: Effect.Effect<void>
}

const telling =
  "the server is shutting down; this connection will be closed, reconnect after reconnectAfterMs"
const parting = "Server is shutting down gracefully"

/** The stop of a hub. */
export const make = (parts: Parts): Effect.Effect<HubStop> =>
  Effect.gen(function* () {
    const { clients, sessions } = parts
    const spread = Duration.toMillis(parts.config.reconnectSpread)
    const limit = Duration.toMillis(parts.limit)
    // Who is terminated at our own limit is no overrun of the release, so that one must not be reached.
    const own = limit - Math.min(500, limit / 5)
    const begun = yield* Deferred.make<void>()
    let isBegun = false

    const until = <A>(effect: Effect.Effect<A>, millis: number): Effect.Effect<A | undefined> =>
      Effect.raceFirst(
        Effect.interruptible(Effect.disconnect(effect)),
        Effect.as(Effect.interruptible(Effect.sleep(Math.max(0, millis))), undefined)
      )

    const quiesce = Effect.suspend(() => {
      if (isBegun) return Effect.void
      isBegun = true
      const all = [...clients]
      let told = 0
      const tell = (client: Client) => {
        // A share of the time each, and a random moment in it: spread evenly, in no order that all instances have in common.
        const after = Math.round(((told++ + Math.random()) / all.length) * spread)
        const text = `{"op":"server_shutdown","message":"${telling}","reconnectAfterMs":${after}}`
        client.answer(Frame.text(text))
      }
      return Effect.zipRight(Deferred.succeed(begun, void 0), EventLoop.inSlices(all, wave, tell))
    })

    const goodbye = (client: Client, failed: Array<readonly [Client, string]>) => {
      try {
        const text = `{"op":"bye","bye":true,"total":${client.session.total},"message":"${parting}"}`
        client.bye(Frame.textAndClose(text, Protocol.CloseCode.goingAway))
      } catch (error) {
        failed.push([client, String(error)])
      }
    }

    const debug = (message: string, event_type: string, some: ReadonlyArray<Client>) =>
      Effect.flatMap(FiberRef.get(FiberRef.currentMinimumLogLevel), (least) =>
        // Ten thousand lines that nobody wants cost as much as the closing itself.
        LogLevel.greaterThan(least, LogLevel.Debug)
          ? Effect.void
          : Effect.forEach(
              some,
              ({ session: { id, total } }) =>
                Effect.annotateLogs(Effect.logDebug(message), { event_type, session: id, total }),
              { discard: true }
            )
      )

    const release = Effect.gen(function* () {
      yield* quiesce
      const start = yield* Clock.currentTimeMillis
      const left = Effect.map(Clock.currentTimeMillis, (now) => start + own - now)
      const count = clients.size
      const failed: Array<readonly [Client, string]> = []
      yield* Effect.annotateLogs(Effect.logInfo("closing WebSockets"), {
        event_type: "ws_shutdown_started",
        connections: count
      })
      let closed = 0
      const close = (some: ReadonlyArray<Client>, saveUntil: number) =>
        Effect.gen(function* () {
          const now = yield* Clock.currentTimeMillis
          const isSaved = (yield* until(sessions.save(some), saveUntil - now)) === true
          if (isSaved) yield* debug("session saved", "ws_shutdown_session_saved", some)
          // What had arrived by now is read, handled and counted first.
          yield* EventLoop.turn
          for (const client of some) goodbye(client, failed)
          closed += some.length
          yield* debug("said goodbye", "ws_shutdown_bye_sent", some)
          const late = some.filter(({ session }) => session.isDirty)
          if (isSaved && late.length > 0) yield* until(sessions.save(late), saveUntil - now)
        })
      const work = Effect.gen(function* () {
        // Two polls: one for what is in the sockets, one for what came with an upgrade a moment ago.
        yield* EventLoop.turn
        yield* EventLoop.turn
        yield* until(settled, own / 4)
        const all = [...clients].filter((client) => client.isOpen)
        for (let i = 0; i < all.length; i += wave) yield* close(all.slice(i, i + wave), start + own / 2)
        yield* until(empty, yield* left)
      })
      const exit = yield* Effect.exit(Effect.interruptible(work))
      const silent = [...clients]
      for (const client of silent) {
        failed.push([client, "the peer did not answer the close"])
        client.ws.terminate()
      }
      // Those who were left out, by an interruption or a store that was slow, get what is left of the time, and in any case a little.
      const patience = Math.max(yield* left, Math.min(250, limit / 10))
      const saved = (yield* until(sessions.save(silent), patience)) === true
      yield* Effect.forEach(
        failed.slice(0, mostFailuresTold),
        ([{ session }, error]) =>
          Effect.annotateLogs(Effect.logWarning("a WebSocket was not closed properly"), {
            event_type: "ws_shutdown_close_failed",
            session: session.id,
            error
          }),
        { discard: true }
      )
      yield* Effect.annotateLogs(Effect.logInfo("WebSockets are closed"), {
        event_type: "ws_shutdown_completed",
        connections: count,
        said_goodbye: closed,
        terminated: silent.length,
        sessions_saved: saved,
        duration_ms: (yield* Clock.currentTimeMillis) - start,
        ...(exit._tag === "Failure" && !Cause.isInterruptedOnly(exit.cause)
          ? { error: Cause.pretty(exit.cause) }
          : {})
      })
    }).pipe(Effect.uninterruptible)

    const called = (when: (then: () => void) => () => void) =>
      Effect.async<void>((resume) => {
        const callOff = when(() => resume(Effect.void))
        return Effect.sync(callOff)
      })
    const settled = called(parts.whenSettled)
    const empty = called(parts.whenEmpty)

    return { unsafeBegun: () => isBegun, begun: Deferred.await(begun), quiesce, release }
  })
