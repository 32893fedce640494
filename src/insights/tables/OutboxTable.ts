/** The `outbox` and `outbox_consumer` tables as statements, and the events of a ledger as rows of the first. */
import type * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import * as Effect from "effect/Effect"
import * as BulkInsert from "./BulkInsert.js"
import * as Dialect from "../Dialect.js"

/** What an event tells of. */
export type Kind =
  /** A ledger is in. */
  | "ledger_closed"
  /** A payment of it. */
  | "new_payment"
  /** Attempts of it from one asset to another, other than of accounts with themselves. */
  | "corridor_update"
  /** A liquidity pool that it touched. */
  | "pool_update"
  /** An anchor's reliability or status is another than before. */
  | "anchor_update"
  /** A corridor or an anchor does worse, or well again. */
  | "health_alert"
  /** A task has made a snapshot. */
  | "snapshot_update"
  /** An operator speaks to everybody who listens. */
  | "notice"

/** How many ids a ledger has for its own events and for those of tasks until the next one. */
const idsPerLedger = 2 ** 20

/** The id of the first event that comes with a ledger. */
export const firstId = (sequence: number): number => sequence * idsPerLedger

/** The last ledger when an event of this id was committed. */
export const ledgerOf = (id: number): number => Math.floor(id / idsPerLedger)

/** A row to be added, as values in the order of the columns. */
export type Values = readonly [
  id: number,
  kind: Kind,
  /** The ledger that it tells of. */
  ledger: number,
  /** A payment's toid, the number of a corridor's source asset or of a pool; null for whatever has a key. */
  ref: bigint | number | null,
  /** The number of a corridor's destination asset. */
  ref2: number | null,
  /** The name of what an event of a task tells of; null for the events of ledgers. */
  key: string | null,
  /** JSON; null where the row that `ref` names says it all. */
  payload: string | null
]

/** A row as it is read: with the columns of what it refers to, null where it refers to something else. */
export interface Row {
  readonly id: number
  readonly kind: Kind
  readonly ledger: number
  readonly key: string | null
  readonly payload: string | null
  /** When the ledger closed, in seconds since 1970; null when the ledger is not stored. */
  readonly closedAt: number | null
  readonly hash: string | null
  readonly protocol: number | null
  readonly txCount: number | null
  readonly successTx: number | null
  readonly failedTx: number | null
  readonly opCount: number | null
  readonly toid: string | null
  readonly txHash: string | null
  readonly operation: string | null
  readonly source: string | null
  readonly destination: string | null
  readonly sourceMuxedId: string | null
  readonly destinationMuxedId: string | null
  readonly srcAmount: string | null
  readonly dstAmount: string | null
  readonly srcAsset: string | null
  readonly dstAsset: string | null
  readonly poolId: string | null
}

type Rows<A> = Effect.Effect<ReadonlyArray<A>, SqlError>

/** Reads. Each is one statement. */
export const reads = (sql: SqlClient.SqlClient) => {
  const { hex } = Dialect.words(sql)
  return {
    /** Events with a higher id, ascending. */
    after: (
      id: number,
      limit: number
    ): Rows<Row> => sql<Row>`SELECT event.id, event.kind, event.ledger, event.key, event.payload,
        ledger.closed_at AS "closedAt", ledger.hash, ledger.protocol, ledger.tx_count AS "txCount", ledger.success_tx AS "successTx",
        ledger.failed_tx AS "failedTx", ledger.op_count AS "opCount",
        CAST(payment.toid AS TEXT) AS toid, ${hex("payment.tx_hash")} AS "txHash", payment.kind AS operation,
        source.address AS source, destination.address AS destination, payment.src_muxed AS "sourceMuxedId",
        payment.dst_muxed AS "destinationMuxedId", CAST(payment.src_amount AS TEXT) AS "srcAmount",
        CAST(payment.dst_amount AS TEXT) AS "dstAmount", src_asset.name AS "srcAsset", dst_asset.name AS "dstAsset",
        liquidity_pool.pool_id AS "poolId"
      FROM (SELECT * FROM outbox WHERE id > ${id} ORDER BY id LIMIT ${limit}) AS event
        LEFT JOIN ledger ON ledger.sequence = event.ledger
        LEFT JOIN payment ON event.kind = 'new_payment' AND payment.toid = event.ref
        LEFT JOIN account AS source ON source.id = payment.src
        LEFT JOIN account AS destination ON destination.id = payment.dst
        LEFT JOIN liquidity_pool ON event.kind = 'pool_update' AND liquidity_pool.id = event.ref
        LEFT JOIN asset AS src_asset ON src_asset.id = CASE event.kind
          WHEN 'new_payment' THEN payment.src_asset WHEN 'corridor_update' THEN event.ref WHEN 'pool_update' THEN liquidity_pool.asset_a END
        LEFT JOIN asset AS dst_asset ON dst_asset.id = CASE event.kind
          WHEN 'new_payment' THEN payment.dst_asset WHEN 'corridor_update' THEN event.ref2 WHEN 'pool_update' THEN liquidity_pool.asset_b END
      ORDER BY event.id`,
    /** The highest id that has been given away, which the next one must exceed. */
    head: Effect.map(
      sql<{ id: number | null; sequence: number | null }>`SELECT (SELECT max(id) FROM outbox) AS id,
        (SELECT sequence FROM ingestion_cursor WHERE id = 1) AS sequence`,
      (rows) => Math.max(rows[0]?.id ?? 0, firstId(rows[0]?.sequence ?? 0))
    ),
    /** Every event from here on is still there; 0 when none was ever removed, which the first ledger's first event shows. */
    oldest: Effect.map(
      sql<{ id: number | null; since: number | null }>`SELECT (SELECT min(id) FROM outbox) AS id,
        (SELECT facts_since FROM ingestion_cursor WHERE id = 1) AS since`,
      ([row]) => {
        const id = row?.id ?? 0
        return row?.since != null && id <= firstId(row.since) ? 0 : id
      }
    ),
    position: (name: string) =>
      Effect.map(
        sql<{ id: number }>`SELECT last_id AS id FROM outbox_consumer WHERE name = ${name}`,
        (rows) => rows[0]?.id
      ),
    /** The position of the consumer that is furthest behind. */
    slowest: Effect.map(
      sql<{ id: number | null }>`SELECT min(last_id) AS id FROM outbox_consumer`,
      (rows) => rows[0]?.id ?? undefined
    )
  }
}

/** Writes, to be run in the transaction of whoever calls. */
export const writes = (sql: SqlClient.SqlClient) => {
  const insert = BulkInsert.make(sql, {
    table: "outbox",
    columns: ["id", "kind", "ledger", "ref", "ref2", "key", "payload"],
    onConflict: "ON CONFLICT DO NOTHING"
  })
  return {
    /** Adds rows; those of a task that happened already are left out. */
    insert: (rows: ReadonlyArray<Values>): Effect.Effect<void, SqlError> => insert(rows),
    register: (name: string, lastId: number) =>
      sql`INSERT INTO outbox_consumer (name, last_id) VALUES (${name}, ${lastId}) ON CONFLICT DO NOTHING`,
    advance: (name: string, id: number) =>
      sql`UPDATE outbox_consumer SET last_id = ${id} WHERE name = ${name} AND last_id < ${id}`,
    forget: (name: string) => sql`DELETE FROM outbox_consumer WHERE name = ${name}`
  }
}
