/**
 * A WebSocket hub whose clients outlive the server: it tells them what happens on the channels that they ask for, says goodbye when the service
 * stops, and goes on where they were when they come back, also on another process.
 *
 * It takes its connections from the draining server, so it is one of the layers that the server's are built on: the server is released first, then
 * whoever publishes, then the hub.
 *
 * @module
 */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type * as Http from "node:http"
import type { Duplex } from "node:stream"
import { WebSocketServer } from "ws"
import type * as ConfigError from "effect/ConfigError"
import * as Upgrades from "../http/Upgrades.js"
import * as Budget from "../lifecycle/Budget.js"
import * as Lifecycle from "../lifecycle/Lifecycle.js"
import * as Resource from "../lifecycle/Resource.js"
import * as Admission from "./Admission.js"
import { Channels } from "./Channels.js"
import { Client } from "./Client.js"
import * as Conversation from "./Conversation.js"
import * as EventLog from "./EventLog.js"
import * as EventStreams from "./EventStreams.js"
import * as Frame from "./Frame.js"
import * as Heartbeat from "./Heartbeat.js"
import * as HubConfig from "./HubConfig.js"
import * as HubStop from "./HubStop.js"
import * as LiveSession from "./LiveSession.js"
import { PartingSocket } from "./PartingSocket.js"
import type * as Protocol from "./Protocol.js"
import { Reception } from "./Reception.js"
import * as Sessions from "./Sessions.js"
import * as SessionStore from "./SessionStore.js"
import * as Sockets from "./Sockets.js"

/** How the quiesce, the release and logs call the hub. */
export const name = "realtime"

/** What a service says about its hub. */
export interface Options {
  /** Where clients connect, without query. */
  readonly path: string
  /** Which channels there are. */
  readonly accepts: Conversation.Accepts
  /** What connections are counted by, for `WS_MAX_PER_ADDRESS`; the peer's IP address when absent. It must not throw. */
  readonly addressOf?: (request: Http.IncomingMessage) => string
}

/** What a hub counts. */
export interface Numbers {
  /** Clients connected now, by WebSocket. */
  readonly connections: number
  /** Streams of server-sent events that are open now. */
  readonly streams: number
  /** Clients connected since the start. */
  readonly accepted: number
  /** Upgrades and streams refused since the start. */
  readonly refused: number
  /** Client messages handled since the start. */
  readonly messages: number
  /** Clients terminated since the start because they left pings unanswered, or their stream unread. */
  readonly dead: number
  /** Distinct sets of channels that clients have; those of streams are counted apart from the others. */
  readonly groups: number
  /** Bytes that wait here for clients that do not read. */
  readonly queued: number
}

/** The hub. */
export interface Shape {
  /**
   * Tells clients of events: those of the log, in its order, all of them after {@link position}. What is up to the position is known already and ignored, so publishing
   * something twice does no harm; leaving something out does. What is published together leaves in one write a client. Dies when a payload is not fit for JSON; fails never.
   */
  readonly publish: (events: ReadonlyArray<EventLog.Event>) => Effect.Effect<void>
  /** The last event that was published here, the head of the log at the start: whoever publishes begins after it. */
  readonly position: Effect.Effect<number>
  /**
   * Says something to every client, whatever its channels; those that have the channel `unless` are left out, since they get it as an event. Gives the number of
   * clients that it went to. Never fails.
   */
  readonly notice: (
    notice: typeof Protocol.NoticeContent.Type,
    options?: { readonly unless: string }
  ) => Effect.Effect<number>
  /**
   * Answers the request under way with server-sent events, for clients that only listen: under the same limits, token and origins as WebSockets, from the same log. The
   * stream ends by itself when the hub quiesces. Never fails: what is refused is a problem as response.
   */
  readonly events: EventStreams.EventStreams["respond"]
  /** What it counts, as of now. */
  readonly unsafeNumbers: () => Numbers
}

/** The hub of the service. */
export class Hub extends Context.Tag("stellar-insights/realtime/Hub")<Hub, Shape>() {}

/**
 * A hub with the given settings, open until its scope closes, which is its release, bounded by `SHUTDOWN_WEBSOCKET_TIMEOUT`. Fails with `EventLogError` when the head of
 * the log cannot be read.
 */
export const make = (
  options: Options,
  config: HubConfig.HubConfig
): Effect.Effect<
  Shape,
  EventLog.EventLogError,
  | Lifecycle.Lifecycle
  | Budget.Budget
  | Upgrades.Upgrades
  | EventLog.EventLog
  | SessionStore.SessionStore
  | Scope.Scope
> =>
  Effect.gen(function* () {
    const lifecycle = yield* Lifecycle.Lifecycle
    const { idleGrace, stages } = yield* Budget.Budget
    const upgrades = yield* Upgrades.Upgrades
    const log = yield* EventLog.EventLog
    const store = yield* SessionStore.SessionStore
    const clock = yield* Effect.clock
    const now = () => clock.unsafeCurrentTimeMillis()

    const clients = new Set<Client>()
    const channels = new Channels(yield* log.head)
    let dead = 0
    const settled = Sockets.moments(() => [...clients].every((client) => !client.isOpen || !client.busy))
    const empty = Sockets.moments(() => clients.size === 0)

    // In the order of use: what is added first is finalized last.
    const sessions = yield* Sessions.make(store, config, now, clients)
    yield* sessions.run
    const fork = yield* FiberSet.makeRuntime<never, void>()
    const stop = yield* HubStop.make({
      config,
      clients,
      sessions,
      limit: stages.websocket,
      whenSettled: settled.when,
      whenEmpty: empty.when
    })
    yield* Effect.addFinalizer(() => Effect.annotateLogs(stop.release, { component: name }))

    const reception = new Reception(config, stop.unsafeBegun, options.addressOf)
    const streams = yield* EventStreams.make({
      config,
      accepts: options.accepts,
      log,
      position: channels.position,
      limit: stages.websocket,
      idleGrace,
      reception
    })
    yield* streams.run
    yield* Effect.addFinalizer(() => Effect.annotateLogs(streams.quiesce, { component: name }))

    const conversation = Conversation.make({
      config,
      accepts: options.accepts,
      channels,
      sessions,
      log,
      now,
      fork: (effect) => void fork(effect),
      settled: settled.check
    })

    const listeners: Sockets.Listeners = {
      message: conversation.receive,
      heard: conversation.hear,
      left: (client) => {
        clients.delete(client)
        reception.leave(client.address)
        channels.leave(client)
        client.gone()
        sessions.detach(client)
        settled.check()
        empty.check()
      }
    }

    const serverOptions = {
      noServer: true,
      WebSocket: PartingSocket,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload: config.maxMessage,
      // A peer that does not answer a close frame; those of a stop are terminated by the stop.
      closeTimeout: Duration.toMillis(stages.websocket)
    }
    const server = new WebSocketServer(serverOptions)
    const accept = (ws: PartingSocket, socket: Duplex, address: string) => {
      const session = LiveSession.begin(channels.position)
      const [limits, allowance] = [config, config.messageRate * 2]
      const client = new Client({ ws, socket, address, session, limits, allowance, now: now() })
      Sockets.listen(ws, client, listeners)
      clients.add(client)
      reception.enter(address)
      sessions.attach(client)
      conversation.greet(client)
    }

    yield* upgrades.register(options.path, (request, socket, head) => {
      const address = reception.addressOf(request)
      const problem = reception.refusal(request, address)
      if (problem !== undefined) return Admission.refuse(socket, problem)
      try {
        server.handleUpgrade(request, socket, head, (ws) => accept(ws, socket, address))
      } catch {
        socket.destroy()
      }
    })

    yield* Heartbeat.run({
      interval: config.heartbeat,
      clients,
      until: stop.begun,
      dead: (client) => {
        dead++
        client.ws.terminate()
      }
    })
    const quiesce = Effect.annotateLogs(Effect.zipRight(stop.quiesce, streams.quiesce), { component: name })
    yield* lifecycle.addQuiesce({ name, limit: stages.websocket, run: quiesce })

    return {
      publish: (events) =>
        Effect.sync(() => {
          channels.publish(events)
          streams.publish(events)
        }),
      position: Effect.sync(() => channels.position),
      notice: Effect.fn("Hub.notice")((notice, { unless } = { unless: "" }) =>
        Effect.sync(() => {
          const frame = Frame.message({ op: "notice", ...notice })
          let told = streams.notice(notice, unless)
          for (const client of clients) {
            if (client.session.channels.includes(unless)) continue
            client.answer(frame)
            told++
          }
          return told
        })
      ),
      events: (ask) => Effect.annotateLogs(streams.respond(ask), { component: name }),
      unsafeNumbers: () => {
        const streaming = streams.unsafeNumbers()
        return {
          connections: clients.size,
          streams: streaming.open,
          accepted: reception.accepted,
          refused: reception.refused,
          messages: conversation.unsafeHandled(),
          dead: dead + streaming.dead,
          groups: channels.size + streaming.groups,
          queued: [...clients].reduce((sum, client) => sum + client.queued, streaming.queued)
        }
      }
    } satisfies Shape
  }).pipe(Effect.annotateLogs({ component: name }))

/** What a hub is built on. `Upgrades.layer` is shared with the server's within a build. */
export type Requires =
  Lifecycle.Lifecycle | Budget.Budget | Upgrades.Upgrades | EventLog.EventLog | SessionStore.SessionStore

const named = <E, R>(
  hub: Layer.Layer<Hub, E, R>
): Layer.Layer<Hub, E | Resource.AcquisitionTimedOut, R | Budget.Budget | Lifecycle.Lifecycle> =>
  Layer.unwrapEffect(
    Effect.map(Budget.Budget, ({ stages }) => Resource.named(name, { limit: stages.websocket })(hub))
  )

/** A hub as `realtime`, with the given settings; what is left out is at its default. */
export const layer = (
  options: Options,
  config: Partial<HubConfig.HubConfig> = {}
): Layer.Layer<Hub, EventLog.EventLogError | Resource.AcquisitionTimedOut, Requires> =>
  named(Layer.scoped(Hub, make(options, { ...HubConfig.defaults, ...config })))

/** A hub as `realtime`, with the settings of the environment. Fails with `ConfigError` where a key cannot be read. */
export const layerConfig = (
  options: Options
): Layer.Layer<
  Hub,
  EventLog.EventLogError | Resource.AcquisitionTimedOut | ConfigError.ConfigError,
  Requires
> =>
  named(
    Layer.scoped(
      Hub,
      Effect.flatMap(HubConfig.config, (config) => make(options, config))
    )
  )
