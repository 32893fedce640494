/** A hub behind a real draining server, with a lifecycle that the test drives. */
import * as NodeHttpServerRequest from "@effect/platform-node/NodeHttpServerRequest"
import * as HttpRouter from "@effect/platform/HttpRouter"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as HashMap from "effect/HashMap"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import type * as Http from "node:http"
import * as Upgrades from "../../../src/http/Upgrades.js"
import * as Budget from "../../../src/lifecycle/Budget.js"
import * as Lifecycle from "../../../src/lifecycle/Lifecycle.js"
import * as ShutdownConfig from "../../../src/lifecycle/ShutdownConfig.js"
import * as EventLog from "../../../src/realtime/EventLog.js"
import * as Hub from "../../../src/realtime/Hub.js"
import * as HubConfig from "../../../src/realtime/HubConfig.js"
import * as SessionStore from "../../../src/realtime/SessionStore.js"
import { runQuiesces, serve } from "../../http/support/Harness.js"

export interface Options {
  readonly config?: Partial<HubConfig.HubConfig>
  /** The stage of the stop, in milliseconds. */
  readonly limit?: number
  /** What the drain of the server may take, in milliseconds. */
  readonly graceful?: number
  readonly log?: EventLog.Shape
  readonly store?: SessionStore.Shape
  /** What closes the hub's scope; by itself otherwise. */
  readonly accepts?: Hub.Options["accepts"]
}

export const budget = (limit: number) =>
  Layer.orDie(
    Budget.layer({
      ...ShutdownConfig.defaults,
      stages: { ...ShutdownConfig.defaults.stages, websocket: Option.some(Duration.millis(limit)) }
    })
  )

/** `news`, `sport` and whatever begins with `item:` exist. */
export const accepts = (channel: string): Option.Option<string> =>
  /^(news|sport|item:.+)$/.test(channel)
    ? Option.none()
    : Option.some("there are news, sport and item:<name>")

export const open = (options: Options = {}) =>
  Effect.gen(function* () {
    let hub: Hub.Shape | undefined
    const responses: Array<Http.ServerResponse> = []
    const events = Effect.flatMap(HttpServerRequest.HttpServerRequest, (request) => {
      responses.push(NodeHttpServerRequest.toServerResponse(request))
      return hub!.events({
        channels: new URL(request.originalUrl, "http://test").searchParams.getAll("channel"),
        after: Option.map(Option.fromNullable(request.headers["last-event-id"]), Number)
      })
    })
    const app = HttpRouter.empty.pipe(HttpRouter.get("/events", events), HttpRouter.toHttpApp, Effect.flatten)
    const server = yield* serve({ graceful: options.graceful ?? 2000, idleGrace: 100, app })
    const memory = yield* EventLog.makeMemory(10_000)
    const log = options.log ?? memory
    const store = options.store ?? (yield* SessionStore.makeMemory)
    const logs: Array<Record<string, unknown>> = []
    const quietly = Effect.provide(
      Layer.merge(
        Logger.replace(
          Logger.defaultLogger,
          Logger.make(({ annotations, logLevel, message }) => {
            logs.push({
              level: logLevel.label,
              message,
              ...Object.fromEntries(HashMap.toEntries(annotations))
            })
          })
        ),
        Logger.minimumLogLevel(LogLevel.Debug)
      )
    )
    const scope = yield* Effect.acquireRelease(Scope.make(), (scope) =>
      quietly(Scope.close(scope, Exit.void))
    )
    const made = yield* Hub.make(
      { path: "/ws", accepts: options.accepts ?? accepts },
      { ...HubConfig.defaults, ...options.config }
    ).pipe(
      Scope.extend(scope),
      Effect.provide(
        Layer.mergeAll(
          budget(options.limit ?? 1000),
          Layer.succeed(Lifecycle.Lifecycle, server.lifecycle),
          Layer.succeed(Upgrades.Upgrades, server.upgrades),
          Layer.succeed(EventLog.EventLog, log),
          Layer.succeed(SessionStore.SessionStore, store)
        )
      ),
      quietly
    )
    hub = made
    let id = 0
    return {
      port: server.port,
      server,
      hub: made,
      /** Those of the streams, in the order in which they were asked for. */
      responses,
      memory,
      store,
      /** Appends events to the log in memory and publishes them together: one for each list of channels. */
      publish: (...lists: ReadonlyArray<ReadonlyArray<string>>) => {
        const events = lists.map((channels) => ({ id: ++id, channels, type: "said", payload: { n: id } }))
        return Effect.zipRight(memory.append(events), made.publish(events))
      },
      /** As publish, but the hub does not hear of it. */
      append: (...lists: ReadonlyArray<ReadonlyArray<string>>) =>
        memory.append(lists.map((channels) => ({ id: ++id, channels, type: "said", payload: { n: id } }))),
      /** Advances to draining and runs every quiesce. */
      drain: Effect.zipRight(
        server.lifecycle.internal.advance("draining"),
        Effect.suspend(() => runQuiesces(server.lifecycle))
      ),
      /** Closes the hub. Gives how long it took, in milliseconds. */
      release: Effect.map(Effect.timed(quietly(Scope.close(scope, Exit.void))), ([duration]) =>
        Duration.toMillis(duration)
      ),
      /** What was logged with an `event_type` that begins so, from debug on. */
      logged: (prefix: string) =>
        logs.filter(({ event_type }) => typeof event_type === "string" && event_type.startsWith(prefix))
    }
  })
