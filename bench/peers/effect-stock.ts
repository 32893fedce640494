/** Effect 3 as it comes: NodeHttpServer.layer under NodeRuntime.runMain. */
import { createServer } from "node:http"
import * as HttpServer from "@effect/platform/HttpServer"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { routes } from "./routes.js"

const announce = Layer.effectDiscard(
  HttpServer.addressWith((address) =>
    Effect.sync(() => {
      if (address._tag === "TcpAddress") process.stdout.write(`listening ${address.port}\n`)
    })
  )
)

const server = NodeHttpServer.layer(() => createServer(), {
  port: Number(process.env["PORT"] ?? 0),
  host: "127.0.0.1"
})

Layer.launch(Layer.mergeAll(HttpServer.serve(routes), announce).pipe(Layer.provide(server))).pipe(
  NodeRuntime.runMain
)
