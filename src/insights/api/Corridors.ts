/** The contract of the corridor endpoints. */
import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as OpenApi from "@effect/platform/OpenApi"
import * as Schema from "effect/Schema"
import * as ApiProblem from "../ApiProblem.js"
import * as Parameter from "../Parameter.js"
import * as Fields from "./Fields.js"

const counts = {
  success: Fields.count("Attempts that succeeded"),
  failed: Fields.count("Attempts that failed by themselves"),
  rolledBack: Fields.count("Attempts that were undone since another operation of their transaction failed"),
  rejected: Fields.count("Attempts of transactions that were refused before their operations were tried"),
  selfSuccess: Fields.count("Successful payments of accounts to themselves; in none of the other counts"),
  selfFailed: Fields.count("Failed payments of accounts to themselves; in none of the other counts"),
  sourceVolume: Fields.amount("What left the sources of `success`"),
  destinationVolume: Fields.amount("What arrived at their destinations")
}

const figures = {
  attempts: Fields.count("success + failed"),
  ...counts,
  successRate: Fields.ratio("success / attempts, 0 to 1; null without an attempt"),
  score: Fields.ratio(
    "100 times the lower bound of the rate's Wilson interval (95 %); null below 20 attempts"
  ),
  asOfLedger: Fields.count("The last ledger when these figures were made")
}

const status = Schema.Literal("unknown", "healthy", "degraded", "critical").annotations({
  description:
    "unknown below 20 attempts in 24 hours; degraded or critical when the rate of the last hour lies more than 10 or 25 points below that of 24 hours"
})

/** A corridor over a window. */
export class Corridor extends Schema.Class<Corridor>("Corridor")({
  source: Fields.asset("The asset that leaves"),
  destination: Fields.asset("The asset that arrives"),
  status,
  ...figures
}) {}

/** A page of corridors. */
export class CorridorPage extends Schema.Class<CorridorPage>("CorridorPage")({
  corridors: Schema.Array(Corridor),
  next: Fields.next
}) {}

/** A corridor over every window, and by the hour. */
export class CorridorDetail extends Schema.Class<CorridorDetail>("CorridorDetail")({
  source: Fields.asset("The asset that leaves"),
  destination: Fields.asset("The asset that arrives"),
  status,
  windows: Schema.Record({
    key: Schema.Literal("1h", "24h", "7d", "30d"),
    value: Schema.NullOr(Schema.Struct(figures))
  }).annotations({ description: "By window; null where there was no attempt" }),
  history: Schema.Array(
    Schema.Struct({ hour: Fields.seconds("When the hour began"), ...counts })
  ).annotations({ description: "Hours with an attempt, newest first" })
}) {}

/** Values that a page is ordered by. */
export const Place = Schema.Tuple(Schema.Finite, Schema.Int, Schema.Int)

const list = Fields.parameters({
  window: Fields.window,
  source: Fields.optional(Fields.assetParameter("Only corridors from this asset")),
  destination: Fields.optional(Fields.assetParameter("Only corridors to this asset")),
  minAttempts: Fields.optional(
    Parameter.integer({ min: 0, max: 1_000_000_000, description: "Only with as many attempts" })
  ),
  minSuccessRate: Fields.optional(Fields.share("Only with this success rate or a higher one")),
  maxSuccessRate: Fields.optional(Fields.share("Only with this success rate or a lower one")),
  sort: Schema.optionalWith(
    Fields.oneOf(
      ["attempts", "successRate", "score"],
      "What they are ordered by, the most first; attempts by default. Corridors that have no such figure are left out"
    ),
    { exact: true, default: () => "attempts" as const }
  ),
  cursor: Fields.optional(Fields.cursor(Place)),
  limit: Fields.limit
})

/** Corridors: ordered pairs of assets, and how payments from one to the other fare. */
export class Corridors extends HttpApiGroup.make("corridors")
  .add(
    HttpApiEndpoint.get("list", "/")
      .setUrlParams(list)
      .addSuccess(CorridorPage)
      .annotate(OpenApi.Summary, "Corridors, busiest first")
  )
  .add(
    HttpApiEndpoint.get("byPair", "/:corridor")
      .setPath(
        Schema.Struct({
          corridor: Fields.corridorParameter("The corridor: <source>~<destination>")
        })
      )
      .setUrlParams(
        Fields.parameters({
          hours: Schema.optionalWith(
            Parameter.integer({ min: 1, max: 720, description: "Hours of history at most; 168 by default" }),
            { exact: true, default: () => 168 }
          )
        })
      )
      .addSuccess(CorridorDetail)
      .addError(ApiProblem.Missing)
      .annotate(OpenApi.Summary, "One corridor over every window, with its history")
  )
  .addError(ApiProblem.Unavailable)
  .prefix("/api/corridors") {}
