/**
 * The service: its layers, and by that the order of its start and its stop. What stands further down is acquired earlier and released later.
 */
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as Layer from "effect/Layer"
import * as Health from "./http/Health.js"
import * as HealthDetails from "./http/HealthDetails.js"
import * as InFlight from "./http/InFlight.js"
import * as ProblemMiddleware from "./http/ProblemMiddleware.js"
import * as RunHealth from "./http/RunHealth.js"
import * as Serving from "./http/Serving.js"
import * as TaskHealth from "./http/TaskHealth.js"
import * as Upgrades from "./http/Upgrades.js"
import * as AdminAccess from "./insights/AdminAccess.js"
import * as AnchorsFile from "./insights/anchors/AnchorsFile.js"
import * as AnchorStore from "./insights/anchors/AnchorStore.js"
import * as ApiHttp from "./insights/ApiHttp.js"
import * as Database from "./insights/Database.js"
import * as Ingestion from "./insights/Ingestion.js"
import * as LedgerStore from "./insights/LedgerStore.js"
import * as ChannelNames from "./insights/realtime/ChannelNames.js"
import * as OutboxLog from "./insights/realtime/OutboxLog.js"
import * as SqlSessions from "./insights/realtime/SqlSessions.js"
import * as MetricsSync from "./insights/tasks/MetricsSync.js"
import * as PoolSnapshots from "./insights/tasks/PoolSnapshots.js"
import * as RealtimeBroadcaster from "./insights/tasks/RealtimeBroadcaster.js"
import * as Retention from "./insights/tasks/Retention.js"
import * as TrustlineSnapshots from "./insights/tasks/TrustlineSnapshots.js"
import * as WebhookDispatcher from "./insights/tasks/WebhookDispatcher.js"
import * as TaskBoard from "./lifecycle/TaskBoard.js"
import * as TaskMetrics from "./lifecycle/TaskMetrics.js"
import * as Hub from "./realtime/Hub.js"
import * as HubHealth from "./realtime/HubHealth.js"
import * as Source from "./stellar/source/Source.js"

/** Everything that is served on the port, and the port itself, which opens last. */
const Http = Serving.layerConfig(HttpApiBuilder.serve()).pipe(
  Layer.provide([ApiHttp.layer, Health.layer, ProblemMiddleware.layer]),
  Layer.provide(AdminAccess.layerConfig)
)

/** The tasks that write ledgers, and what follows from them. */
const Producers = Layer.mergeAll(
  Ingestion.layerConfig,
  MetricsSync.layerConfig,
  PoolSnapshots.layerConfig,
  TrustlineSnapshots.layerConfig,
  Retention.layerConfig
)

/** The tasks that pass on what was written. They stand below those, so they end after them, and pass on the last of it. */
const Consumers = Layer.mergeAll(RealtimeBroadcaster.layerConfig, WebhookDispatcher.layerConfig)

/** The clients that listen. They are let go when all that was to be said has been said. */
const Realtime = Hub.layerConfig({ path: "/ws", accepts: ChannelNames.accepts }).pipe(
  Layer.provideMerge(OutboxLog.layer),
  Layer.provide(SqlSessions.layer)
)

/** The service. What became of the run before this one, and where this one keeps its record, is for whoever launches it to say. */
export const layer = Layer.mergeAll(
  Http,
  RunHealth.sampled,
  TaskMetrics.layer,
  TaskHealth.layer,
  HubHealth.layer
).pipe(
  Layer.provide(InFlight.layer),
  Layer.provide(Producers),
  Layer.provide(Consumers),
  Layer.provide([Realtime, AnchorsFile.layerConfig]),
  Layer.provide(Layer.provideMerge(AnchorStore.layer, LedgerStore.layer)),
  Layer.provide([Database.layerConfig, Source.layerConfig]),
  Layer.provide([Serving.healthConfig, RunHealth.lastRun]),
  Layer.provide([
    HealthDetails.layer,
    TaskBoard.layer,
    Upgrades.layer,
    FetchHttpClient.layer,
    NodeContext.layer
  ])
)
