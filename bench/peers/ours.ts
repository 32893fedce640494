/** The same routes on the draining server, stopped by the lifecycle. Its limits come from the environment, as everywhere. */
import * as HttpRouter from "@effect/platform/HttpRouter"
import * as HttpServer from "@effect/platform/HttpServer"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as DrainingServer from "../../src/http/DrainingServer.js"
import * as Health from "../../src/http/Health.js"
import * as HealthDetails from "../../src/http/HealthDetails.js"
import * as NodeLaunch from "../../src/lifecycle/node/NodeLaunch.js"
import { announce, routes } from "./routes.js"

const server = DrainingServer.layer({ port: Number(process.env["PORT"] ?? 0), host: "127.0.0.1" })

const served = Layer.unwrapScoped(
  Effect.map(Health.router, (health) => HttpServer.serve(HttpRouter.concat(routes, health)))
)

announce.pipe(
  Layer.provide(served),
  Layer.provide([server, HealthDetails.layer]),
  NodeLaunch.launch,
  NodeRuntime.runMain
)
