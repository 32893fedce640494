/** The contract of the endpoints for the network as a whole. */
import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as OpenApi from "@effect/platform/OpenApi"
import * as Schema from "effect/Schema"
import * as ApiProblem from "../ApiProblem.js"
import * as Fields from "./Fields.js"

const feeOf = (what: string) => Schema.NullOr(Fields.amount(`${what} of an operation in the last ledger`))

const span = {
  ledgers: Fields.count("Ledgers that closed"),
  firstClosedAt: Schema.NullOr(Fields.seconds("When the first of them closed")),
  lastClosedAt: Schema.NullOr(Fields.seconds("When the last of them closed"))
}

/** The network over a window. */
export class NetworkOverview extends Schema.Class<NetworkOverview>("NetworkOverview")({
  window: Fields.text("How far back from the last ledger"),
  lastLedger: Schema.NullOr(Fields.count("The last ledger; null before the first")),
  lastCloseTime: Schema.NullOr(Fields.seconds("When it closed")),
  protocol: Schema.NullOr(Fields.count("Protocol version in force")),
  lagSeconds: Schema.NullOr(
    Schema.Number.annotations({ description: "How long ago that was, by this server's clock, in seconds" })
  ),
  ...span,
  closeInterval: Fields.ratio("Mean seconds between ledgers; null with fewer than two"),
  transactions: Fields.count("Transactions, successful or not"),
  successful: Fields.count("Successful transactions"),
  failed: Fields.count("Failed transactions"),
  successRate: Fields.ratio("successful / transactions, 0 to 1"),
  operations: Fields.count("Operations of successful transactions"),
  allOperations: Fields.count("Operations of all transactions"),
  contractTransactions: Fields.count("Transactions that call or maintain contracts"),
  payments: Fields.count("Payments that succeeded"),
  accountMerges: Fields.count("Accounts that were merged into others"),
  createdAccounts: Fields.count("Accounts that were created"),
  feeCharged: Fields.amount("What all transactions paid"),
  fees: Schema.Struct({
    min: feeOf("The lowest fee"),
    p50: feeOf("The median fee"),
    p95: feeOf("The fee that 95 % did not exceed"),
    max: feeOf("The highest fee")
  })
}) {}

/** Fee bumps over a window. */
export class FeeBumpStats extends Schema.Class<FeeBumpStats>("FeeBumpStats")({
  window: Fields.text("How far back from the last ledger"),
  ...span,
  feeBumps: Fields.count("Fee bumps whose inner transaction was applied"),
  successful: Fields.count("Those whose inner transaction succeeded"),
  share: Fields.ratio("feeBumps / transactions, 0 to 1"),
  operations: Fields.count("Operations inside them"),
  feeCharged: Fields.amount("What they paid"),
  meanFeePerOperation: Fields.ratio("feeCharged / operations, in stroops")
}) {}

const params = Fields.parameters({ window: Fields.window })

/** The network. */
export class Network extends HttpApiGroup.make("network")
  .add(
    HttpApiEndpoint.get("overview", "/network")
      .setUrlParams(params)
      .addSuccess(NetworkOverview)
      .annotate(OpenApi.Summary, "Success, operations, fees and pace of the network")
  )
  .add(
    HttpApiEndpoint.get("feeBumps", "/fee-bumps/stats")
      .setUrlParams(params)
      .addSuccess(FeeBumpStats)
      .annotate(OpenApi.Summary, "Transactions whose fee was raised by somebody")
  )
  .addError(ApiProblem.Unavailable)
  .prefix("/api") {}
