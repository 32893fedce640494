/**
 * The ledgers that were ingested, in one unbroken chain.
 *
 * A ledger goes in only as the successor of the last one, in one transaction with the cursor; what was seen before goes in a second time
 * without a trace. So whatever is stored is a stretch of the network's history without a gap, however often the process was killed.
 */
import type { SqlError } from "@effect/sql/SqlError"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as ExitCode from "../lifecycle/ExitCode.js"
import type { LedgerDetails } from "../stellar/facts/LedgerDetails.js"
import type { LedgerFacts } from "../stellar/LedgerFacts.js"
import * as Database from "./Database.js"
import * as LedgerBell from "./LedgerBell.js"
import * as Outbox from "./Outbox.js"
import * as FactsWriter from "./tables/FactsWriter.js"
import * as LedgerTable from "./tables/LedgerTable.js"

/** A ledger is not the successor of the last one. Nothing was stored. */
export class ChainMismatch extends Data.TaggedError("ChainMismatch")<{
  /** The ledger that was refused. */
  readonly sequence: number
  /** A whole sentence for the operator. */
  readonly message: string
}> {}

/** The database holds ledgers of another network than the one configured. Ends the start with code 2. */
export class NetworkMismatch extends Data.TaggedError("NetworkMismatch")<{ readonly message: string }> {
  readonly [ExitCode.symbol] = ExitCode.invalid
}

/** The stretch that is stored, both ends included. */
export interface Range {
  readonly first: number
  readonly last: number
}

/** What {@link Shape.commit} came to. */
export type Committed =
  /** It is in, and the cursor stands on it. */
  | "stored"
  /** It was in already, with the same hash; nothing changed. */
  | "already-stored"

/** Ledgers in, ledgers out. Everything here can fail with `SqlError`; reads do not wait for writes. */
export interface Shape {
  /**
   * Makes sure that the database is this network's, given by its passphrase: an empty one becomes so, another network's is refused with
   * {@link NetworkMismatch}. To be called once before the first commit.
   */
  readonly claim: (network: string) => Effect.Effect<void, NetworkMismatch | SqlError>
  /** The last ledger that was committed, none before the first. */
  readonly cursor: Effect.Effect<
    Option.Option<{ readonly sequence: number; readonly hash: string }>,
    SqlError
  >
  /**
   * Stores one ledger with all of its facts and events and moves the cursor, all or nothing. Any ledger will do as the first; then only the successor, whose
   * previous hash is the cursor's hash, or one that is stored already. Everything else fails with {@link ChainMismatch}. Interrupting it rolls back.
   */
  readonly commit: (ledger: LedgerDetails) => Effect.Effect<Committed, ChainMismatch | SqlError>
  /** The first ledger whose facts are stored: a database of the first version has earlier ledgers without. None before the first. */
  readonly factsSince: Effect.Effect<Option.Option<number>, SqlError>
  /** What is stored, none when nothing is. */
  readonly range: Effect.Effect<Option.Option<Range>, SqlError>
  /** The newest ledger. */
  readonly latest: Effect.Effect<Option.Option<LedgerFacts>, SqlError>
  /** The ledger of that sequence. */
  readonly bySequence: (sequence: number) => Effect.Effect<Option.Option<LedgerFacts>, SqlError>
  /** The first ledger that is stored with a higher sequence. */
  readonly firstAfter: (sequence: number) => Effect.Effect<Option.Option<LedgerFacts>, SqlError>
  /** At most `limit` ledgers with a lower sequence than `before`, newest first; the newest of all without it. */
  readonly page: (options: {
    readonly before: Option.Option<number>
    readonly limit: number
  }) => Effect.Effect<ReadonlyArray<LedgerFacts>, SqlError>
  /**
   * Ends when a ledger later than `sequence` has been committed by this process, was {@link heard} of, or was there when it started; at once when that is so
   * already. Never fails; interrupting it is free.
   */
  readonly awaitAfter: (sequence: number) => Effect.Effect<void>
  /** Wakes those who wait for this ledger, which another process has committed. Never fails. */
  readonly heard: (sequence: number) => Effect.Effect<void>
}

/** The store of the service. */
export class LedgerStore extends Context.Tag("stellar-insights/insights/LedgerStore")<LedgerStore, Shape>() {}

/** Higher than any ledger: sequences are unsigned 32-bit integers. */
const pastAll = 2 ** 32

const make = Effect.gen(function* () {
  const database = yield* Database.Database
  const read = LedgerTable.reads(database.read)
  const inside = LedgerTable.reads(database.write)
  const write = LedgerTable.writes(database.write)
  const facts = FactsWriter.make(database.write)
  const outbox = yield* Outbox.Outbox
  const stored = yield* read.range
  const bell = LedgerBell.make(stored.last ?? undefined)
  const head = (rows: ReadonlyArray<LedgerFacts>) => Option.fromNullable(rows[0])

  /** Why the cursor did not move: seen before, or no successor. */
  const explain = Effect.fnUntraced(function* (ledger: LedgerFacts) {
    const { sequence } = ledger
    const refuse = (why: string) => new ChainMismatch({ sequence, message: `ledger ${sequence} ${why}` })
    const cursor = yield* inside.cursor
    if (cursor === undefined || cursor.sequence === null) {
      return yield* Effect.dieMessage("commit needs a database that was claimed for a network")
    }
    const hash = yield* inside.hashOf(sequence)
    if (hash === ledger.hash) return "already-stored" as const
    if (hash !== undefined)
      return yield* refuse(`has the hash ${ledger.hash}, but is stored with the hash ${hash}`)
    if (sequence !== cursor.sequence + 1) {
      return yield* refuse(
        `does not follow the last one, ${cursor.sequence}: expected ${cursor.sequence + 1}`
      )
    }
    return yield* refuse(
      `names ${ledger.previousHash} as the ledger before it, but ${cursor.sequence} has the hash ${cursor.hash}`
    )
  })

  return LedgerStore.of({
    claim: Effect.fn("LedgerStore.claim")(function* (network) {
      // Mostly it was claimed long ago, and whoever begins to ingest need not wait for others who write.
      const known = yield* read.cursor
      if (known?.network === network) return
      const cursor = yield* database.transaction(Effect.zipRight(write.claim(network), inside.cursor))
      if (cursor?.network !== network) {
        return yield* new NetworkMismatch({
          message:
            `the database ${database.filename} holds ledgers of the network ${JSON.stringify(cursor?.network)}, but the ledger ` +
            `source gives those of ${JSON.stringify(network)}: set DATABASE_URL to another file, or STELLAR_NETWORK to that network`
        })
      }
    }),
    cursor: Effect.map(read.cursor, (cursor) =>
      cursor === undefined || cursor.sequence === null || cursor.hash === null
        ? Option.none()
        : Option.some({ sequence: cursor.sequence, hash: cursor.hash })
    ),
    commit: Effect.fn("LedgerStore.commit")(function* (details) {
      const ledger = details.facts
      const committed = yield* database.transaction(
        Effect.gen(function* () {
          const moved = yield* write.advance(ledger)
          if (moved.length === 0) return yield* explain(ledger)
          yield* write.insert(ledger)
          return { lastEvent: yield* facts.add(details) }
        })
      )
      if (committed === "already-stored") return committed
      facts.committed()
      yield* bell.ring(ledger.sequence)
      yield* outbox.ring(committed.lastEvent)
      return "stored"
    }),
    factsSince: Effect.map(read.cursor, (cursor) => Option.fromNullable(cursor?.factsSince)),
    range: Effect.map(read.range, ({ first, last }) =>
      first === null || last === null ? Option.none() : Option.some({ first, last })
    ),
    latest: Effect.map(read.newestBelow(pastAll, 1), head),
    bySequence: Effect.fn("LedgerStore.bySequence")((sequence) =>
      Effect.map(read.bySequence(sequence), head)
    ),
    firstAfter: Effect.fn("LedgerStore.firstAfter")((sequence) =>
      Effect.map(read.firstAfter(sequence), head)
    ),
    page: Effect.fn("LedgerStore.page")(({ before, limit }) =>
      read.newestBelow(
        Option.getOrElse(before, () => pastAll),
        limit
      )
    ),
    awaitAfter: bell.awaitAfter,
    heard: bell.ring
  })
})

/** The store over a database, and the outbox that it fills. Fails with `SqlError` when the file cannot be read. */
export const layer: Layer.Layer<LedgerStore | Outbox.Outbox, SqlError, Database.Database> =
  Layer.provideMerge(Layer.effect(LedgerStore, make), Outbox.layer)
