/** The contract of the anchor endpoints. */
import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as HttpApiSchema from "@effect/platform/HttpApiSchema"
import * as OpenApi from "@effect/platform/OpenApi"
import * as Schema from "effect/Schema"
import { AdminAccess } from "../AdminAccess.js"
import * as Anchor from "../anchors/Anchor.js"
import * as ApiProblem from "../ApiProblem.js"
import * as Parameter from "../Parameter.js"
import * as Fields from "./Fields.js"

const counts = {
  success: Fields.count("Attempts that succeeded"),
  failed: Fields.count("Attempts that failed by themselves"),
  rolledBack: Fields.count("Attempts that were undone since another operation of their transaction failed"),
  score: Fields.ratio(
    "100 times the lower bound of the success rate's Wilson interval (95 %); null below 20 attempts"
  ),
  status: Schema.Literal("green", "yellow", "red", "unknown").annotations({
    description: "green from a score of 98, yellow from 95, else red; unknown below 20 attempts"
  })
}

const window = Schema.Struct({
  ...counts,
  deposits: Fields.count("Those of `success` that came from the anchor"),
  withdrawals: Fields.count("Those of `success` that went to the anchor"),
  asOfLedger: Fields.count("The last ledger when these figures were made")
})

const summary = {
  id: Fields.text("Its name in paths"),
  name: Fields.text("Its name for people"),
  homeDomain: Schema.NullOr(Fields.text("Its domain")),
  reliability: Fields.ratio("The score over 7 days"),
  status: counts.status
}

/** An anchor in a list. */
export class AnchorSummary extends Schema.Class<AnchorSummary>("AnchorSummary")(summary) {}

/** All anchors. */
export class AnchorList extends Schema.Class<AnchorList>("AnchorList")({
  anchors: Schema.Array(AnchorSummary)
}) {}

/** One anchor with its figures. */
export class AnchorDetail extends Schema.Class<AnchorDetail>("AnchorDetail")({
  ...summary,
  accounts: Schema.Array(Schema.String).annotations({
    description: "Accounts that it pays from and is paid at"
  }),
  assets: Schema.Array(Schema.String).annotations({ description: "Assets that it issues, CODE:ISSUER" }),
  windows: Schema.Record({
    key: Schema.Literal("1h", "24h", "7d", "30d"),
    value: Schema.NullOr(window)
  }).annotations({
    description: "By window; null until the metrics were synced after the anchor was configured"
  }),
  history: Schema.Array(
    Schema.Struct({ hour: Fields.seconds("The hour"), asOfLedger: window.fields.asOfLedger, ...counts })
  ).annotations({ description: "The figures over 7 days as they were, newest first" })
}) {}

/** An anchor as it was put. */
export class ConfiguredAnchor extends Schema.Class<ConfiguredAnchor>("ConfiguredAnchor")({
  id: Fields.text("Its name in paths"),
  name: Fields.text("Its name for people"),
  homeDomain: Schema.NullOr(Fields.text("Its domain")),
  accounts: Schema.Array(Schema.String),
  assets: Schema.Array(Schema.String)
}) {}

const path = Schema.Struct({ id: Anchor.Id })

/** Anchors. */
export class Anchors extends HttpApiGroup.make("anchors")
  .add(
    HttpApiEndpoint.get("list", "/")
      .addSuccess(AnchorList)
      .annotate(OpenApi.Summary, "The configured anchors")
  )
  .add(
    HttpApiEndpoint.get("byId", "/:id")
      .setPath(path)
      .setUrlParams(
        Fields.parameters({
          hours: Schema.optionalWith(
            Parameter.integer({ min: 1, max: 720, description: "Hours of history at most; 168 by default" }),
            { exact: true, default: () => 168 }
          )
        })
      )
      .addSuccess(AnchorDetail)
      .addError(ApiProblem.Missing)
      .annotate(OpenApi.Summary, "One anchor over every window, with its history")
  )
  .add(
    HttpApiEndpoint.put("put", "/:id")
      .setPath(path)
      .setPayload(Anchor.Description)
      .addSuccess(ConfiguredAnchor)
      .addSuccess(ConfiguredAnchor, { status: 201 })
      .middleware(AdminAccess)
      .annotate(OpenApi.Summary, "Configure an anchor")
      .annotate(
        OpenApi.Description,
        "Its figures are made with the next sync of the metrics, of all payments that are kept."
      )
  )
  .add(
    HttpApiEndpoint.del("remove", "/:id")
      .setPath(path)
      .addSuccess(HttpApiSchema.NoContent)
      .addError(ApiProblem.Missing)
      .middleware(AdminAccess)
      .annotate(OpenApi.Summary, "Forget an anchor and its figures")
  )
  .addError(ApiProblem.Unavailable)
  .prefix("/api/anchors") {}
