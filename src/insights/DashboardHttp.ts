/**
 * The dashboard: the page at `/`, what it is made of under `/dashboard/`, and what it asks for that no other endpoint says: how the last run stopped, step by
 * step.
 *
 * | path | what |
 * |---|---|
 * | `/` | the page |
 * | `/dashboard/dashboard.js`, `/dashboard/dashboard.css`, `/dashboard/icon.svg` | its parts, bundled by `npm run build:bin` |
 * | `/dashboard/last-run` | the section `lastRun` of `/health`, with the `report` of a stop (`ShutdownReport`); null when there is none |
 *
 * Files are read when somebody asks for them first. Each has an `ETag` of its content and is asked for again each time (`no-cache`), so that an upgrade shows at
 * once.
 */
import * as Headers from "@effect/platform/Headers"
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { createHash } from "node:crypto"
import { readFile } from "node:fs/promises"
import { fileURLToPath } from "node:url"
import * as Problem from "../http/Problem.js"
import * as LastRun from "../lifecycle/LastRun.js"
import * as LastRunLog from "../lifecycle/LastRunLog.js"
import * as ShutdownReport from "../lifecycle/ShutdownReport.js"

/** Where the built page is: `dist/dashboard`, seen from a module of `src/insights` as from a chunk of `dist/bin`. */
const builtFolder = fileURLToPath(new URL("../../dist/dashboard", import.meta.url))

/** Every path with the file that it is, and its media type. Whatever else is in the folder is not served. */
const assets = [
  ["/", "index.html", "text/html; charset=utf-8"],
  ["/dashboard/dashboard.js", "dashboard.js", "text/javascript; charset=utf-8"],
  ["/dashboard/dashboard.css", "dashboard.css", "text/css; charset=utf-8"],
  ["/dashboard/icon.svg", "icon.svg", "image/svg+xml"]
] as const

/** The host as the request names it, where that is a name, an address and a port, and nothing else. */
const hostOf = (request: HttpServerRequest.HttpServerRequest): Option.Option<string> =>
  Option.filter(Headers.get(request.headers, "host"), (host) =>
    /^[\w.-]+(:\d+)?$|^\[[\da-fA-F:.]+\](:\d+)?$/.test(host)
  )

/**
 * The page loads nothing from anywhere else and runs no script but its own, and none of its scripts can make text into markup. Where a browser does not count WebSockets to this
 * host as `'self'`, its name does.
 */
const policy = (request: HttpServerRequest.HttpServerRequest): string => {
  const sockets = Option.match(hostOf(request), {
    onNone: () => "",
    onSome: (host) => ` ws://${host} wss://${host}`
  })
  return (
    `default-src 'self'; connect-src 'self'${sockets}; object-src 'none'; base-uri 'none'; form-action 'none'; ` +
    "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
  )
}

const hardening = { "x-content-type-options": "nosniff", "referrer-policy": "no-referrer" }

/** Whether a client's `If-None-Match` names this version. */
const has = (request: HttpServerRequest.HttpServerRequest, etag: string): boolean =>
  Option.exists(Headers.get(request.headers, "if-none-match"), (given) =>
    given.split(",").some((one) => ["*", etag, `W/${etag}`].includes(one.trim()))
  )

const notBuilt = Problem.toResponse(
  Problem.make(404, "the dashboard was not built: npm run build:bin does it")
)

/** A file with its version. Remembered once it could be read: what is not there yet may come. */
const asset = (file: string) => {
  let known: { readonly bytes: Uint8Array; readonly etag: string } | undefined
  return Effect.suspend(() =>
    known === undefined
      ? Effect.map(
          Effect.tryPromise(() => readFile(file)),
          (bytes) =>
            (known = {
              bytes,
              etag: `"${createHash("sha256").update(bytes).digest("base64url").slice(0, 22)}"`
            })
        )
      : Effect.succeed(known)
  )
}

const answer = (file: string, contentType: string) => {
  const read = asset(file)
  return Effect.gen(function* () {
    const request = yield* HttpServerRequest.HttpServerRequest
    const { bytes, etag } = yield* read
    const headers = {
      ...hardening,
      etag,
      "cache-control": "no-cache",
      "content-security-policy": policy(request)
    }
    return has(request, etag)
      ? HttpServerResponse.empty({ status: 304, headers })
      : HttpServerResponse.uint8Array(bytes, { contentType, headers })
  }).pipe(Effect.catchAll(() => Effect.succeed(notBuilt)))
}

/** What is told of the last run. Which requests were cut is for the log: their paths are not for everybody. */
const lastRun = (ending: LastRun.Ending): string => {
  const report =
    ending._tag === "Stopped" ? { ...ShutdownReport.toJson(ending.report), requestsInterrupted: [] } : null
  return JSON.stringify({ ...LastRunLog.toJson(ending), report })
}

/** The page as {@link layer} serves it, from another folder. */
export const layerFrom = (folder: string): Layer.Layer<never, never, LastRun.LastRun> =>
  HttpApiBuilder.Router.use((router) =>
    Effect.gen(function* () {
      const { ending } = yield* LastRun.LastRun
      for (const [path, file, contentType] of assets)
        yield* router.get(path, answer(`${folder}/${file}`, contentType))
      const headers = { ...hardening, "cache-control": "no-store" }
      const told = lastRun(ending)
      yield* router.get(
        "/dashboard/last-run",
        Effect.sync(() => HttpServerResponse.text(told, { contentType: "application/json", headers }))
      )
    })
  )

/** Adds the routes to what `HttpApiBuilder.serve` serves: provide it to that. Without a built page they answer 404, saying so. */
export const layer: Layer.Layer<never, never, LastRun.LastRun> = layerFrom(builtFolder)
