/**
 * Answers that are a function of something that changes seldom: of the last ledger, or of the last sync of the metrics.
 *
 * What they are a function of becomes their `ETag`, so a client that asks again with `If-None-Match` learns in a few bytes that nothing has changed; and each is
 * remembered until it changes. The tag is read before what it stands for, so an answer may be newer than its tag and never older.
 */
import * as Headers from "@effect/platform/Headers"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import type { SqlError } from "@effect/sql/SqlError"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Problem from "../../http/Problem.js"
import * as Database from "../Database.js"
import * as SqlFailure from "../SqlFailure.js"
import * as MetricsSync from "../tasks/MetricsSync.js"
import * as PoolSnapshots from "../tasks/PoolSnapshots.js"
import * as TrustlineSnapshots from "../tasks/TrustlineSnapshots.js"
import * as Watermark from "../tasks/Watermark.js"

/**
 * What an answer is a function of, beside its request: the last ledger, the last sync of the metrics, both, or the last ledger and the last snapshots.
 */
export type Basis = "ledger" | "metrics" | "both" | "snapshots"

/** Whether the ledger counts, and which tasks' watermarks. */
const bases: Readonly<Record<Basis, { readonly ledger: boolean; readonly tasks: ReadonlyArray<string> }>> = {
  ledger: { ledger: true, tasks: [] },
  metrics: { ledger: false, tasks: [MetricsSync.name] },
  both: { ledger: true, tasks: [MetricsSync.name] },
  snapshots: { ledger: true, tasks: [PoolSnapshots.kind.name, TrustlineSnapshots.kind.name] }
}

type Response = HttpServerResponse.HttpServerResponse

/** Answers. */
export interface Shape {
  /**
   * The answer of the request under way: computed, or as it was computed before, or 304. What `compute` has as none becomes the 404 that `missing` words. The
   * database's failure is logged with its cause and becomes 503.
   */
  readonly give: <A, I>(
    basis: Basis,
    schema: Schema.Schema<A, I>,
    compute: Effect.Effect<Option.Option<A>, SqlError>,
    missing?: string
  ) => Effect.Effect<Response, never, HttpServerRequest.HttpServerRequest>
}

/** The answers of the service. */
export class Answers extends Context.Tag("stellar-insights/insights/api/Answers")<Answers, Shape>() {}

/** Characters of all answers that are remembered, their URLs included; the ones that were asked for least recently go first. */
const most = 16 * 1024 * 1024

/** The 503 of a database that failed, with the cause in the log. */
export const unavailable = (error: SqlError): Effect.Effect<Response> =>
  Effect.as(
    Effect.logError("The database did not answer a request", error),
    Problem.toResponse(Problem.make(503, "the database did not answer; try again later"))
  )

/** Turns the database's failures into {@link unavailable}. */
export const orUnavailable = <A, E, R>(
  effect: Effect.Effect<A, E | SqlError, R>
): Effect.Effect<A | Response, Exclude<E, SqlError>, R> =>
  Effect.catchIf(effect, SqlFailure.isSqlError, unavailable) as Effect.Effect<
    A | Response,
    Exclude<E, SqlError>,
    R
  >

const matches = (header: string, tag: string): boolean =>
  header === "*" || header.split(",").some((one) => one.trim().replace(/^W\//, "") === tag.slice(2))

const make = Effect.gen(function* () {
  const { read } = yield* Database.Database
  const known = new Map<string, { readonly tag: string; readonly body: string }>()
  let size = 0

  // What is answered follows from the chain up to a ledger and from where it begins here: another database is another origin.
  const place = Effect.map(
    read<{
      sequence: number | null
      origin: string | null
    }>`SELECT sequence, (SELECT hash FROM ledger WHERE sequence = facts_since) AS origin FROM ingestion_cursor WHERE id = 1`,
    ([row]) => ({ ledger: row?.sequence ?? 0, origin: row?.origin?.slice(-8) ?? "none" })
  )
  const watermark = (task: string) =>
    Effect.map(
      Watermark.get(read, task),
      Option.getOrElse(() => 0)
    )
  const tagOf = (basis: Basis): Effect.Effect<string, SqlError> => {
    const marks = Effect.all(bases[basis].tasks.map(watermark))
    return Effect.zipWith(place, marks, ({ ledger, origin }, numbers) => {
      const parts = [basis, origin, ...(bases[basis].ledger ? [ledger] : []), ...numbers]
      return `W/"${parts.join("-")}"`
    })
  }
  const forget = (url: string) => {
    const one = known.get(url)
    if (one === undefined) return
    size -= url.length + one.body.length
    known.delete(url)
  }
  const remember = (url: string, one: { readonly tag: string; readonly body: string }) => {
    forget(url)
    known.set(url, one)
    size += url.length + one.body.length
    while (size > most) forget(known.keys().next().value!)
  }

  return Answers.of({
    give: (basis, schema, compute, missing = "there is no such thing here") =>
      Effect.gen(function* () {
        const request = yield* HttpServerRequest.HttpServerRequest
        const tag = yield* tagOf(basis)
        const headers = { etag: tag, "cache-control": "no-cache" }
        const has = Headers.get(request.headers, "if-none-match")
        if (Option.isSome(has) && matches(has.value, tag)) {
          return HttpServerResponse.empty({ status: 304, headers })
        }
        const url = request.originalUrl
        const before = known.get(url)
        if (before?.tag === tag) {
          remember(url, before)
          return HttpServerResponse.text(before.body, { contentType: "application/json", headers })
        }
        const value = yield* compute
        if (Option.isNone(value)) return Problem.toResponse(Problem.make(404, missing))
        const body = JSON.stringify(Schema.encodeSync(schema)(value.value))
        remember(url, { tag, body })
        return HttpServerResponse.text(body, { contentType: "application/json", headers })
      }).pipe(Effect.catchAll(unavailable))
  })
})

/** Answers over a database. */
export const layer: Layer.Layer<Answers, never, Database.Database> = Layer.effect(Answers, make)
