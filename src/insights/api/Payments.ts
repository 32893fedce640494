/** The contract of the endpoints for payments and merges of accounts. */
import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as OpenApi from "@effect/platform/OpenApi"
import * as Schema from "effect/Schema"
import * as ApiProblem from "../ApiProblem.js"
import * as Parameter from "../Parameter.js"
import * as Fields from "./Fields.js"

const operation = {
  toid: Fields.text("The operation's identifier (SEP-35), as decimal text: it is above 2^53"),
  ledger: Fields.count("The ledger that it is in"),
  closedAt: Fields.seconds("When that ledger closed"),
  txHash: Fields.text("Hash of the transaction, 64 hexadecimal digits; of a fee bump, the outer one")
}

const muxed = (what: string) =>
  Schema.NullOr(Fields.text(`The id inside a muxed ${what}, as decimal text; null when it was not muxed`))

/** A payment that succeeded. */
export class Payment extends Schema.Class<Payment>("Payment")({
  ...operation,
  kind: Fields.text(
    "The operation: payment, pathPaymentStrictReceive, pathPaymentStrictSend, createAccount or accountMerge"
  ),
  from: Fields.text("Who paid"),
  to: Fields.text("Who was paid"),
  fromMuxedId: muxed("source"),
  toMuxedId: muxed("destination"),
  sourceAsset: Fields.asset("What left"),
  sourceAmount: Fields.amount("How much left"),
  destinationAsset: Fields.asset("What arrived"),
  destinationAmount: Fields.amount("How much arrived")
}) {}

/** A page of payments. */
export class PaymentPage extends Schema.Class<PaymentPage>("PaymentPage")({
  payments: Schema.Array(Payment),
  next: Fields.next
}) {}

/** An account that was merged into another one. */
export class AccountMerge extends Schema.Class<AccountMerge>("AccountMerge")({
  ...operation,
  account: Fields.text("The account that is gone"),
  into: Fields.text("The account that got what it had"),
  amount: Fields.amount("How much it had of the network's own coin")
}) {}

/** A page of merges. */
export class AccountMergePage extends Schema.Class<AccountMergePage>("AccountMergePage")({
  merges: Schema.Array(AccountMerge),
  next: Fields.next
}) {}

/** What a page is ordered by. */
export const Place = Schema.Tuple(Schema.BigInt.pipe(Schema.betweenBigInt(0n, 2n ** 63n - 1n)))

const filters = ["account", "asset", "corridor", "ledger"] as const

/** Payments. */
export class Payments extends HttpApiGroup.make("payments")
  .add(
    HttpApiEndpoint.get("list", "/")
      .setUrlParams(
        Fields.parameters({
          account: Fields.optional(Fields.accountParameter("Only payments from or to this account")),
          asset: Fields.optional(Fields.assetParameter("Only payments that send or deliver this asset")),
          corridor: Fields.optional(
            Fields.corridorParameter("Only payments from the one asset to the other: <source>~<destination>")
          ),
          ledger: Fields.optional(
            Parameter.integer({
              min: 1,
              max: Parameter.lastSequence,
              description: "Only payments of this ledger"
            })
          ),
          cursor: Fields.optional(Fields.cursor(Place)),
          limit: Fields.limit
        }).pipe(
          Schema.filter((given) => {
            const both = filters.filter((key) => given[key] !== undefined)
            return both.length < 2
              ? undefined
              : {
                  path: [both[1]!],
                  message: `cannot be combined with ${both[0]}: give one of ${filters.join(", ")}`
                }
          })
        )
      )
      .addSuccess(PaymentPage)
      .annotate(
        OpenApi.Summary,
        "Payments, newest first: all of them, or of one account, asset, corridor or ledger"
      )
  )
  .addError(ApiProblem.Unavailable)
  .prefix("/api/payments") {}

/** Merges of accounts. */
export class AccountMerges extends HttpApiGroup.make("accountMerges")
  .add(
    HttpApiEndpoint.get("list", "/")
      .setUrlParams(
        Fields.parameters({
          account: Fields.optional(Fields.accountParameter("Only merges of or into this account")),
          cursor: Fields.optional(Fields.cursor(Place)),
          limit: Fields.limit
        })
      )
      .addSuccess(AccountMergePage)
      .annotate(OpenApi.Summary, "Accounts that were merged into others, newest first")
  )
  .addError(ApiProblem.Unavailable)
  .prefix("/api/account-merges") {}
