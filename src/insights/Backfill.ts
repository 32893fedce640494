/**
 * A stretch of the network's history into the database, and then the end.
 *
 * A database holds one unbroken chain, so a stretch can begin in an empty one, or go on from its last ledger; what of it is stored already is passed over.
 * So the same stretch, asked for again after a stop, a failure or a kill, goes on where it ended. It uses ingestion's verification and the store's commit:
 * whatever is stored came the same way. What ingestion would wait out (a source that fails, a ledger that does not fit) ends it: the caller is there to see it.
 */
import * as Chunk from "effect/Chunk"
import * as Clock from "effect/Clock"
import * as Data from "effect/Data"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import * as Stream from "effect/Stream"
import { turn } from "../http/EventLoop.js"
import * as Budget from "../lifecycle/Budget.js"
import * as ExitCode from "../lifecycle/ExitCode.js"
import * as Lifecycle from "../lifecycle/Lifecycle.js"
import * as Resource from "../lifecycle/Resource.js"
import * as StopReason from "../lifecycle/StopReason.js"
import * as Task from "../lifecycle/Task.js"
import * as Network from "../stellar/Network.js"
import * as LedgerSource from "../stellar/source/LedgerSource.js"
import * as Database from "./Database.js"
import * as Ingestion from "./Ingestion.js"
import * as LedgerStore from "./LedgerStore.js"

/** The stretch does not fit to what is stored, or is none. Nothing was stored; exit code 2. */
export class BackfillRefused extends Data.TaggedError("BackfillRefused")<{ readonly message: string }> {
  readonly [ExitCode.symbol] = ExitCode.invalid
}

/** A ledger of the stretch could not be had, verified or stored. What came before it is stored; exit code 1. */
export class BackfillFailed extends Data.TaggedError("BackfillFailed")<{ readonly message: string }> {}

/** A stretch of ledgers. */
export interface Stretch {
  /** Its first ledger. */
  readonly from: number
  /** Its last ledger, which is not before the first. */
  readonly to: number
}

/** How far it is. */
export interface Progress extends Stretch {
  /** The last ledger that was stored when it began; null in an empty database. */
  readonly resumedAfter: number | null
  /** The ledger that this run began, or would begin, with. */
  readonly begin: number
  /** The last ledger that is stored now; null while there is none. */
  readonly last: number | null
  /** Ledgers that this run has stored. */
  readonly stored: number
  /** When it began, in milliseconds since 1970. */
  readonly startedAt: number
}

/** What to fill, and where to show how far it is. */
export interface Options extends Stretch {
  /** How long the ledger that is being stored when the drain begins may take before it is cut. */
  readonly limit: Duration.Duration
  /** Written by the task; none until it has seen what is stored. */
  readonly progress: Ref.Ref<Option.Option<Progress>>
}

/** How the task is called in logs and reports. */
export const name = "backfill"

/** Whether nothing is left to do. */
export const isDone = ({ last, to }: Progress): boolean => last !== null && last >= to

/** Where to begin, given what is stored; what is wrong with that is one sentence with what is stored and what is allowed. */
export const beginOf = (
  { from, to }: Stretch,
  stored: Option.Option<LedgerStore.Range>,
  database: string
): number | BackfillRefused => {
  const refuse = (why: string) => new BackfillRefused({ message: why })
  if (to < from) return refuse(`--to ${to} is before --from ${from}`)
  if (Option.isNone(stored)) return from
  const { first, last } = stored.value
  if (from >= first && from <= last + 1) return last + 1
  const why =
    from < first
      ? "ledgers cannot be added before the first"
      : `ledgers ${last + 1} to ${from - 1} would be missing in between`
  return refuse(
    `--from ${from} does not continue what is stored: ${database} holds ledgers ${first} to ${last}, and ${why}; ` +
      `allowed is --from ${first} to ${last + 1}, or set DATABASE_URL to another file`
  )
}

/** Runs the task in the current scope, and returns when it knows where it begins. It asks for a stop when the stretch is stored. */
export const make = Effect.fn("Backfill.make")(
  function* (options: Options) {
    const store = yield* LedgerStore.LedgerStore
    const source = yield* LedgerSource.LedgerSource
    const lifecycle = yield* Lifecycle.Lifecycle
    const { progress, to } = options
    const failed = ({ message }: { readonly message: string }) => new BackfillFailed({ message })

    const stored = yield* store.range
    const begin = beginOf(options, stored, (yield* Database.Database).filename)
    if (typeof begin !== "number") return yield* begin
    yield* store.claim(source.networkPassphrase)
    const networkId = Network.id(source.networkPassphrase)
    const cursor = yield* store.cursor
    const resumedAfter = Option.match(stored, { onNone: () => null, onSome: ({ last }) => last })
    const startedAt = yield* Clock.currentTimeMillis
    const now: Progress = {
      from: options.from,
      to,
      resumedAfter,
      begin,
      last: resumedAfter,
      stored: 0,
      startedAt
    }
    yield* Ref.set(progress, Option.some(now))
    yield* Effect.logInfo(resumedAfter === null ? "Backfill begins" : "Backfill goes on").pipe(
      Effect.annotateLogs({ from: begin, to, source: source.description })
    )

    const previousHash = Option.getOrUndefined(Option.map(cursor, ({ hash }) => hash))
    const pull = yield* Stream.toPull(Stream.rechunk(source.ledgers(begin, previousHash), 1))
    const done = Effect.zipRight(
      lifecycle.awaitPhase("ready"),
      Effect.zipRight(lifecycle.stop(StopReason.requested("the backfill is done")), Effect.never)
    )
    const next = Effect.flatMap(Ref.get(progress), (is) => {
      if (Option.exists(is, isDone)) return done
      return pull.pipe(
        Effect.mapError(
          Option.match({
            onNone: () => new BackfillFailed({ message: `${source.description} gives no more ledgers` }),
            onSome: failed
          })
        ),
        Effect.map(Chunk.unsafeHead),
        // A turn of the event loop for everybody else: signals, and whoever shows the progress.
        Effect.tap(() => turn),
        Effect.flatMap((raw) => Effect.mapError(Ingestion.verify(raw, networkId), failed))
      )
    })
    const unit = ({ details, object }: Ingestion.Verified) =>
      store.commit(details).pipe(
        Effect.zipRight(
          Ref.update(
            progress,
            Option.map((was) => ({ ...was, last: details.facts.sequence, stored: was.stored + 1 }))
          )
        ),
        Effect.catchTags({
          ChainMismatch: ({ message }) => new BackfillFailed({ message: `${object}: ${message}` }),
          SqlError: (error) => failed(Ingestion.ofSql(error))
        })
      )
    yield* Task.run({ name, limit: options.limit, next, unit })
  },
  Effect.annotateLogs({ component: "Backfill" })
)

/**
 * The backfill as `backfill` within `SHUTDOWN_BACKGROUND_TIMEOUT`. Fails with {@link BackfillRefused}, `NetworkMismatch` (both exit code 2) or `SqlError`; what
 * fails later is the reason of the stop.
 */
export const layer = (options: Omit<Options, "limit">) =>
  Layer.unwrapEffect(
    Effect.map(Budget.Budget, ({ stages: { background: limit } }) =>
      Resource.named(name, { limit })(Layer.scopedDiscard(make({ ...options, limit })))
    )
  )
