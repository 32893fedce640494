/**
 * The task that removes what is older than it need be: events of the outbox, and payments, failed attempts and fee bumps one by one. What was counted of them
 * by the hour stays, and so do ledgers, account merges, pools and names.
 *
 * It works in transactions of a few milliseconds with pauses between them, so ingestion never waits for long. "Old" is measured from the last ledger's close time.
 * Events go only when every registered consumer has passed them, and payments only after the events of their ledger: a consumer that stands still keeps both.
 *
 * | key | default | allowed |
 * |---|---|---|
 * | `RETENTION_OUTBOX` | 7 days | 0 (for ever), or 1 hour to 3650 days |
 * | `RETENTION_PAYMENTS` | 90 days | 0 (for ever), or 1 hour to 3650 days, and not less than `RETENTION_OUTBOX`. Scores of anchors look back 30 days |
 */
import * as Config from "effect/Config"
import * as ConfigError from "effect/ConfigError"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Budget from "../../lifecycle/Budget.js"
import * as DurationConfig from "../../lifecycle/DurationConfig.js"
import * as SupervisedTask from "../../lifecycle/SupervisedTask.js"
import * as Setting from "../../stellar/source/Setting.js"
import * as Database from "../Database.js"
import * as RetentionTable from "../tables/RetentionTable.js"

/** How long rows are kept; nothing is for ever. */
export interface Retention {
  /** Events. */
  readonly outbox: Duration.Duration
  /** Payments, failed attempts and fee bumps. */
  readonly payments: Duration.Duration
}

/** How the task is called in logs, health and reports. */
export const name = "retention"

/** What is kept unless something else is said. */
export const defaults: Retention = { outbox: Duration.days(7), payments: Duration.days(90) }

const bounds: DurationConfig.Bounds = { min: Duration.hours(1), max: Duration.days(3650) }

const age = (key: string, otherwise: Duration.Duration) =>
  Setting.parsed(
    key,
    'a time from 1 hour to 3650 days, such as "90 days" or 86400 (seconds), or 0 to keep everything',
    (text) => (text === "0" ? Duration.zero : Either.getOrUndefined(DurationConfig.parse(text, bounds)))
  ).pipe(Config.withDefault(otherwise))

const isForEver = (age: Duration.Duration): boolean => Duration.toMillis(age) === 0

/** The keys above. Ends in a `ConfigError` that names a key, its value and what is allowed. */
export const config: Config.Config<Retention> = Config.all({
  outbox: age("RETENTION_OUTBOX", defaults.outbox),
  payments: age("RETENTION_PAYMENTS", defaults.payments)
}).pipe(
  Config.mapOrFail((retention) => {
    const { outbox, payments } = retention
    const holds =
      isForEver(payments) || (!isForEver(outbox) && Duration.greaterThanOrEqualTo(payments, outbox))
    const shown = (age: Duration.Duration) => (isForEver(age) ? "0 (for ever)" : Duration.format(age))
    return holds
      ? Either.right(retention)
      : Either.left(
          ConfigError.InvalidData(
            ["RETENTION_PAYMENTS"],
            `RETENTION_PAYMENTS, ${shown(payments)}, must not be less than RETENTION_OUTBOX, ${shown(outbox)}: events tell of payments`
          )
        )
  })
)

/** How the task works. */
export interface Options extends Retention {
  /** How long a unit may still take when the service stops. */
  readonly limit: Duration.Duration
  /** Rows in a transaction. Default 500, which take a few milliseconds. */
  readonly batch?: number
  /** Between two transactions while there is more to remove. Default 100 ms. */
  readonly pause?: Duration.Duration
  /** From when nothing was left to remove until it looks again. Default 1 minute. */
  readonly interval?: Duration.Duration
}

const seconds = (age: Duration.Duration): number | undefined =>
  isForEver(age) ? undefined : Duration.toSeconds(age)

/** One transaction after the other; gives whether there is more to remove. */
export const makeUnit = (options: Options) =>
  Effect.gen(function* () {
    const { transaction, write } = yield* Database.Database
    const table = RetentionTable.make(write)
    const ages = { outbox: seconds(options.outbox), payments: seconds(options.payments) }
    const batch = options.batch ?? 500
    let at = 0
    return Effect.gen(function* () {
      const from = RetentionTable.tables[at]!
      const removed = yield* transaction(
        Effect.flatMap(table.bounds(ages), (bounds) => table.remove(from, bounds, batch))
      )
      if (removed > 0) {
        yield* Effect.logDebug("Old rows removed").pipe(Effect.annotateLogs({ table: from, rows: removed }))
      }
      if (removed < batch) at = (at + 1) % RetentionTable.tables.length
      return at > 0 || removed === batch
    })
  })

/** The task with given options: for tests and tools. */
export const layer = (options: Options) =>
  Layer.scopedDiscard(
    Effect.gen(function* () {
      const unit = yield* makeUnit(options)
      let more = true
      const wait = Effect.suspend(() =>
        Effect.sleep(
          more ? (options.pause ?? Duration.millis(100)) : (options.interval ?? Duration.minutes(1))
        )
      )
      yield* SupervisedTask.run({
        name,
        limit: options.limit,
        next: wait,
        unit: () =>
          Effect.map(unit, (left) => {
            more = left
          })
      })
    }).pipe(Effect.annotateLogs({ component: "Retention" }))
  )

/** The task of the environment; a unit may take `SHUTDOWN_BACKGROUND_TIMEOUT` when the service stops. Fails with `ConfigError`. */
export const layerConfig = Layer.unwrapEffect(
  Effect.gen(function* () {
    const { stages } = yield* Budget.Budget
    return layer({ ...(yield* config), limit: stages.background })
  })
)
