/** Effect 3 as it comes: NodeHttpServer.layer under NodeRuntime.runMain. */
import { createServer } from "node:http"
import * as HttpRouter from "@effect/platform/HttpRouter"
import * as HttpServer from "@effect/platform/HttpServer"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Layer from "effect/Layer"
import { alwaysReady, announce, routes } from "./routes.js"

const server = NodeHttpServer.layer(() => createServer(), {
  port: Number(process.env["PORT"] ?? 0),
  host: "127.0.0.1"
})

announce.pipe(
  Layer.provide(HttpServer.serve(HttpRouter.concat(routes, alwaysReady))),
  Layer.provide(server),
  Layer.launch,
  NodeRuntime.runMain
)
