/** An endpoint on the loopback address that notes what it gets. */
import * as Effect from "effect/Effect"
import * as Http from "node:http"
import * as Https from "node:https"
import type { AddressInfo, Socket } from "node:net"

export interface Received {
  readonly method: string
  readonly url: string
  readonly headers: Record<string, string>
  readonly body: string
}

/** Answers requests; `received` is complete when it is called. */
export type Answer = (response: Http.ServerResponse, received: Received, socket: Socket) => void

export const ok: Answer = (response) => response.writeHead(200).end("thanks")

/** An endpoint; by TLS where it is given a certificate. */
export const make = (answer: Answer = ok, tls?: { readonly key: string; readonly cert: string }) =>
  Effect.acquireRelease(
    Effect.async<{
      readonly port: number
      readonly url: string
      readonly received: Array<Received>
      /** Connections so far, and at once. */
      readonly connections: { total: number; open: number; most: number }
      readonly server: Http.Server
    }>((resume) => {
      const received: Array<Received> = []
      const connections = { total: 0, open: 0, most: 0 }
      const serve: Http.RequestListener = (request, response) => {
        const chunks: Array<Buffer> = []
        request.on("data", (chunk: Buffer) => chunks.push(chunk))
        request.on("end", () => {
          const one: Received = {
            method: request.method!,
            url: request.url!,
            headers: request.headers as Record<string, string>,
            body: Buffer.concat(chunks).toString("utf8")
          }
          received.push(one)
          answer(response, one, request.socket)
        })
      }
      const server = tls === undefined ? Http.createServer(serve) : Https.createServer(tls, serve)
      server.on("connection", (socket) => {
        connections.total += 1
        connections.open += 1
        connections.most = Math.max(connections.most, connections.open)
        socket.on("close", () => (connections.open -= 1))
      })
      server.listen(0, "127.0.0.1", () => {
        const { port } = server.address() as AddressInfo
        resume(Effect.succeed({ port, url: `http://127.0.0.1:${port}/hook`, received, connections, server }))
      })
    }),
    ({ server }) =>
      Effect.async<void>((resume) => {
        server.close(() => resume(Effect.void))
        server.closeAllConnections()
      })
  )
