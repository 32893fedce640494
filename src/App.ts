/**
 * The service: its layers, and by that the order of its start and its stop. What stands further down is acquired earlier and released later.
 */
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Cache from "./cache/Cache.js"
import * as CacheMetrics from "./cache/CacheMetrics.js"
import * as ClientAddress from "./http/ClientAddress.js"
import * as AccessLog from "./http/AccessLog.js"
import * as Gate from "./http/Gate.js"
import * as Health from "./http/Health.js"
import * as HealthDetails from "./http/HealthDetails.js"
import * as HttpMetrics from "./http/HttpMetrics.js"
import * as InFlight from "./http/InFlight.js"
import * as MetricsRoute from "./http/MetricsRoute.js"
import * as ProblemMiddleware from "./http/ProblemMiddleware.js"
import * as RequestObserver from "./http/RequestObserver.js"
import * as RunHealth from "./http/RunHealth.js"
import * as Serving from "./http/Serving.js"
import * as TaskHealth from "./http/TaskHealth.js"
import * as Tracked from "./http/Tracked.js"
import * as Upgrades from "./http/Upgrades.js"
import * as AdminAccess from "./insights/AdminAccess.js"
import * as AnchorsFile from "./insights/anchors/AnchorsFile.js"
import * as AnchorStore from "./insights/anchors/AnchorStore.js"
import * as ApiHttp from "./insights/ApiHttp.js"
import * as DashboardHttp from "./insights/DashboardHttp.js"
import * as Database from "./insights/Database.js"
import * as Freshness from "./insights/Freshness.js"
import * as Ingestion from "./insights/Ingestion.js"
import * as LedgerStore from "./insights/LedgerStore.js"
import * as OutboxBell from "./insights/OutboxBell.js"
import * as ChannelNames from "./insights/realtime/ChannelNames.js"
import * as OutboxLog from "./insights/realtime/OutboxLog.js"
import * as SessionChoice from "./insights/realtime/SessionChoice.js"
import * as RateLimits from "./insights/RateLimits.js"
import * as RedisHealth from "./insights/RedisHealth.js"
import * as Rehearsal from "./insights/Rehearsal.js"
import * as StoredMetrics from "./insights/StoredMetrics.js"
import * as TaskLease from "./insights/TaskLease.js"
import * as MetricsSync from "./insights/tasks/MetricsSync.js"
import * as PoolSnapshots from "./insights/tasks/PoolSnapshots.js"
import * as RealtimeBroadcaster from "./insights/tasks/RealtimeBroadcaster.js"
import * as Retention from "./insights/tasks/Retention.js"
import * as TrustlineSnapshots from "./insights/tasks/TrustlineSnapshots.js"
import * as WebhookDelivery from "./insights/tasks/WebhookDelivery.js"
import * as WebhookDispatcher from "./insights/tasks/WebhookDispatcher.js"
import * as FanOut from "./insights/webhooks/FanOut.js"
import * as Subscriptions from "./insights/webhooks/Subscriptions.js"
import * as Samples from "./lifecycle/Samples.js"
import * as LeaseBoard from "./lease/LeaseBoard.js"
import * as TaskBoard from "./lifecycle/TaskBoard.js"
import * as TaskMetrics from "./lifecycle/TaskMetrics.js"
import * as Hub from "./realtime/Hub.js"
import * as HubHealth from "./realtime/HubHealth.js"
import * as Redis from "./redis/Redis.js"
import * as RedisMetrics from "./redis/RedisMetrics.js"
import * as Source from "./stellar/source/Source.js"
import * as Prometheus from "./telemetry/Prometheus.js"
import * as WebhookBell from "./webhooks/Bell.js"
import * as Resolver from "./webhooks/Resolver.js"

/** Everything that is served on the port, and the port itself, which opens last. */
const Http = Serving.layerConfig(Tracked.serveApi).pipe(
  Layer.provide([
    ApiHttp.layer,
    DashboardHttp.layer,
    Health.layer,
    MetricsRoute.layer,
    ProblemMiddleware.layer,
    Gate.layerConfig
  ]),
  Layer.provide(AdminAccess.layerConfig),
  Layer.provide(RateLimits.layerConfig)
)

/** The tasks that write ledgers, and what follows from them. Ledgers begin first: whoever takes over goes on with them at once. */
const Producers = Layer.mergeAll(
  MetricsSync.layerConfig,
  PoolSnapshots.layerConfig,
  TrustlineSnapshots.layerConfig,
  Retention.layerConfig,
  Freshness.layer
).pipe(Layer.provideMerge(Ingestion.layerConfig))

/** Webhooks stand below the tasks, so they end after them, and take the last of what those have written. All of it runs in one process at a time. */
const Tasks = TaskLease.layerConfig(
  Producers.pipe(Layer.provide(WebhookDispatcher.layerConfig), Layer.provide(WebhookDelivery.layerConfig)),
  Rehearsal.layer,
  Rehearsal.begin
).pipe(Layer.provide(Rehearsal.shelf))

/** The clients that listen, in every process. They are let go when all that was to be said has been said. */
const Realtime = Layer.unwrapEffect(
  Effect.map(ClientAddress.ClientAddress, ({ of }) =>
    Hub.layerConfig({
      path: "/ws",
      accepts: ChannelNames.accepts,
      addressOf: (request) => ClientAddress.network(of(request))
    })
  )
).pipe(Layer.provideMerge(OutboxLog.layer), Layer.provide(SessionChoice.layerConfig))

/** Subscriptions to webhooks, and what becomes deliveries to them. */
const Webhooks = Layer.merge(FanOut.layerConfig, Subscriptions.layerConfig).pipe(
  Layer.provideMerge(Layer.merge(WebhookBell.layer, Resolver.layer))
)

/** Who sees every request, and how metrics are told: it is there before any port opens and until all are closed. */
const Observers = Layer.mergeAll(
  HttpMetrics.layer,
  AccessLog.layerConfig,
  Layer.effect(MetricsRoute.Exposition, Prometheus.make)
)

/** What health and metrics say of it all. */
const Reports = Layer.mergeAll(
  RunHealth.sampled,
  TaskMetrics.layer,
  TaskHealth.layer,
  HubHealth.layer,
  CacheMetrics.layer,
  RedisMetrics.layer,
  RedisHealth.layer,
  StoredMetrics.layer
)

/** The service. What became of the run before this one, and where this one keeps its record, is for whoever launches it to say. */
export const layer = Layer.mergeAll(Http, Reports).pipe(
  Layer.provide(Tasks),
  Layer.provide(RealtimeBroadcaster.layerConfig),
  Layer.provide([Realtime, Webhooks, AnchorsFile.layerConfig, OutboxBell.layer]),
  Layer.provide(Layer.provideMerge(AnchorStore.layer, LedgerStore.layer)),
  Layer.provide(Cache.layerConfig),
  Layer.provide([Database.layerConfig, Source.layerConfig, Redis.layerConfig]),
  Layer.provide([Serving.healthConfig, RunHealth.lastRun]),
  Layer.provide(Observers),
  Layer.provide([
    ClientAddress.layerConfig,
    HealthDetails.layer,
    InFlight.layer,
    RequestObserver.layer,
    Samples.layer,
    LeaseBoard.layer,
    TaskBoard.layer,
    Upgrades.layer,
    FetchHttpClient.layer,
    NodeFileSystem.layer,
    NodePath.layer
  ])
)
