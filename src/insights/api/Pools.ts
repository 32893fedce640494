/** The contract of the endpoints for liquidity pools. */
import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as OpenApi from "@effect/platform/OpenApi"
import * as Schema from "effect/Schema"
import * as ApiProblem from "../ApiProblem.js"
import * as Fields from "./Fields.js"

const orNull = <A, I>(schema: Schema.Schema<A, I>) => Schema.NullOr(schema)

const figures = {
  id: Fields.text("The pool's id, 64 hexadecimal digits"),
  assetA: orNull(Fields.asset("Its first asset")),
  assetB: orNull(Fields.asset("Its second asset")),
  feeBp: orNull(Fields.count("What it keeps of an exchange, in hundredths of a percent")),
  reserveA: orNull(Fields.amount("What it holds of the first asset")),
  reserveB: orNull(Fields.amount("What it holds of the second asset")),
  shares: orNull(Fields.amount("Shares in existence")),
  trustlines: orNull(Fields.count("How many accounts can hold shares")),
  price: Fields.ratio("reserveB / reserveA"),
  lastLedger: orNull(Fields.count("The last ledger that touched it")),
  removedLedger: orNull(Fields.count("The ledger that removed it; null while it is there"))
}

/** A pool as the last ledger that touched it left it. Figures are null when it was seen in an exchange or at its removal only. */
export class Pool extends Schema.Class<Pool>("Pool")(figures) {}

/** A page of pools. */
export class PoolPage extends Schema.Class<PoolPage>("PoolPage")({
  pools: Schema.Array(Pool),
  next: Fields.next
}) {}

const activity = Schema.Struct({
  ledgers: Fields.count("Ledgers that touched it"),
  trades: Fields.count("Exchanges with it"),
  deposits: Fields.count("Deposits that succeeded"),
  withdrawals: Fields.count("Withdrawals that succeeded"),
  volumeA: Fields.amount("What was exchanged of the first asset, in and out"),
  volumeB: Fields.amount("What was exchanged of the second asset, in and out")
})

/** A pool and what was done with it. */
export class PoolDetail extends Schema.Class<PoolDetail>("PoolDetail")({
  ...figures,
  windows: Schema.Record({ key: Schema.Literal("1h", "24h", "7d", "30d"), value: activity }),
  feeApr: Fields.ratio(
    "What a share has earned in fees over the last 7 days, scaled to a year: 0.05 is 5 %. Null without two snapshots of these days"
  )
}) {}

/** A page of snapshots. */
export class SnapshotPage extends Schema.Class<SnapshotPage>("PoolSnapshotPage")({
  snapshots: Schema.Array(
    Schema.Struct({
      bucket: Fields.seconds("When the bucket of time began"),
      asOfLedger: Fields.count("The last ledger that had touched the pool"),
      reserveA: Fields.amount("What it held of the first asset"),
      reserveB: Fields.amount("What it held of the second asset"),
      shares: Fields.amount("Shares in existence"),
      trustlines: Fields.count("How many accounts could hold shares"),
      price: Fields.ratio("reserveB / reserveA"),
      feeGrowth: Fields.ratio("sqrt(reserveA * reserveB) / shares, which fees alone make grow")
    })
  ),
  next: Fields.next
}) {}

/** What a page is ordered by. */
export const Place = Schema.Tuple(Schema.Int)

/** Liquidity pools. */
export class Pools extends HttpApiGroup.make("pools")
  .add(
    HttpApiEndpoint.get("list", "/")
      .setUrlParams(
        Fields.parameters({
          asset: Fields.optional(Fields.assetParameter("Only pools that hold this asset")),
          cursor: Fields.optional(Fields.cursor(Place)),
          limit: Fields.limit
        })
      )
      .addSuccess(PoolPage)
      .annotate(OpenApi.Summary, "Liquidity pools, in the order in which ledgers showed them")
      .annotate(OpenApi.Description, "A pool is known from the first stored ledger on that touched it.")
  )
  .add(
    HttpApiEndpoint.get("byId", "/:id")
      .setPath(Schema.Struct({ id: Fields.poolParameter }))
      .addSuccess(PoolDetail)
      .addError(ApiProblem.Missing)
      .annotate(OpenApi.Summary, "One pool, and what was done with it")
  )
  .add(
    HttpApiEndpoint.get("snapshots", "/:id/snapshots")
      .setPath(Schema.Struct({ id: Fields.poolParameter }))
      .setUrlParams(Fields.parameters({ cursor: Fields.optional(Fields.cursor(Place)), limit: Fields.limit }))
      .addSuccess(SnapshotPage)
      .addError(ApiProblem.Missing)
      .annotate(OpenApi.Summary, "A pool as it was, newest first")
  )
  .addError(ApiProblem.Unavailable)
  .prefix("/api/liquidity-pools") {}
