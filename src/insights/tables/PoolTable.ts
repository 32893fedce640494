/** Liquidity pools as they are, and what was done with them by hour: `liquidity_pool` and `pool_hour`. */
import type * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import * as Effect from "effect/Effect"
import type { PoolActivity, PoolFacts, PoolImage } from "../../stellar/facts/EntryChanges.js"
import * as BulkInsert from "./BulkInsert.js"
import type { Numbers } from "./Numbers.js"
import * as Upsert from "./Upsert.js"

/** What a ledger says of one pool. */
export interface Touched {
  /** Its id in hex. */
  readonly id: string
  /** As the ledger left it; undefined when it removed it, or said nothing of it. */
  readonly image: PoolImage | undefined
  /** Whether the ledger removed it. */
  readonly removed: boolean
  /** What was done with it; undefined for nothing. */
  readonly activity: PoolActivity | undefined
}

/** Everything that a ledger says of pools, one by one: in the order of images, then removals, then what is left of activity. */
export const touched = ({ activity, images, removed }: PoolFacts): ReadonlyArray<Touched> => {
  const active = new Map(activity.map((done) => [done.id, done]))
  const left = new Set(active.keys())
  const one = (id: string, image: PoolImage | undefined, gone: boolean): Touched => {
    left.delete(id)
    return { id, image, removed: gone, activity: active.get(id) }
  }
  const known = [
    ...images.map((image) => one(image.id, image, false)),
    ...removed.map((id) => one(id, undefined, true))
  ]
  return [...known, ...[...left].map((id) => one(id, undefined, false))]
}

/** Reserves, shares and trustlines: nothing is left of a pool that was removed. */
const holdings = ({ image, removed }: Touched): ReadonlyArray<bigint | number | null> =>
  image !== undefined
    ? [image.reserveA, image.reserveB, image.shares, image.trustlines]
    : Array.from({ length: 4 }, () => (removed ? 0 : null))

const held = ["reserve_a", "reserve_b", "shares", "trustlines"]
const volumes = ["volume_a", "volume_b"]
const counts = ["ledgers", "trades", "deposits", "withdrawals"]

/** Writes, to be run in the transaction of whoever calls. */
export const writes = (sql: SqlClient.SqlClient) => {
  const keep = ["asset_a", "asset_b", "fee_bp", ...held, "last_ledger", "created_ledger"]
  const pools = BulkInsert.make(sql, {
    table: "liquidity_pool",
    columns: ["id", "pool_id", ...keep, "first_ledger", "removed_ledger"],
    onConflict: Upsert.onConflict({
      table: "liquidity_pool",
      key: ["id"],
      replace: keep,
      also: [
        "first_ledger = coalesce(liquidity_pool.first_ledger, excluded.first_ledger)",
        // An image says that the pool is there, so it takes back an earlier removal.
        `removed_ledger = CASE WHEN excluded.removed_ledger IS NULL AND excluded.asset_a IS NULL
          THEN liquidity_pool.removed_ledger ELSE excluded.removed_ledger END`
      ]
    })
  })
  const key = ["hour", "pool"]
  const hours = BulkInsert.make(sql, {
    table: "pool_hour",
    columns: [...key, ...counts, ...Upsert.wideColumns(volumes), ...held],
    onConflict: Upsert.onConflict({ table: "pool_hour", key, add: counts, addWide: volumes, replace: held })
  })
  return {
    /** Brings pools to what a ledger left of them, and adds what it did to its hour. */
    add: (
      at: { readonly sequence: number; readonly hour: number },
      all: ReadonlyArray<Touched>,
      { asset, pool }: Numbers
    ): Effect.Effect<void, SqlError> =>
      Effect.gen(function* () {
        yield* pools(
          all.map((one) => [
            pool(one.id),
            one.id,
            one.image === undefined ? null : asset(one.image.assetA),
            one.image === undefined ? null : asset(one.image.assetB),
            one.image?.feeBp ?? null,
            ...holdings(one),
            at.sequence,
            one.image?.created === true ? at.sequence : null,
            at.sequence,
            one.removed ? at.sequence : null
          ])
        )
        yield* hours(
          all.map((one) => [
            at.hour,
            pool(one.id),
            1,
            one.activity?.trades ?? 0,
            one.activity?.deposits ?? 0,
            one.activity?.withdrawals ?? 0,
            ...Upsert.wide(one.activity?.volumeA ?? 0n, one.activity?.volumeB ?? 0n),
            ...holdings(one)
          ])
        )
      })
  }
}
