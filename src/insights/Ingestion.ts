/**
 * Ledgers from the source into the store, one after the other, as a supervised task.
 *
 * Finding, verifying and waiting may be interrupted at any time; storing one ledger is the unit of work. What cannot be passed (a ledger that
 * does not verify, one that does not follow, a source that fails, a full disk) halts ingestion visibly: readiness and health say what and
 * why, the log says it once, and the rest of the service goes on. It tries the same ledger again with growing pauses, and never another one.
 *
 * | key | default | allowed |
 * |---|---|---|
 * | `STELLAR_START_LEDGER` | where the source begins: the tip of a lake, the first ledger of a simulation | 2 to 4294967295; for an empty database |
 */
import * as Chunk from "effect/Chunk"
import * as Clock from "effect/Clock"
import * as Config from "effect/Config"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as ScopedRef from "effect/ScopedRef"
import * as Stream from "effect/Stream"
import { turn } from "../http/EventLoop.js"
import * as HealthDetails from "../http/HealthDetails.js"
import * as Budget from "../lifecycle/Budget.js"
import * as Lifecycle from "../lifecycle/Lifecycle.js"
import * as Task from "../lifecycle/Task.js"
import * as TaskBoard from "../lifecycle/TaskBoard.js"
import * as TaskStatus from "../lifecycle/TaskStatus.js"
import * as LedgerDetails from "../stellar/facts/LedgerDetails.js"
import * as Network from "../stellar/Network.js"
import * as LedgerSource from "../stellar/source/LedgerSource.js"
import * as Source from "../stellar/source/Source.js"
import * as IngestionMetrics from "./IngestionMetrics.js"
import * as IngestionStatus from "./IngestionStatus.js"
import * as LedgerStore from "./LedgerStore.js"
import * as SqlFailure from "./SqlFailure.js"

/** How to ingest. */
export interface Options {
  /** The ledger to begin with when nothing is stored; none is the source's own beginning. */
  readonly startLedger: Option.Option<number>
  /** How long the unit that is under way when the drain begins may take before it is cut. */
  readonly limit: Duration.Duration
  /**
   * What is built on it waits until the first ledger is begun, or something is in its way, but no longer than this. While the service starts it is the other
   * way round: the first ledger waits until the service has been ready for so long, since the port and the first answers would wait for it otherwise. Default
   * none, and it begins at once.
   */
  readonly headStart?: Duration.Duration
}

/** `STELLAR_START_LEDGER`. */
export const startLedger = Config.map(Source.SourceConfig, (config) => config.startLedger)

/** How the task is called in logs and reports. */
export const name = "ledger-ingestion"

/** A ledger that has been verified, and where it came from. */
export interface Verified {
  /** All of its facts. */
  readonly details: LedgerDetails.LedgerDetails
  /** Where its bytes came from: a path, a URL. */
  readonly object: string
}

/** What the first ledger has for itself. */
const headStart = Duration.millis(100)

/** The pause after so many attempts: 1 s at first, doubled each time, a minute at most. */
const pause = (attempts: number): Duration.Duration => Duration.millis(Math.min(60_000, 500 * 2 ** attempts))

/** What an error of the database means for whoever stores ledgers. */
export const ofSql = (error: unknown): IngestionStatus.Trouble => ({
  reason: SqlFailure.isDisk(error) ? "disk" : SqlFailure.isBusy(error) ? "database-locked" : "database",
  object: null,
  message: `the database failed: ${SqlFailure.message(error)} (${SqlFailure.code(error) ?? "no code"})`
})

/** One ledger of a network out of raw bytes, or why not, with the name of the object. */
export const verify = (
  raw: LedgerSource.RawLedger,
  networkId: Uint8Array
): Effect.Effect<Verified, IngestionStatus.Trouble> =>
  LedgerDetails.fromBytes(raw.bytes, networkId).pipe(
    Effect.mapError(({ message, reason }) => ({ reason, message: `${raw.object}: ${message}` })),
    Effect.filterOrFail(
      ({ facts }) => facts.sequence === raw.sequence,
      ({ facts }) => ({
        reason: "wrong-sequence",
        message: `${raw.object}: holds ledger ${facts.sequence}, expected ${raw.sequence}`
      })
    ),
    Effect.mapBoth({
      onSuccess: (details) => ({ details, object: raw.object }),
      onFailure: (why) => ({ ...why, object: raw.object })
    })
  )

/** Ledgers from where the store ends. Fails when that is not where it was told to begin. */
const open = (
  store: LedgerStore.Shape,
  source: LedgerSource.Shape,
  wanted: Option.Option<number>
): Effect.Effect<Stream.Stream<LedgerSource.RawLedger, IngestionStatus.Trouble>, IngestionStatus.Trouble> =>
  Effect.gen(function* () {
    const cursor = yield* Effect.mapError(store.cursor, ofSql)
    const ofSource = ({ message, object, reason }: LedgerSource.LedgerSourceError) => ({
      message,
      object,
      reason
    })
    const begin = Option.isSome(cursor)
      ? cursor.value.sequence + 1
      : yield* Option.match(wanted, {
          onSome: Effect.succeed,
          onNone: () => Effect.mapError(source.firstSequence, ofSource)
        })
    if (Option.isSome(wanted) && begin < wanted.value) {
      return yield* Effect.fail({
        reason: "gap",
        object: `STELLAR_START_LEDGER=${wanted.value}`,
        message:
          `STELLAR_START_LEDGER=${wanted.value} would leave a gap after ledger ${begin - 1}, the last one in the database: ` +
          "unset it, or set DATABASE_URL to another file"
      })
    }
    yield* Effect.logInfo("Ingesting ledgers").pipe(
      Effect.annotateLogs({ from: begin, source: source.description })
    )
    const previousHash = Option.map(cursor, ({ hash }) => hash)
    return Stream.mapError(source.ledgers(begin, Option.getOrUndefined(previousHash)), ofSource)
  })

/** Runs the task in the current scope, and returns its status. Fails when the database is another network's. */
export const make = Effect.fn("Ingestion.make")(
  function* (options: Options) {
    const store = yield* LedgerStore.LedgerStore
    const source = yield* LedgerSource.LedgerSource
    const lifecycle = yield* Lifecycle.Lifecycle
    const health = yield* HealthDetails.HealthDetails
    const status = IngestionStatus.make({ source: source.description, network: source.networkPassphrase })
    yield* Effect.acquireRelease(IngestionMetrics.idle, () => IngestionMetrics.idle)
    yield* store.claim(source.networkPassphrase)
    const networkId = Network.id(source.networkPassphrase)
    const lag = Effect.zipWith(status.get, Clock.currentTimeMillis, ({ lastCloseTime }, now) => ({
      // Before the first ledger of this process nobody knows how far the network is.
      amount: lastCloseTime === null ? 0 : Math.max(0, now / 1000 - lastCloseTime),
      unit: "seconds"
    }))
    const tracker = TaskStatus.make({ name, limit: options.limit, interval: Option.none(), lag })
    yield* Effect.flatMap(TaskBoard.TaskBoard, (board) => board.add(tracker.status))

    type Pull = Effect.Effect<Chunk.Chunk<LedgerSource.RawLedger>, Option.Option<IngestionStatus.Trouble>>
    const closed: Pull | undefined = undefined
    const stream = yield* ScopedRef.make<Pull | undefined>(() => closed)
    const opened = Effect.flatMap(ScopedRef.get(stream), (pull) =>
      pull === undefined
        ? Effect.flatMap(open(store, source, options.startLedger), (ledgers) =>
            Effect.zipRight(
              ScopedRef.set(stream, Stream.toPull(Stream.rechunk(ledgers, 1))),
              Effect.map(ScopedRef.get(stream), (fresh) => fresh!)
            )
          )
        : Effect.succeed(pull)
    )
    const ended: IngestionStatus.Trouble = {
      reason: "ended",
      object: source.description,
      message: `${source.description} gives no more ledgers`
    }
    const pull = Effect.flatMap(opened, Effect.mapError(Option.getOrElse(() => ended)))

    const isStart = (yield* lifecycle.phase) === "starting"
    const begun = yield* Deferred.make<void>()
    /** Says so, and begins anew from the store the next time. */
    const halt = Effect.fnUntraced(function* (trouble: IngestionStatus.Trouble) {
      yield* Deferred.succeed(begun, void 0)
      yield* ScopedRef.set(stream, Effect.succeed(closed))
      const isNews = yield* status.halted(trouble)
      yield* IngestionMetrics.halted
      const { message: why, object, reason } = trouble
      yield* (isNews ? Effect.logError : Effect.logDebug)("Ingestion is halted").pipe(
        Effect.annotateLogs({ event_type: "ingestion_halted", reason, object, why })
      )
    })
    /** Says that what was in the way is passed. */
    const goesOn = (sequence: number) =>
      Effect.flatMap(status.get, ({ halt }) =>
        halt === null
          ? Effect.void
          : Effect.logInfo("Ingestion goes on").pipe(
              Effect.annotateLogs({
                event_type: "ingestion_resumed",
                sequence,
                reason: halt.reason,
                attempts: halt.attempts
              })
            )
      )
    const { headStart = Duration.zero } = options
    const settled = yield* Effect.cached(
      Effect.zipRight(lifecycle.awaitPhase("ready"), Effect.sleep(headStart))
    )
    const started = isStart && Duration.greaterThan(headStart, Duration.zero) ? settled : Effect.void
    const rest = Effect.flatMap(status.get, ({ halt }) =>
      halt === null ? started : Effect.sleep(pause(halt.attempts))
    )

    const next: Effect.Effect<Verified> = Effect.suspend(() =>
      rest.pipe(
        Effect.zipRight(status.waiting(pull)),
        Effect.map(Chunk.unsafeHead),
        // Turns of the event loop for everybody else: with ledgers at hand, fibers (and timers, too) would go on for many without one.
        Effect.tap(() => turn),
        Effect.flatMap((raw) => verify(raw, networkId)),
        Effect.tap(() => turn),
        Effect.catchAll((trouble) =>
          tracker
            .unit(Effect.fail(trouble.message))
            .pipe(Effect.ignore, Effect.zipRight(halt(trouble)), Effect.zipRight(next))
        )
      )
    )
    const unit = ({ details, object }: Verified) =>
      Effect.zipRight(Deferred.succeed(begun, void 0), tracker.unit(store.commit(details))).pipe(
        Effect.tap((outcome) => IngestionMetrics.passed(details, outcome)),
        Effect.zipRight(goesOn(details.facts.sequence)),
        Effect.zipRight(status.committed(details.facts)),
        Effect.zipRight(
          Effect.logDebug("Ledger committed").pipe(Effect.annotateLogs({ sequence: details.facts.sequence }))
        ),
        Effect.catchTags({
          ChainMismatch: ({ message }) => halt({ reason: "chain", object, message: `${object}: ${message}` }),
          SqlError: (error) => halt(ofSql(error))
        })
      )

    yield* lifecycle.readiness.add(
      name,
      Effect.map(status.get, ({ halt }) =>
        halt === null ? Option.none() : Option.some(`ingestion is halted: ${halt.message}`)
      )
    )
    yield* health.add(
      "ingestion",
      Effect.map(status.get, ({ halt, ...now }) => ({ ...now, halt: halt && { ...halt } }))
    )
    yield* Task.run({ name, limit: options.limit, next, unit })
    if (!isStart) yield* Effect.raceFirst(Deferred.await(begun), Effect.sleep(headStart))
    return IngestionStatus.IngestionStatus.of(status)
  },
  Effect.annotateLogs({ component: "Ingestion" })
)

/** Ingestion with given options, without a name or a limit of its release: for tests and tools. */
export const layer = (options: Options) => Layer.scoped(IngestionStatus.IngestionStatus, make(options))

/**
 * Ingestion of the environment; the ledger that is being stored when the service stops may take `SHUTDOWN_BACKGROUND_TIMEOUT`. Fails with `ConfigError`, `NetworkMismatch` (both exit code
 * 2) or `SqlError`.
 */
export const layerConfig = Layer.unwrapEffect(
  Effect.gen(function* () {
    const { stages } = yield* Budget.Budget
    const options = { startLedger: yield* startLedger, limit: stages.background, headStart }
    return layer(options)
  })
)
