/** What is asked about payments, merges of accounts and fee bumps. */
import type * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import type { Fragment } from "@effect/sql/Statement"
import * as Effect from "effect/Effect"
import * as Dialect from "../Dialect.js"

/** A payment. Amounts and toids are decimal text. */
export interface Payment {
  readonly toid: string
  readonly ledger: number
  readonly closedAt: number
  readonly txHash: string
  readonly kind: string
  readonly from: string
  readonly to: string
  readonly fromMuxedId: string | null
  readonly toMuxedId: string | null
  readonly sourceAsset: string
  readonly sourceAmount: string
  readonly destinationAsset: string
  readonly destinationAmount: string
}

/** Which payments: at most one of the five; all of them without. */
export interface Filter {
  readonly account?: string
  readonly asset?: string
  readonly corridor?: { readonly source: string; readonly destination: string }
  readonly ledger?: number
  /** Only older ones than this toid. */
  readonly before?: bigint
  readonly limit: number
}

/** A merged account. */
export interface Merge {
  readonly toid: string
  readonly ledger: number
  readonly closedAt: number
  readonly txHash: string
  readonly account: string
  readonly into: string
  readonly amount: string
}

/** Beyond every toid. */
const pastAll = 2n ** 63n - 1n

const bounded = (toid: bigint): bigint => (toid < pastAll ? toid : pastAll)

/** Questions through a connection that reads. */
export const make = (sql: SqlClient.SqlClient) => {
  const { hex } = Dialect.words(sql)
  const accountOf = (address: string) => sql`(SELECT id FROM account WHERE address = ${address})`
  const assetOf = (name: string) => sql`(SELECT id FROM asset WHERE name = ${name})`

  /** The payments of one condition before a toid, newest first: along one index. */
  const branch = (condition: Fragment, before: bigint, limit: number) =>
    sql`SELECT * FROM (SELECT * FROM payment WHERE ${condition} AND toid < ${before} ORDER BY toid DESC LIMIT ${limit})`

  /** What is found by source and what is found by destination have no row in common, each side in an index of its own. */
  const chosen = ({ account, asset, before = pastAll, corridor, ledger, limit }: Filter): Fragment => {
    if (account !== undefined) {
      const id = accountOf(account)
      return sql`${branch(sql`src = ${id}`, before, limit)} UNION ALL
        ${branch(sql`dst = ${id} AND src <> dst`, before, limit)}`
    }
    if (asset !== undefined) {
      const id = assetOf(asset)
      return sql`${branch(sql`src_asset = ${id}`, before, limit)} UNION ALL
        ${branch(sql`dst_asset = ${id} AND src_asset <> dst_asset`, before, limit)}`
    }
    if (corridor !== undefined) {
      const pair = sql`src_asset = ${assetOf(corridor.source)} AND dst_asset = ${assetOf(corridor.destination)}`
      return branch(pair, before, limit)
    }
    if (ledger !== undefined) {
      // A sequence above 2^31, of which there is none for three centuries, would not fit.
      const first = bounded(BigInt(ledger) << 32n)
      const end = bounded(first + 2n ** 32n)
      return branch(sql`toid >= ${first}`, before < end ? before : end, limit)
    }
    return branch(sql`toid >= 0`, before, limit)
  }

  return {
    /** A page of payments, newest first. */
    page: (filter: Filter): Effect.Effect<ReadonlyArray<Payment>, SqlError> =>
      sql<Payment>`SELECT CAST(one.toid AS TEXT) AS toid, one.toid >> 32 AS ledger, ledger.closed_at AS "closedAt",
          ${hex("one.tx_hash")} AS "txHash", one.kind, source.address AS "from", destination.address AS "to",
          one.src_muxed AS "fromMuxedId", one.dst_muxed AS "toMuxedId", src_asset.name AS "sourceAsset",
          CAST(one.src_amount AS TEXT) AS "sourceAmount", dst_asset.name AS "destinationAsset",
          CAST(one.dst_amount AS TEXT) AS "destinationAmount"
        FROM (SELECT * FROM (${chosen(filter)}) AS found ORDER BY toid DESC LIMIT ${filter.limit}) AS one
          JOIN ledger ON ledger.sequence = one.toid >> 32
          JOIN account AS source ON source.id = one.src JOIN account AS destination ON destination.id = one.dst
          JOIN asset AS src_asset ON src_asset.id = one.src_asset JOIN asset AS dst_asset ON dst_asset.id = one.dst_asset
        ORDER BY one.toid DESC`,
    /** A page of merges, newest first: of all accounts, or of those that were merged or merged into. */
    merges: (
      account: string | undefined,
      before: bigint | undefined,
      limit: number
    ): Effect.Effect<ReadonlyArray<Merge>, SqlError> => {
      const end = before ?? pastAll
      const side = (condition: Fragment) =>
        sql`SELECT * FROM (SELECT * FROM account_merge WHERE ${condition} AND toid < ${end} ORDER BY toid DESC LIMIT ${limit})`
      const found =
        account === undefined
          ? side(sql`toid >= 0`)
          : sql`${side(sql`account = ${accountOf(account)}`)} UNION ALL ${side(
              sql`into_account = ${accountOf(account)} AND account <> into_account`
            )}`
      return sql<Merge>`SELECT CAST(one.toid AS TEXT) AS toid, one.toid >> 32 AS ledger, ledger.closed_at AS "closedAt",
          ${hex("one.tx_hash")} AS "txHash", merged.address AS account, target.address AS "into", CAST(one.amount AS TEXT) AS amount
        FROM (SELECT * FROM (${found}) AS found ORDER BY toid DESC LIMIT ${limit}) AS one
          JOIN ledger ON ledger.sequence = one.toid >> 32
          JOIN account AS merged ON merged.id = one.account JOIN account AS target ON target.id = one.into_account
        ORDER BY one.toid DESC`
    }
  }
}
