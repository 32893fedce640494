/**
 * Events on their way out: what was committed is told at least once, in one order, under ids that never change.
 *
 * An event is committed with what it tells of, so there is none for what was rolled back and none is missing. Consumers read after the last id that they
 * are done with, and note how far they have come; until every registered one has passed an event, it is kept.
 *
 * Ids rise in the order of commits and stay below 2^53. Those of a ledger's own events follow from the ledger alone: they are the same in every database
 * that holds it. Those of tasks are the same for all who share a database.
 */
import type { SqlError } from "@effect/sql/SqlError"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Database from "./Database.js"
import * as LedgerBell from "./LedgerBell.js"
import * as OutboxTable from "./tables/OutboxTable.js"

/** An event. */
export interface Event {
  /** Its place in the order of all events. */
  readonly id: number
  /** What it tells of. */
  readonly kind: OutboxTable.Kind
  /** The ledger that it tells of. */
  readonly ledger: number
  /** When that ledger closed, in seconds since 1970; null when the ledger is not stored. */
  readonly closedAt: number | null
  /**
   * Which one: a ledger's sequence, a payment's toid, `<source asset>~<destination asset>`, a pool's id; for events of tasks what the task says. One kind,
   * key and ledger happen once.
   */
  readonly key: string
  /** What there is to say, fit for JSON: amounts and toids are decimal text. */
  readonly payload: Readonly<Record<string, unknown>>
}

/** An event of a task or of an operator, to be appended. */
export interface NewEvent {
  /** What it tells of. */
  readonly kind: "anchor_update" | "health_alert" | "snapshot_update" | "notice"
  /** Which one. */
  readonly key: string
  /** The ledger whose facts it was made of. */
  readonly ledger: number
  /** What there is to say, fit for JSON. */
  readonly payload: Readonly<Record<string, unknown>>
}

/** Where a consumer begins that is registered for the first time. */
export type Beginning =
  /** With the oldest event that is kept. */
  | "oldest"
  /** After the newest. */
  | "newest"

/** The outbox. All of it can fail with `SqlError` but the waiting; reads do not wait for writes. */
export interface Shape {
  /** At most `limit` events with a higher id, ascending. */
  readonly readAfter: (id: number, limit: number) => Effect.Effect<ReadonlyArray<Event>, SqlError>
  /** The highest id that was given away: every later event has a higher one. */
  readonly head: Effect.Effect<number, SqlError>
  /** Every event with this id or a higher one is still there; 0 when none was ever removed. */
  readonly oldest: Effect.Effect<number, SqlError>
  /**
   * `Database.transaction`, after which those who wait for events are woken. Interrupting it rolls back.
   */
  readonly transaction: Database.Shape["transaction"]
  /**
   * Adds events to the transaction that it is run in; what has happened already (kind, key and ledger) is left out. Gives the id of the first; each one after it has the
   * next.
   */
  readonly append: (events: ReadonlyArray<NewEvent>) => Effect.Effect<number, SqlError>
  /**
   * Makes sure that a consumer is known, and gives the last id that it is done with. From then on events are kept until it has passed them, so a
   * consumer that is gone for good must be {@link forget}ed.
   */
  readonly register: (name: string, beginning: Beginning) => Effect.Effect<number, SqlError>
  /** How far a consumer has come; none when it was not registered. */
  readonly position: (name: string) => Effect.Effect<Option.Option<number>, SqlError>
  /** Notes that a consumer is done with all events up to `id`; it never goes back. Also inside a transaction of the caller. */
  readonly advance: (name: string, id: number) => Effect.Effect<void, SqlError>
  /** Keeps nothing for this consumer any more. */
  readonly forget: (name: string) => Effect.Effect<void, SqlError>
  /**
   * Ends when this process has committed an event with a higher id, at once when it has. Another process that writes to the same file rings no bell here, so
   * a consumer looks by itself from time to time. Never fails; interrupting it is free.
   */
  readonly awaitAfter: (id: number) => Effect.Effect<void>
  /** Wakes those who wait for events up to `id`, which have been committed. Never fails. */
  readonly ring: (id: number) => Effect.Effect<void>
}

/** The outbox of the service. */
export class Outbox extends Context.Tag("stellar-insights/insights/Outbox")<Outbox, Shape>() {}

const ofLedger = (row: OutboxTable.Row) => ({
  sequence: row.ledger,
  hash: row.hash,
  protocol: row.protocol,
  txCount: row.txCount,
  successTx: row.successTx,
  failedTx: row.failedTx,
  opCount: row.opCount
})

const ofPayment = (row: OutboxTable.Row) => ({
  toid: row.toid,
  txHash: row.txHash,
  kind: row.operation,
  from: row.source,
  to: row.destination,
  fromMuxedId: row.sourceMuxedId,
  toMuxedId: row.destinationMuxedId,
  srcAsset: row.srcAsset,
  srcAmount: row.srcAmount,
  dstAsset: row.dstAsset,
  dstAmount: row.dstAmount
})

const parsed = (text: string | null) => JSON.parse(text ?? "{}") as Readonly<Record<string, unknown>>

const toEvent = (row: OutboxTable.Row): Event => {
  const event = (key: string | null, payload: Readonly<Record<string, unknown>>): Event => ({
    id: row.id,
    kind: row.kind,
    ledger: row.ledger,
    closedAt: row.closedAt,
    key: key ?? "",
    payload
  })
  switch (row.kind) {
    case "ledger_closed":
      return event(String(row.ledger), ofLedger(row))
    case "new_payment":
      return event(row.toid, ofPayment(row))
    case "corridor_update": {
      const ends = { srcAsset: row.srcAsset, dstAsset: row.dstAsset }
      return event(`${row.srcAsset}~${row.dstAsset}`, { ...ends, ...parsed(row.payload) })
    }
    case "pool_update": {
      const pool = { poolId: row.poolId, assetA: row.srcAsset, assetB: row.dstAsset }
      return event(row.poolId, { ...pool, ...parsed(row.payload) })
    }
    default:
      return event(row.key, parsed(row.payload))
  }
}

const make = Effect.gen(function* () {
  const database = yield* Database.Database
  const read = OutboxTable.reads(database.read)
  const inside = OutboxTable.reads(database.write)
  const write = OutboxTable.writes(database.write)
  // Ids rise like sequences do, which is all that the bell asks for.
  const bell = LedgerBell.make(yield* read.head)

  return Outbox.of({
    readAfter: Effect.fn("Outbox.readAfter")((id, limit) =>
      Effect.map(read.after(id, limit), (rows) => rows.map(toEvent))
    ),
    head: read.head,
    oldest: read.oldest,
    transaction: (body) =>
      Effect.flatMap(database.transaction(Effect.zip(body, inside.head)), ([result, head]) =>
        Effect.as(bell.ring(head), result)
      ),
    append: Effect.fn("Outbox.append")(function* (events) {
      const head = yield* inside.head
      if (events.length === 0) return head + 1
      const rows = events.map(({ key, kind, ledger, payload }, index): OutboxTable.Values => [
        ...([head + 1 + index, kind, ledger, null, null] as const),
        ...([key, JSON.stringify(payload)] as const)
      ])
      yield* write.insert(rows)
      return head + 1
    }),
    register: Effect.fn("Outbox.register")((name, beginning) =>
      database.transaction(
        Effect.gen(function* () {
          yield* write.register(name, beginning === "newest" ? yield* inside.head : 0)
          return (yield* inside.position(name)) ?? 0
        })
      )
    ),
    position: Effect.fn("Outbox.position")((name) => Effect.map(read.position(name), Option.fromNullable)),
    advance: Effect.fn("Outbox.advance")((name, id) => Effect.asVoid(write.advance(name, id))),
    forget: Effect.fn("Outbox.forget")((name) => Effect.asVoid(write.forget(name))),
    awaitAfter: bell.awaitAfter,
    ring: bell.ring
  })
})

/** The outbox of a database. Fails with `SqlError` when the file cannot be read. */
export const layer: Layer.Layer<Outbox, SqlError, Database.Database> = Layer.effect(Outbox, make)
