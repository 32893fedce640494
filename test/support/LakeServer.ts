/** A local HTTP server that holds a lake, as a bucket of S3 or as a plain server of files, and misbehaves when told to. */
import * as Effect from "effect/Effect"
import * as http from "node:http"
import type { AddressInfo } from "node:net"
import type { Objects } from "./Lake.js"

/** What to do with one request instead of answering it well. */
export type Misbehaviour = (response: http.ServerResponse, good: Uint8Array | undefined) => void

/** How the server behaves. */
export interface ServerOptions {
  /** Where the lake lies, without a slash at either end. */
  readonly prefix: string
  /** How it lists: as the bucket of this host, as the bucket that the path begins with, or not at all. */
  readonly listing: "host" | "path" | "none"
  /** What absent objects are answered with. Default 404. */
  readonly absent?: number
}

/** A running server. */
export interface LakeServer {
  /** URL of the lake. */
  readonly url: URL
  /** The lake; may change while the server runs. */
  readonly objects: Objects
  /** Every request so far, such as `GET /lake/.config.json`. */
  readonly requests: Array<string>
  /** What to do with the next requests of a key, one each. */
  readonly misbehave: (key: string, ...what: ReadonlyArray<Misbehaviour>) => void
}

const escaped = (text: string) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;")

const list = (keys: ReadonlyArray<string>, query: URLSearchParams): string => {
  const prefix = query.get("prefix") ?? ""
  const matching = keys
    .filter((key) => key.startsWith(prefix))
    .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
  const contents = matching
    .slice(0, Number(query.get("max-keys") ?? 1000))
    .map((key) => `<Contents><Key>${escaped(key)}</Key><Size>1</Size></Contents>`)
  return `<?xml version="1.0"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${contents.join("")}</ListBucketResult>`
}

/** Serves `objects` on a free port of the loopback until the scope closes. */
export const make = (objects: Objects, options: ServerOptions) =>
  Effect.acquireRelease(
    Effect.async<{ readonly server: http.Server; readonly lake: LakeServer }>((resume) => {
      const planned = new Map<string, Array<Misbehaviour>>()
      const requests: Array<string> = []
      const server = http.createServer((request, response) => {
        const url = new URL(request.url!, "http://localhost")
        requests.push(`${request.method} ${request.url}`)
        const [bucket = "", ...rest] = options.prefix.split("/")
        const folder = options.listing === "path" ? rest : [bucket, ...rest]
        const root = options.listing === "path" ? `/${bucket}` : "/"
        if (
          options.listing !== "none" &&
          url.pathname === root &&
          url.searchParams.get("list-type") === "2"
        ) {
          const inside = folder
            .filter((part) => part !== "")
            .map((part) => `${part}/`)
            .join("")
          response.end(
            list(
              Array.from(objects.keys(), (key) => inside + key),
              url.searchParams
            )
          )
          return
        }
        const key = url.pathname.slice(options.prefix.length + 2)
        const good = objects.get(key)
        const misbehaviour = planned.get(key)?.shift()
        if (misbehaviour !== undefined) return misbehaviour(response, good)
        if (good === undefined) response.statusCode = options.absent ?? 404
        else response.setHeader("content-length", good.length)
        response.end(request.method === "HEAD" ? undefined : (good ?? "<Error/>"))
      })
      server.listen(0, "127.0.0.1", () =>
        resume(
          Effect.succeed({
            server,
            lake: {
              url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/${options.prefix}`),
              objects,
              requests,
              misbehave: (key, ...what) => void planned.set(key, [...what])
            }
          })
        )
      )
    }),
    ({ server }) =>
      Effect.async<void>((resume) => {
        server.close(() => resume(Effect.void))
        server.closeAllConnections()
      })
  ).pipe(Effect.map(({ lake }) => lake))
