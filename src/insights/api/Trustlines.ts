/** The contract of the endpoint for trustlines. */
import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as OpenApi from "@effect/platform/OpenApi"
import * as Schema from "effect/Schema"
import * as ApiProblem from "../ApiProblem.js"
import * as Parameter from "../Parameter.js"
import * as Fields from "./Fields.js"

const changes = {
  created: Fields.count("Trustlines that came to be"),
  removed: Fields.count("Trustlines that went"),
  updated: Fields.count("Trustlines that were touched and stayed, once for each ledger"),
  authorized: Fields.count("How many more are authorized than before"),
  maintainLiabilities: Fields.count("How many more may only keep up their liabilities than before"),
  balance: Fields.amount("How much more is held in them than before"),
  unknownBefore: Fields.count("Changes that could not be told, since the state before was not in the ledger")
}

/** The trustlines of an asset. */
export class Trustlines extends Schema.Class<Trustlines>("Trustlines")({
  asset: Fields.asset("The asset"),
  sinceLedger: Schema.NullOr(
    Fields.count(
      "The first ledger whose changes are in the sums: they are differences from what was before it"
    )
  ),
  total: Schema.Struct({ lines: Fields.count("created - removed"), ...changes }),
  history: Schema.Array(
    Schema.Struct({ hour: Fields.seconds("When the hour began"), ...changes })
  ).annotations({
    description: "Hours with a change, newest first"
  }),
  snapshots: Schema.Array(
    Schema.Struct({
      bucket: Fields.seconds("When the bucket of time began"),
      asOfLedger: Fields.count("The last ledger whose changes are in the sums"),
      lines: Fields.count("Sum of created - removed up to then"),
      authorized: Fields.count("Sum up to then"),
      maintainLiabilities: Fields.count("Sum up to then"),
      balance: Fields.amount("Sum up to then")
    })
  ).annotations({ description: "Sums as they were, newest first" })
}) {}

/** Trustlines. */
export class TrustlineGroup extends HttpApiGroup.make("trustlines")
  .add(
    HttpApiEndpoint.get("byAsset", "/:asset")
      .setPath(Schema.Struct({ asset: Fields.assetParameter("The asset, CODE:ISSUER") }))
      .setUrlParams(
        Fields.parameters({
          limit: Schema.optionalWith(
            Parameter.integer({ min: 1, max: 720, description: "Rows of history at most; 168 by default" }),
            { exact: true, default: () => 168 }
          )
        })
      )
      .addSuccess(Trustlines)
      .addError(ApiProblem.Missing)
      .annotate(OpenApi.Summary, "How many hold an asset, and how much: what has changed")
  )
  .addError(ApiProblem.Unavailable)
  .prefix("/api/trustlines") {}
