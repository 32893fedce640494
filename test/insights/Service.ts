/** The product's layers put together for a test: a temporary file, any source, and the API without a socket. */
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import * as HttpApp from "@effect/platform/HttpApp"
import * as HttpServer from "@effect/platform/HttpServer"
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Cache from "../../src/cache/Cache.js"
import * as CacheConfig from "../../src/cache/CacheConfig.js"
import * as HealthDetails from "../../src/http/HealthDetails.js"
import * as BearerKeys from "../../src/http/BearerKeys.js"
import * as Upgrades from "../../src/http/Upgrades.js"
import * as AdminAccess from "../../src/insights/AdminAccess.js"
import * as AnchorStore from "../../src/insights/anchors/AnchorStore.js"
import * as ApiHttp from "../../src/insights/ApiHttp.js"
import * as Database from "../../src/insights/Database.js"
import * as Ingestion from "../../src/insights/Ingestion.js"
import * as IngestionStatus from "../../src/insights/IngestionStatus.js"
import * as LedgerStore from "../../src/insights/LedgerStore.js"
import * as ChannelNames from "../../src/insights/realtime/ChannelNames.js"
import * as OutboxLog from "../../src/insights/realtime/OutboxLog.js"
import * as Subscriptions from "../../src/insights/webhooks/Subscriptions.js"
import * as Budget from "../../src/lifecycle/Budget.js"
import * as Lifecycle from "../../src/lifecycle/Lifecycle.js"
import * as ShutdownConfig from "../../src/lifecycle/ShutdownConfig.js"
import * as LeaseBoard from "../../src/lease/LeaseBoard.js"
import * as TaskBoard from "../../src/lifecycle/TaskBoard.js"
import * as Hub from "../../src/realtime/Hub.js"
import * as SessionStore from "../../src/realtime/SessionStore.js"
import type { LedgerFacts } from "../../src/stellar/LedgerFacts.js"
import * as LakeSource from "../../src/stellar/source/LakeSource.js"
import * as LakeStore from "../../src/stellar/source/LakeStore.js"
import type { LedgerSource } from "../../src/stellar/source/LedgerSource.js"
import * as Redis from "../../src/redis/Redis.js"
import * as WebhookBell from "../../src/webhooks/Bell.js"
import * as Resolver from "../../src/webhooks/Resolver.js"
import * as WebhookConfig from "../../src/webhooks/WebhookConfig.js"

/** A folder that is gone with the scope. */
export const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "insights-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

/** The setting for a file. */
export const at = (filename: string) => ({ url: `sqlite:${filename}`, filename })

/** A setting for a file that is not there yet, in a folder of its own. */
export const fresh = Effect.map(folder, (path) => at(join(path, "insights.db")))

/** Database and store on a file. */
export const storeOn = (config: { readonly url: string; readonly filename: string }) =>
  Layer.provideMerge(LedgerStore.layer, Database.layerFrom(config))

/** A lifecycle that is ready. */
export const ready = Effect.tap(Lifecycle.make(Duration.minutes(1)), (lifecycle) =>
  lifecycle.internal.advance("ready")
)

/** Ledgers that are nothing but facts, each after the one before; `salt` makes another chain. */
export const chain = (first: number, count: number, salt = "a"): ReadonlyArray<LedgerFacts> => {
  const hash = (sequence: number) => `${salt}${sequence.toString(16)}`.padStart(64, "0")
  return Array.from({ length: count }, (_, i) => ({
    sequence: first + i,
    hash: hash(first + i),
    previousHash: hash(first + i - 1),
    closeTime: 1_700_000_000 + 5 * i,
    protocol: 23,
    lcmVersion: 2,
    txCount: 3,
    successTx: 2,
    failedTx: 1,
    opCount: 4,
    txSetOpCount: 7,
    totalFeeCharged: 300n + BigInt(i),
    feePool: 9_007_199_254_740_993n + BigInt(i),
    totalCoins: 9_223_372_036_854_775_807n,
    baseFee: 100,
    baseReserve: 5_000_000,
    maxTxSetSize: 1000,
    feeBumps: 1,
    sorobanTx: 1
  }))
}

/** A lake in a folder or behind a URL. */
export const lake = (location: string, networkPassphrase: string) =>
  LakeSource.layer({
    location: LakeStore.parseLocation(location)!,
    networkPassphrase,
    pollInterval: "50 millis"
  }).pipe(Layer.provide([NodeContext.layer, FetchHttpClient.layer]))

/** Parsed JSON. What form it has is what the tests are about, so the compiler is not asked. */
// oxlint-disable-next-line typescript/no-explicit-any
export type Json = any

/** An answer of the API. */
export interface Answer {
  readonly status: number
  readonly headers: Headers
  /** The body as text, and parsed where it is JSON. */
  readonly text: string
  readonly json: Json
}

/** Asks the API. */
export type Ask = (path: string, init?: RequestInit) => Effect.Effect<Answer>

/** A key that is valid. */
export const key = "a-key-for-the-tests"

/** A hub over the outbox of the context, with sessions in memory. */
export const hub = Hub.layer({ path: "/ws", accepts: ChannelNames.accepts }).pipe(
  Layer.provideMerge(OutboxLog.layer),
  Layer.provide([
    SessionStore.layerMemory,
    Upgrades.layer,
    Layer.orDie(Budget.layer(ShutdownConfig.defaults))
  ])
)

/** What the API works with besides the database: a cache in memory, no Redis, and webhooks whose endpoints may be anywhere. */
const around = Layer.mergeAll(
  Cache.layerMemory(CacheConfig.defaults),
  Layer.succeed(Redis.Configured, Option.none()),
  Subscriptions.layer({ ...WebhookConfig.defaults, allowHttp: true, allowPrivate: true }).pipe(
    Layer.provide([WebhookBell.layer, Resolver.layerTest(() => ["127.0.0.1"])])
  )
)

/** The API on the store, the board of tasks, the lifecycle and the hub of the context, and what it needs to run. Who asks for no events need not have a hub. */
export const appWith = (keys: Iterable<string>) =>
  Effect.gen(function* () {
    const given = yield* Effect.serviceOption(Hub.Hub)
    const layer = Layer.mergeAll(
      Layer.provide(ApiHttp.layer, [
        AnchorStore.layer,
        around,
        AdminAccess.layer(BearerKeys.make(keys)),
        Layer.succeed(
          Hub.Hub,
          Option.getOrElse(given, () => ({}) as Hub.Shape)
        )
      ]),
      HttpServer.layerContext,
      HttpApiBuilder.Router.Live,
      HttpApiBuilder.Middleware.layer
    )
    const context = yield* Layer.build(layer)
    return { app: yield* Effect.provide(HttpApiBuilder.httpApp, context), context }
  })

/** The same as a function. Time is that of whoever calls this. */
export const apiWith = (keys: Iterable<string>) =>
  Effect.gen(function* () {
    const { app, context } = yield* appWith(keys)
    const runtime = yield* Effect.provide(Effect.runtime<never>(), context)
    const handler = HttpApp.toWebHandlerRuntime(runtime)(app as HttpApp.Default)
    return (path: string, init: RequestInit = {}): Effect.Effect<Answer> =>
      Effect.promise(async (signal) => {
        const response = await handler(new Request(`http://localhost${path}`, { signal, ...init }))
        const text = await response.text()
        const isJson = /json/.test(response.headers.get("content-type") ?? "")
        return {
          status: response.status,
          headers: response.headers,
          text,
          json: isJson ? JSON.parse(text) : undefined
        }
      })
  })

/** The same with the one valid {@link key}. */
export const api = apiWith([key])

/** A running ingestion with its API. */
export interface Service {
  readonly ask: Ask
  readonly status: Effect.Effect<IngestionStatus.Status>
  readonly store: LedgerStore.Shape
  readonly database: Database.Shape
  readonly lifecycle: Lifecycle.Shape
  readonly health: HealthDetails.Shape
}

/** Runs everything on a file and a source until the scope closes. */
export const run = <E>(
  config: { readonly url: string; readonly filename: string },
  source: Layer.Layer<LedgerSource, E>,
  startLedger?: number
) =>
  Effect.gen(function* () {
    const lifecycle = yield* ready
    const options = { startLedger: Option.fromNullable(startLedger), limit: Duration.seconds(10) }
    const layer = Ingestion.layer(options).pipe(
      Layer.provideMerge(storeOn(config)),
      Layer.provide(source),
      Layer.provideMerge(Layer.succeed(Lifecycle.Lifecycle, lifecycle)),
      Layer.provideMerge(Layer.mergeAll(HealthDetails.layer, LeaseBoard.layer, TaskBoard.layer))
    )
    // What is logged is asked for by the tests that look at it.
    const context = yield* Logger.withMinimumLogLevel(Layer.build(layer), LogLevel.None)
    return {
      ask: yield* Effect.provide(api, context),
      status: Context.get(context, IngestionStatus.IngestionStatus).get,
      store: Context.get(context, LedgerStore.LedgerStore),
      database: Context.get(context, Database.Database),
      lifecycle,
      health: Context.get(context, HealthDetails.HealthDetails)
    } satisfies Service
  })

/** Waits, in real time, until the status is as wanted; fails after ten seconds with what it was. */
export const until = (service: Service, wanted: (status: IngestionStatus.Status) => boolean) =>
  Effect.repeat(service.status, { until: wanted, schedule: Schedule.spaced("2 millis") }).pipe(
    Effect.zipRight(service.status),
    Effect.timeoutFail({ duration: "10 seconds", onTimeout: () => undefined }),
    Effect.catchAll(() =>
      Effect.flatMap(service.status, (status) => Effect.dieMessage(`still ${JSON.stringify(status)}`))
    )
  )
