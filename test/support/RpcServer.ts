/** A Stellar RPC server on a free port of the loopback, and the same without a port, for tests in which time is a service. */
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientError from "@effect/platform/HttpClientError"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as Effect from "effect/Effect"
import * as http from "node:http"
import type { AddressInfo } from "node:net"
import * as RpcNode from "./RpcNode.js"

/** A running server. */
export interface RpcServer extends RpcNode.RpcNode {
  /** Where it is, such as `http://127.0.0.1:4711/`. */
  readonly url: string
  /** The paths, with their query, and `authorization` headers that were asked with. */
  readonly heads: Array<{ readonly path: string; readonly authorization: string | undefined }>
  /** How many requests have come whose answer is not sent, while their connection is there. */
  readonly unanswered: () => number
}

const send = ({ body, headers, status, way }: RpcNode.Reply, response: http.ServerResponse) => {
  if (way === "silent") return
  response.writeHead(status, { ...headers, "content-length": Buffer.byteLength(body) })
  if (way === undefined) return void response.end(body)
  response.write(body.slice(0, body.length >> 1), () => {
    if (way === "cut") response.destroy()
  })
}

/** Serves a node until the scope closes. */
export const make = (options: RpcNode.Options) =>
  Effect.acquireRelease(
    Effect.async<{ readonly server: http.Server; readonly rpc: RpcServer }>((resume) => {
      const node = RpcNode.make(options)
      const heads: RpcServer["heads"] = []
      let unanswered = 0
      const server = http.createServer((request, response) => {
        unanswered++
        response.on("close", () => unanswered--)
        heads.push({ path: request.url!, authorization: request.headers.authorization })
        const chunks: Array<Buffer> = []
        request.on("data", (chunk: Buffer) => chunks.push(chunk))
        request.on("end", () => send(node.answer(Buffer.concat(chunks).toString("utf8")), response))
      })
      server.listen(0, "127.0.0.1", () =>
        resume(
          Effect.succeed({
            server,
            rpc: Object.assign(node, {
              url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
              heads,
              unanswered: () => unanswered
            })
          })
        )
      )
    }),
    ({ server }) =>
      Effect.async<void>((resume) => {
        server.close(() => resume(Effect.void))
        server.closeAllConnections()
      })
  ).pipe(Effect.map(({ rpc }) => rpc))

const bodyOf = (reply: RpcNode.Reply): ReadableStream => {
  const whole = Buffer.from(reply.body)
  return new ReadableStream({
    start: (controller) => {
      controller.enqueue(reply.way === undefined ? whole : whole.subarray(0, whole.length >> 1))
      if (reply.way === undefined) controller.close()
      if (reply.way === "cut") controller.error(new Error("other side closed"))
    }
  })
}

/** A client that asks this node, at once and without a socket; `silent` answers never come. */
export const client = (node: RpcNode.RpcNode): HttpClient.HttpClient =>
  HttpClient.make((request) =>
    Effect.suspend(() => {
      if (request.body._tag !== "Uint8Array") {
        return Effect.fail(new HttpClientError.RequestError({ request, reason: "Encode" }))
      }
      const reply = node.answer(Buffer.from(request.body.body).toString("utf8"))
      if (reply.way === "silent") return Effect.never
      const { headers, status } = reply
      return Effect.succeed(
        HttpClientResponse.fromWeb(request, new Response(bodyOf(reply), { status, headers: { ...headers } }))
      )
    })
  )
