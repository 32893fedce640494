/** The numbers of everything that a ledger names, so that its rows can say them. */
import type * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import * as Effect from "effect/Effect"
import type { LedgerDetails } from "../../stellar/facts/LedgerDetails.js"
import * as Interner from "./Interner.js"

/** Number of each name that the ledger has. Other names are a defect. */
export interface Numbers {
  /** Of an account, `G...`. */
  readonly account: (address: string) => number
  /** Of an asset, `native` or `CODE:ISSUER`. */
  readonly asset: (name: string) => number
  /** Of a liquidity pool, by its id in hex. */
  readonly pool: (id: string) => number
}

/** Numbers for ledgers. */
export interface Numbering {
  /** The numbers of a ledger, given now where there are none; to be run in the transaction that needs them. */
  readonly of: (details: LedgerDetails) => Effect.Effect<Numbers, SqlError>
  /** The transaction is in. */
  readonly committed: () => void
}

function* accounts({ accountMerges, failures, feeBumps, payments }: LedgerDetails) {
  for (const { from, to } of payments) {
    yield from
    yield to
  }
  for (const { from, self, to } of failures) {
    if (self) continue
    yield from
    yield to
  }
  for (const { account, into } of accountMerges) {
    yield account
    yield into
  }
  for (const { feeSource, innerSource } of feeBumps) {
    yield feeSource
    yield innerSource
  }
}

function* assets({ corridors, failures, payments, pools, trustlines }: LedgerDetails) {
  for (const list of [payments, failures, corridors]) {
    for (const { dstAsset, srcAsset } of list) {
      yield srcAsset
      yield dstAsset
    }
  }
  for (const { asset } of trustlines.assets) yield asset
  for (const { assetA, assetB } of pools.images) {
    yield assetA
    yield assetB
  }
}

function* poolIds({ activity, images, removed }: LedgerDetails["pools"]) {
  for (const { id } of images) yield id
  for (const { id } of activity) yield id
  yield* removed
}

const named = (what: string, numbers: ReadonlyMap<string, number>) => (name: string) => {
  const id = numbers.get(name)
  if (id === undefined) throw new Error(`the ${what} ${name} has no number`)
  return id
}

/** Numbers through the connection that writes. What is remembered takes some ten megabytes at most. */
export const make = (sql: SqlClient.SqlClient): Numbering => {
  const account = Interner.make(sql, { table: "account", column: "address", remember: 50_000 })
  const asset = Interner.make(sql, { table: "asset", column: "name", remember: 20_000 })
  const pool = Interner.make(sql, { table: "liquidity_pool", column: "pool_id", remember: 20_000 })
  const all = [account, asset, pool]
  return {
    of: Effect.fnUntraced(function* (details) {
      for (const interner of all) interner.forgotten()
      return {
        account: named("account", yield* account.numbers(accounts(details))),
        asset: named("asset", yield* asset.numbers(assets(details))),
        pool: named("pool", yield* pool.numbers(poolIds(details.pools)))
      }
    }),
    committed: () => {
      for (const interner of all) interner.committed()
    }
  }
}
