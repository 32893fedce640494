/** The `ledger` and `ingestion_cursor` tables as statements: what goes in, what comes out, nothing about when. */
import type * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import * as Effect from "effect/Effect"
import type { LedgerFacts } from "../../stellar/LedgerFacts.js"

/** How far ingestion has come. */
export interface Cursor {
  /** Passphrase of the network that the database belongs to. */
  readonly network: string
  /** The last ledger that was committed; null before the first. */
  readonly sequence: number | null
  /** Its hash, hex; null before the first. */
  readonly hash: string | null
  /** The first ledger whose facts are stored; null before it. */
  readonly factsSince: number | null
}

type Rows<A> = Effect.Effect<ReadonlyArray<A>, SqlError>

/** As facts, but with the 64-bit amounts in text: no JavaScript number holds them, and any SQL driver can give text. */
type Row = Omit<LedgerFacts, Amount> & { readonly [K in Amount]: string }
type Amount = "totalFeeCharged" | "feePool" | "totalCoins"

const toFacts = (row: Row): LedgerFacts => ({
  ...row,
  totalFeeCharged: BigInt(row.totalFeeCharged),
  feePool: BigInt(row.feePool),
  totalCoins: BigInt(row.totalCoins)
})

/** Reads of ledgers. Each is one statement. */
export const reads = (sql: SqlClient.SqlClient) => {
  const columns =
    sql.literal(`sequence, hash, previous_hash AS "previousHash", closed_at AS "closeTime", protocol,
    lcm_version AS "lcmVersion", tx_count AS "txCount", success_tx AS "successTx", failed_tx AS "failedTx",
    op_count AS "opCount", tx_set_op_count AS "txSetOpCount", CAST(total_fee_charged AS TEXT) AS "totalFeeCharged",
    CAST(fee_pool AS TEXT) AS "feePool", CAST(total_coins AS TEXT) AS "totalCoins", base_fee AS "baseFee",
    base_reserve AS "baseReserve", max_tx_set_size AS "maxTxSetSize", fee_bumps AS "feeBumps", soroban_tx AS "sorobanTx"`)
  const facts = (rows: Rows<Row>) => Effect.map(rows, (found) => found.map(toFacts))
  return {
    cursor: Effect.map(
      sql<Cursor>`SELECT network, sequence, hash, facts_since AS "factsSince" FROM ingestion_cursor WHERE id = 1`,
      (rows) => rows[0]
    ),
    range: Effect.map(
      sql<{ first: number | null; last: number | null }>`SELECT
        (SELECT sequence FROM ledger ORDER BY sequence LIMIT 1) AS first,
        (SELECT sequence FROM ledger ORDER BY sequence DESC LIMIT 1) AS last`,
      (rows) => rows[0]!
    ),
    hashOf: (sequence: number) =>
      Effect.map(
        sql<{ hash: string }>`SELECT hash FROM ledger WHERE sequence = ${sequence}`,
        (rows) => rows[0]?.hash
      ),
    bySequence: (sequence: number) =>
      facts(sql<Row>`SELECT ${columns} FROM ledger WHERE sequence = ${sequence}`),
    firstAfter: (sequence: number) =>
      facts(sql<Row>`SELECT ${columns} FROM ledger WHERE sequence > ${sequence} ORDER BY sequence LIMIT 1`),
    newestBelow: (before: number, limit: number) =>
      facts(
        sql<Row>`SELECT ${columns} FROM ledger WHERE sequence < ${before} ORDER BY sequence DESC LIMIT ${limit}`
      )
  }
}

/** Writes of ledgers. Each is one statement, to be run in the transaction of whoever calls. */
export const writes = (sql: SqlClient.SqlClient) => ({
  /** Gives the database to a network, unless it holds ledgers of one already. */
  claim: (network: string) =>
    sql`INSERT INTO ingestion_cursor (id, network) VALUES (1, ${network})
      ON CONFLICT (id) DO UPDATE SET network = excluded.network WHERE ingestion_cursor.sequence IS NULL`,
  /** Moves the cursor on if the ledger is its successor, or the first one; gives a row exactly then. */
  advance: (ledger: LedgerFacts): Rows<{ readonly id: number }> =>
    sql`UPDATE ingestion_cursor SET sequence = ${ledger.sequence}, hash = ${ledger.hash}, facts_since = coalesce(facts_since, ${ledger.sequence})
      WHERE id = 1 AND (sequence IS NULL OR (sequence = ${ledger.sequence - 1} AND hash = ${ledger.previousHash}))
      RETURNING id`,
  /** Adds the ledger. */
  insert: (ledger: LedgerFacts) =>
    sql`INSERT INTO ledger (sequence, hash, previous_hash, closed_at, protocol, lcm_version, tx_count, success_tx, failed_tx,
        op_count, tx_set_op_count, total_fee_charged, fee_pool, total_coins, base_fee, base_reserve, max_tx_set_size,
        fee_bumps, soroban_tx)
      VALUES (${ledger.sequence}, ${ledger.hash}, ${ledger.previousHash}, ${ledger.closeTime}, ${ledger.protocol},
        ${ledger.lcmVersion}, ${ledger.txCount}, ${ledger.successTx}, ${ledger.failedTx}, ${ledger.opCount},
        ${ledger.txSetOpCount}, ${ledger.totalFeeCharged}, ${ledger.feePool}, ${ledger.totalCoins}, ${ledger.baseFee},
        ${ledger.baseReserve}, ${ledger.maxTxSetSize}, ${ledger.feeBumps}, ${ledger.sorobanTx})`
})
