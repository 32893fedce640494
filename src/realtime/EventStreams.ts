/**
 * Server-sent events out of a hub: for clients that want events and have nothing to say.
 *
 * A stream gives what the log has after the client's last event, then what is published, like a WebSocket that resumes. When the service stops, it says when to come
 * back and ends by itself, so that the drain of the HTTP server need not wait for it; who does not read that is cut at the hub's limit.
 */
import * as NodeHttpServerRequest from "@effect/platform-node/NodeHttpServerRequest"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Http from "node:http"
import * as EventLoop from "../http/EventLoop.js"
import * as Problem from "../http/Problem.js"
import { Channels } from "./Channels.js"
import type { Accepts } from "./Conversation.js"
import type * as EventLog from "./EventLog.js"
import { EventStream } from "./EventStream.js"
import * as EventText from "./EventText.js"
import * as Heartbeat from "./Heartbeat.js"
import type { HubConfig } from "./HubConfig.js"
import type * as Protocol from "./Protocol.js"
import type { Reception } from "./Reception.js"
import * as Replay from "./Replay.js"
import * as Sockets from "./Sockets.js"

/** Streams that are told in one turn of the event loop. */
const wave = 500

/** How long a client waits at least before it comes back to a service that is gone without a word, in milliseconds. */
const leastRetryMillis = 1000

/** What a client asks for. */
export interface Ask {
  /** The channels, at least one. */
  readonly channels: ReadonlyArray<string>
  /** The last event that the client has; none begins with the next one. */
  readonly after: Option.Option<number>
}

/** What the streams of a hub are made of. */
export interface Parts {
  readonly config: HubConfig
  readonly accepts: Accepts
  readonly log: EventLog.Shape
  /** The last event that was published. */
  readonly position: number
  /** The bound of the quiesce: who has not read the last words a little before it is cut. */
  readonly limit: Duration.Duration
  /** How long the server keeps idle connections when it stops: who comes back on one of those is refused. */
  readonly idleGrace: Duration.Duration
  /** Who decides who comes in. */
  readonly reception: Reception
}

/** The streams of a hub. */
export interface EventStreams {
  /** Answers the request under way: with a stream that lasts until the scope closes or the service stops, or with a problem. Never fails. */
  readonly respond: (
    ask: Ask
  ) => Effect.Effect<
    HttpServerResponse.HttpServerResponse,
    never,
    HttpServerRequest.HttpServerRequest | Scope.Scope
  >
  /** Tells of events, as the hub's `publish` does. */
  readonly publish: (events: ReadonlyArray<EventLog.Event>) => void
  /** Says something to all but those that have the channel `unless`. Gives to how many. */
  readonly notice: (notice: typeof Protocol.NoticeContent.Type, unless: string) => number
  /** Tells all, and ends when they have read it or were cut. Runs once. Never fails; interrupting it cuts who is left. */
  readonly quiesce: Effect.Effect<void>
  /** Sends heartbeats for as long as the scope is open. */
  readonly run: Effect.Effect<void, never, Scope.Scope>
  /** Open streams, those cut since the start because nobody read them, distinct sets of channels, and bytes that wait. */
  readonly unsafeNumbers: () => Readonly<Record<"open" | "dead" | "groups" | "queued", number>>
}

/** A stream, and the response that it goes out by. */
interface Connected {
  readonly stream: EventStream
  readonly cut: () => void
}

/** The response as node has it; none where the platform is another. */
const nodeResponse = (request: HttpServerRequest.HttpServerRequest): Http.ServerResponse | undefined =>
  request.source instanceof Http.IncomingMessage ? NodeHttpServerRequest.toServerResponse(request) : undefined

/** What was sent comes back to whoever sent it, so not at any length. */
const shown = (name: string): string => JSON.stringify(name.length > 80 ? `${name.slice(0, 80)}…` : name)

const words = (message: string, reconnectAfterMs: number) => JSON.stringify({ message, reconnectAfterMs })

const telling = "the server is shutting down; this stream ends, come back after reconnectAfterMs"

/** The streams of one hub. */
export const make = (parts: Parts): Effect.Effect<EventStreams> =>
  Effect.sync(() => {
    const { accepts, config, log, reception } = parts
    const channels = new Channels(parts.position, (event) => new EventText.TextEncoder(event))
    const spread = Duration.toMillis(config.reconnectSpread)
    const limit = Duration.toMillis(parts.limit)
    const all = new Set<Connected>()
    const empty = Sockets.moments(() => all.size === 0)
    let isQuiesced = false
    let dead = 0

    /** What is wrong with the channels. */
    const refusal = (names: ReadonlyArray<string>): Problem.Problem | undefined => {
      const invalid = (value: string, wrong: string) => {
        const allowed = `must be names of channels, ${wrong}`
        const detail = `channels: ${allowed}`
        return Problem.make(400, detail, { errors: [{ parameter: "channels", value, allowed }] })
      }
      if (names.length === 0) return invalid("", "at least one")
      for (const name of names) {
        const reason = accepts(name)
        if (Option.isSome(reason)) return invalid(name, `not ${shown(name)}: ${reason.value}`)
      }
      const { maxChannels } = config
      return names.length > maxChannels ? invalid(names.join(","), `at most ${maxChannels}`) : undefined
    }

    /** Counts a stream in, unless there is a problem. The request lasts until the last byte of its response has left. */
    const enter = (request: HttpServerRequest.HttpServerRequest, names: ReadonlyArray<string>) =>
      Effect.acquireRelease(
        Effect.sync(() => {
          const { remoteAddress, source } = request
          const address =
            source instanceof Http.IncomingMessage
              ? reception.addressOf(source)
              : Option.getOrElse(remoteAddress, () => "")
          const { authorization, origin } = request.headers
          const asking = { headers: { authorization, origin }, url: request.originalUrl }
          const problem =
            (isQuiesced ? Problem.stopping : reception.refusal(asking, address)) ?? refusal(names)
          if (problem !== undefined) return { problem }
          const response = nodeResponse(request)
          const stream = new EventStream(names, config)
          const cut = () => {
            stream.abandon()
            response?.destroy()
          }
          const connected = { stream, cut }
          all.add(connected)
          reception.enter(address)
          return { problem, address, connected, stream }
        }),
        (entered) =>
          Effect.sync(() => {
            if (entered.problem !== undefined) return
            const { address, connected, stream } = entered
            channels.leave(stream)
            stream.abandon()
            all.delete(connected)
            reception.leave(address)
            empty.check()
          })
      )

    const replay = (stream: EventStream, after: number) =>
      Replay.run(log, channels, stream, after).pipe(
        Effect.catchTag("EventLogError", (error) => {
          stream.end(EventText.event("unavailable", words("events cannot be read now", leastRetryMillis)))
          return Effect.annotateLogs(Effect.logWarning("events could not be read for a stream", error), {
            event_type: "sse_replay_failed"
          })
        }),
        Effect.interruptible,
        Effect.forkScoped
      )

    const headersFor = ({ headers }: HttpServerRequest.HttpServerRequest): Record<string, string> => ({
      "cache-control": "no-store",
      "x-accel-buffering": "no",
      // The stream ends when the service is about to: nobody is to come back on its connection.
      connection: "close",
      ...(headers.origin === undefined
        ? {}
        : Option.isNone(config.origins)
          ? { "access-control-allow-origin": "*" }
          : { "access-control-allow-origin": headers.origin, vary: "origin" })
    })

    const respond: EventStreams["respond"] = Effect.fnUntraced(function* (ask) {
      const request = yield* HttpServerRequest.HttpServerRequest
      const names = [...new Set(ask.channels)]
      const entered = yield* enter(request, names)
      if (entered.problem !== undefined) {
        const challenge = entered.problem.status === 401 ? { "www-authenticate": "Bearer" } : undefined
        return Problem.toResponse(entered.problem, challenge)
      }
      const { stream } = entered
      const after = Option.getOrElse(ask.after, () => channels.position)
      stream.answer(EventText.retry(Math.round(leastRetryMillis + Math.random() * spread)))
      const greeting = JSON.stringify({ channels: names, lastEventId: after })
      stream.answer(EventText.event("connected", greeting, after))
      if (Option.isNone(ask.after)) channels.join(stream, after)
      else if (request.method !== "HEAD") yield* replay(stream, after)
      const contentType = "text/event-stream; charset=utf-8"
      return HttpServerResponse.raw(stream.body, { contentType, headers: headersFor(request) })
    })

    const quiesce = Effect.gen(function* () {
      if (isQuiesced) return
      isQuiesced = true
      if (all.size === 0) return
      const begun = yield* Clock.currentTimeMillis
      const some = [...all]
      const grace = Duration.toMillis(parts.idleGrace)
      let told = 0
      const tell = ({ stream }: Connected) => {
        // A share of the time each and a random moment in it, as for WebSockets; these may come back while the server still drains.
        const millis = Math.round(grace + ((told++ + Math.random()) / some.length) * spread)
        const isLive = stream.group !== undefined
        channels.leave(stream)
        stream.answer(EventText.retry(millis))
        stream.end(
          EventText.event("server_shutdown", words(telling, millis), isLive ? channels.position : undefined)
        )
      }
      const gone = Effect.async<void>((resume) => {
        const callOff = empty.when(() => resume(Effect.void))
        return Effect.sync(callOff)
      })
      let cut = 0
      yield* EventLoop.inSlices(some, wave, tell).pipe(
        Effect.zipRight(gone),
        Effect.interruptible,
        Effect.raceFirst(Effect.interruptible(Effect.sleep(limit - Math.min(500, limit / 5)))),
        Effect.ensuring(
          Effect.sync(() => {
            cut = all.size
            for (const connected of all) connected.cut()
          })
        )
      )
      yield* Effect.annotateLogs(Effect.logInfo("event streams ended"), {
        event_type: "sse_shutdown_completed",
        streams: some.length,
        cut,
        duration_ms: (yield* Clock.currentTimeMillis) - begun
      })
    })

    const beat = (connected: Connected) => {
      if (connected.stream.beat(channels.position)) return
      dead++
      connected.cut()
    }

    return {
      respond,
      publish: (events) => channels.publish(events),
      notice: (notice, unless) => {
        const text = EventText.event("notice", JSON.stringify(notice))
        let told = 0
        for (const { stream } of all) {
          if (stream.session.channels.includes(unless)) continue
          stream.answer(text)
          told++
        }
        return told
      },
      quiesce,
      run: Heartbeat.every({ interval: config.heartbeat, all, until: Effect.never, act: beat }),
      unsafeNumbers: () => {
        let queued = 0
        for (const { stream } of all) queued += stream.queued
        return { open: all.size, dead, groups: channels.size, queued }
      }
    }
  })
