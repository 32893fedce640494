/** The same routes on the draining server, stopped by the lifecycle. Its limits come from the environment, as everywhere. */
import * as HttpServer from "@effect/platform/HttpServer"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Layer from "effect/Layer"
import * as DrainingServer from "../../src/http/DrainingServer.js"
import * as NodeLaunch from "../../src/lifecycle/node/NodeLaunch.js"
import { announce, routes } from "./routes.js"

const server = DrainingServer.layer({ port: Number(process.env["PORT"] ?? 0), host: "127.0.0.1" })

announce.pipe(
  Layer.provide(HttpServer.serve(routes)),
  Layer.provide(server),
  NodeLaunch.launch,
  NodeRuntime.runMain
)
