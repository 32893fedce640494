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
import * as ApiHttp from "./insights/ApiHttp.js"
import * as Database from "./insights/Database.js"
import * as Ingestion from "./insights/Ingestion.js"
import * as LedgerStore from "./insights/LedgerStore.js"
import * as TaskBoard from "./lifecycle/TaskBoard.js"
import * as Source from "./stellar/source/Source.js"

/** Everything that is served on the port, and the port itself, which opens last. */
const Http = Serving.layerConfig(HttpApiBuilder.serve()).pipe(
  Layer.provide([ApiHttp.layer, Health.layer, ProblemMiddleware.layer])
)

/** The service. What became of the run before this one, and where this one keeps its record, is for whoever launches it to say. */
export const layer = Layer.merge(Http, RunHealth.sampled).pipe(
  Layer.provide(InFlight.layer),
  Layer.provide(Ingestion.layerConfig),
  Layer.provide(LedgerStore.layer),
  Layer.provide([Database.layerConfig, Source.layerConfig]),
  Layer.provide([Serving.healthConfig, RunHealth.lastRun]),
  Layer.provide([HealthDetails.layer, TaskBoard.layer, FetchHttpClient.layer, NodeContext.layer])
)
