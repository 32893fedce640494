/** What the tasks that take snapshots have in common: a unit writes, in short transactions, what changed since the last one, and then says so in one event. */
import type { SqlError } from "@effect/sql/SqlError"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Cache from "../../cache/Cache.js"
import * as Budget from "../../lifecycle/Budget.js"
import * as SupervisedTask from "../../lifecycle/SupervisedTask.js"
import type { LedgerFacts } from "../../stellar/LedgerFacts.js"
import * as Database from "../Database.js"
import * as Freshness from "../Freshness.js"
import * as LedgerStore from "../LedgerStore.js"
import * as Outbox from "../Outbox.js"
import * as Intervals from "./Intervals.js"
import { turn } from "../../http/EventLoop.js"
import * as Watermark from "./Watermark.js"

/** What one kind of snapshot is. */
export interface Kind {
  /** How the task is called in logs, health, reports, events and `task_watermark`. */
  readonly name: string
  /** Numbers of what was touched in hours from `hour` on, more than `after` and ascending, at most `limit` of them. */
  readonly touched: (
    database: Database.Shape,
    hour: number,
    after: number,
    limit: number
  ) => Effect.Effect<ReadonlyArray<number>, SqlError>
  /** Writes the snapshots of those, and gives how many there were; run in a transaction. A row that is there already is replaced. */
  readonly write: (
    database: Database.Shape,
    numbers: ReadonlyArray<number>,
    at: { readonly bucket: number; readonly ledger: number; readonly after: number }
  ) => Effect.Effect<number, SqlError>
}

/** How a snapshot task runs. */
export interface Options {
  /** From one snapshot to the next, and the length of the buckets that they are kept by. */
  readonly interval: Duration.Duration
  /** How long a unit may still take when the service stops. */
  readonly limit: Duration.Duration
  /** From when it is run to the first snapshot. Default none. */
  readonly delay?: Duration.Duration
}

/** Snapshots in a transaction. */
const perTransaction = 100

const hourOf = (seconds: number): number => seconds - (seconds % 3600)

/** One round, up to the last ledger; nothing where there is none, or no later one than the last time. */
export const makeUnit = (kind: Kind, bucketSeconds: number) =>
  Effect.gen(function* () {
    const database = yield* Database.Database
    const store = yield* LedgerStore.LedgerStore
    const outbox = yield* Outbox.Outbox

    const bucketOf = (seconds: number) => seconds - (seconds % bucketSeconds)
    /** What the rows that are read in a transaction are as of: a later ledger may have come since the round began. */
    const newest = Effect.map(
      database.write<{
        sequence: number
        closedAt: number
      }>`SELECT sequence, closed_at AS "closedAt" FROM ledger
        WHERE sequence = (SELECT sequence FROM ingestion_cursor WHERE id = 1)`,
      ([row]) => ({ bucket: bucketOf(row!.closedAt), ledger: row!.sequence })
    )

    const round = Effect.fnUntraced(function* (latest: LedgerFacts, after: number, since: number) {
      const { closeTime, sequence: ledger } = latest
      const bucket = bucketOf(closeTime)
      let count = 0
      for (let last = -1; ;) {
        const numbers = yield* kind.touched(database, hourOf(since), last, perTransaction)
        if (numbers.length > 0) {
          count += yield* database.transaction(
            Effect.flatMap(newest, (at) => kind.write(database, numbers, { ...at, after }))
          )
          yield* turn
        }
        if (numbers.length < perTransaction) break
        last = numbers.at(-1)!
      }
      yield* outbox.transaction(
        Effect.zipRight(
          count === 0
            ? Effect.void
            : outbox.append([
                { kind: "snapshot_update", key: kind.name, ledger, payload: { bucket, snapshots: count } }
              ]),
          Watermark.set(database.write, kind.name, ledger)
        )
      )
    })

    return Effect.gen(function* () {
      const latest = yield* store.latest
      if (Option.isNone(latest)) return
      const after = Option.getOrElse(yield* Watermark.get(database.read, kind.name), () => 0)
      if (latest.value.sequence <= after) return
      const from = yield* store.firstAfter(after)
      // The table of hours has the ledger's own hour, which may have begun before it.
      yield* round(
        latest.value,
        after,
        Option.match(from, { onNone: () => 0, onSome: (one) => one.closeTime })
      )
    })
  })

/** The task with given options: for tests and tools. */
export const layer = (kind: Kind, options: Options) =>
  Layer.scopedDiscard(
    Effect.gen(function* () {
      const cache = yield* Cache.Cache
      const snapshot = yield* makeUnit(kind, Math.max(1, Math.round(Duration.toSeconds(options.interval))))
      const unit = Effect.zipLeft(snapshot, cache.invalidate(Freshness.snapshots))
      const lag = yield* Watermark.lag(kind.name)
      yield* SupervisedTask.periodic({ name: kind.name, ...options, unit, lag })
    }).pipe(Effect.annotateLogs({ component: "Snapshots", task: kind.name }))
  )

/** The task of the environment; a unit may take `SHUTDOWN_BACKGROUND_TIMEOUT` when the service stops. Fails with `ConfigError`. */
export const layerConfig = (kind: Kind, interval: (intervals: Intervals.Intervals) => Duration.Duration) =>
  Layer.unwrapEffect(
    Effect.gen(function* () {
      const { stages } = yield* Budget.Budget
      const { delay } = Intervals
      return layer(kind, { interval: interval(yield* Intervals.config), limit: stages.background, delay })
    })
  )
