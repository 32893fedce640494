/**
 * Answers that are a function of something that changes seldom: of the last ledger, or of the last sync of the metrics.
 *
 * What they are a function of becomes their `ETag`, so a client that asks again with `If-None-Match` learns in a few bytes that nothing has changed; and each is
 * remembered in the cache until it changes, for all processes where there is Redis. The tag is part of what it is remembered under, so an answer is right whether or not anyone was
 * told that the last one is outdated. The tag is read before what it stands for, so an answer may be newer than its tag and never older.
 */
import * as Headers from "@effect/platform/Headers"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import type { SqlError } from "@effect/sql/SqlError"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Record from "effect/Record"
import * as Schema from "effect/Schema"
import * as Cache from "../../cache/Cache.js"
import * as Problem from "../../http/Problem.js"
import * as Database from "../Database.js"
import * as Freshness from "../Freshness.js"
import * as SqlFailure from "../SqlFailure.js"
import * as MetricsSync from "../tasks/MetricsSync.js"
import * as PoolSnapshots from "../tasks/PoolSnapshots.js"
import * as TrustlineSnapshots from "../tasks/TrustlineSnapshots.js"

/**
 * What an answer is a function of, beside its request: the last ledger, the last sync of the metrics, both, or the last ledger and the last snapshots.
 */
export type Basis = "ledger" | "metrics" | "both" | "snapshots"

/** Whether the ledger counts, which tasks' watermarks, and with what a basis becomes outdated in the cache. */
interface Composition {
  readonly ledger: boolean
  readonly tasks: ReadonlyArray<string>
  readonly tags: ReadonlyArray<string>
}

const bases: Readonly<Record<Basis, Composition>> = {
  ledger: { ledger: true, tasks: [], tags: [Freshness.ledger] },
  metrics: { ledger: false, tasks: [MetricsSync.name], tags: [Freshness.metrics] },
  both: { ledger: true, tasks: [MetricsSync.name], tags: [Freshness.ledger, Freshness.metrics] },
  snapshots: {
    ledger: true,
    tasks: [PoolSnapshots.kind.name, TrustlineSnapshots.kind.name],
    tags: [Freshness.ledger, Freshness.snapshots]
  }
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
  /**
   * As {@link give}, with what is sent as it is: for long lists, each row of which would be taken apart by its schema twice. Only the compiler sees to it that `I` is the
   * encoded side of what the contract says, so `compute` must not give fields that the contract does not have.
   */
  readonly giveEncoded: <I>(
    basis: Basis,
    compute: Effect.Effect<Option.Option<I>, SqlError>,
    missing?: string
  ) => Effect.Effect<Response, never, HttpServerRequest.HttpServerRequest>
}

/** The answers of the service. */
export class Answers extends Context.Tag("stellar-insights/insights/api/Answers")<Answers, Shape>() {}

/** How long an answer is remembered at most: what it is a function of changes sooner. */
const ttl = Duration.minutes(10)

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
  const { namespace } = yield* Cache.Cache
  // The body as it is sent; none is remembered of what there is not.
  const bodies = Schema.OptionFromNullOr(Schema.String)
  const known = yield* Effect.all(
    Record.map(bases, ({ tags }, basis) => namespace({ name: `answers-${basis}`, schema: bodies, ttl, tags }))
  )

  // What is answered follows from the chain up to a ledger and from where it begins here: another database is another origin. One statement, since it is asked
  // with every request.
  const tags = Record.map(bases, ({ ledger: counts, tasks }, basis): Effect.Effect<string, SqlError> => {
    const marks = tasks.map(
      (task, nth) =>
        read`, (SELECT ledger FROM task_watermark WHERE task = ${task}) AS ${read.literal(`mark${nth}`)}`
    )
    const asked = read<Readonly<Record<string, number | string | null>>>`SELECT sequence,
        (SELECT hash FROM ledger WHERE sequence = facts_since) AS origin${read.join("", false)(marks)}
      FROM ingestion_cursor WHERE id = 1`
    return Effect.map(asked, ([row]) => {
      const numbers = tasks.map((_, nth) => row?.[`mark${nth}`] ?? 0)
      const origin = row?.["origin"] == null ? "none" : String(row["origin"]).slice(-8)
      const parts = [basis, origin, ...(counts ? [row?.["sequence"] ?? 0] : []), ...numbers]
      return `W/"${parts.join("-")}"`
    })
  })
  const giveEncoded: Shape["giveEncoded"] = (basis, compute, missing = "there is no such thing here") =>
    Effect.gen(function* () {
      const request = yield* HttpServerRequest.HttpServerRequest
      const tag = yield* tags[basis]
      const headers = { etag: tag, "cache-control": "no-cache" }
      const has = Headers.get(request.headers, "if-none-match")
      if (Option.isSome(has) && matches(has.value, tag)) {
        return HttpServerResponse.empty({ status: 304, headers })
      }
      const written = Effect.map(
        compute,
        Option.map((value) => JSON.stringify(value))
      )
      const body = yield* known[basis].through(request.originalUrl, written, {
        version: tag,
        keep: Option.isSome
      })
      return Option.match(body, {
        onNone: () => Problem.toResponse(Problem.make(404, missing)),
        onSome: (text) => HttpServerResponse.text(text, { contentType: "application/json", headers })
      })
    }).pipe(Effect.catchAll(unavailable))
  return Answers.of({
    giveEncoded,
    give: (basis, schema, compute, missing) =>
      giveEncoded(basis, Effect.map(compute, Option.map(Schema.encodeSync(schema))), missing)
  })
})

/** Answers over a database, remembered in the cache. */
export const layer: Layer.Layer<Answers, never, Database.Database | Cache.Cache> = Layer.effect(Answers, make)
