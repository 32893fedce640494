/**
 * What became of the run before this one.
 *
 * {@link make} gives the two ends of one record: a layer that is acquired first, reads what the last run left and says from then on that this one runs, and
 * what is to be done with the report when everything has been released.
 *
 * @module
 */
import * as FileSystem from "@effect/platform/FileSystem"
import type { PlatformError } from "@effect/platform/Error"
import * as Path from "@effect/platform/Path"
import * as Config from "effect/Config"
import * as ConfigError from "effect/ConfigError"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Bounded from "./Bounded.js"
import * as LastRunLog from "./LastRunLog.js"
import * as OwnProcess from "./OwnProcess.js"
import * as RunRecord from "./RunRecord.js"
import * as RunRecordFile from "./RunRecordFile.js"
import * as RunTotals from "./RunTotals.js"
import type { ShutdownReport } from "./ShutdownReport.js"

/** How the last run ended. */
export type Ending =
  /** There was none, or nothing could be kept of it. */
  | { readonly _tag: "None" }
  /** It stopped, well or not: the report tells. */
  | { readonly _tag: "Stopped"; readonly startedAt: number; readonly report: ShutdownReport }
  /** It ended without a word, between `lastSeenAt` and `RunRecord.refreshMillis` later. Times are milliseconds since the epoch. */
  | { readonly _tag: "Crashed"; readonly startedAt: number; readonly lastSeenAt: number }
  /** Its own watchdog ended it, because its stop outlasted the deadline. */
  | { readonly _tag: "Killed"; readonly startedAt: Option.Option<number>; readonly killed: RunRecord.Kill }
  /** What it left is no record; it has been moved to `movedTo`. */
  | { readonly _tag: "Unreadable"; readonly reason: string; readonly movedTo: string }

/** The service. */
export interface Shape {
  /** How the run before this one ended. */
  readonly ending: Ending
  /** What all runs before this one came to. */
  readonly totals: RunTotals.RunTotals
  /** Where this run's record is kept; none when it cannot be written. */
  readonly file: Option.Option<string>
}

/** What became of the run before this one. */
export class LastRun extends Context.Tag("stellar-insights/lifecycle/LastRun")<LastRun, Shape>() {}

/** Where the record is kept unless `SHUTDOWN_REPORT_FILE` says otherwise: `<folder>/shutdown-<hostname>-<instance>.json`. */
export interface Options {
  /** The folder, which is made when it is not there. */
  readonly folder: Config.Config<string>
  /** What tells instances on one host apart: the port, usually. */
  readonly instance: Config.Config<string>
}

/** The two ends of one run's record. */
export interface Keeper {
  /**
   * Reads what the last run left, logs it, and keeps the record of this one up to date until it is released. Acquire it first. Fails only when a key is wrong:
   * a file that cannot be read or written is a warning.
   */
  readonly layer: Layer.Layer<
    LastRun,
    ConfigError.ConfigError,
    FileSystem.FileSystem | Path.Path | OwnProcess.OwnProcess
  >
  /** Writes the report in the place of the record: for `Launch.Options.onReport`. Never fails, and gives up after half a second. Nothing when the layer was never acquired. */
  readonly onReport: (report: ShutdownReport) => Effect.Effect<void>
  /** Where the record is, once the layer has been acquired: for a watchdog, which writes there without Effect. */
  readonly unsafeFile: () => string | undefined
}

/** `SHUTDOWN_REPORT_FILE`: the path of this instance's own record; none when unset. */
export const reportFile: Config.Config<Option.Option<string>> = Config.string("SHUTDOWN_REPORT_FILE").pipe(
  Config.mapOrFail((file) =>
    file.trim() === ""
      ? Either.left(ConfigError.InvalidData([], `"${file}" is no file; give a path, or leave the key out`))
      : Either.right(file)
  ),
  Config.option
)

/** How long the first record may take to be written, in milliseconds: a disk that hangs does not keep the service from starting. */
const claimMillis = 2000

/** How long the report may take to be written, in milliseconds: the process is about to end, and a disk may hang. */
const lastWriteMillis = 500

/** A record that this process keeps. */
interface Kept {
  readonly claimed: RunRecordFile.Claimed
  readonly record: RunRecord.Running
  /** One write at a time, and none after the last. */
  readonly turn: Effect.Semaphore
  isOver: boolean
}

/** A keeper for one run. */
export const make = (options: Options): Keeper => {
  let kept: Kept | undefined

  const open = Effect.gen(function* () {
    const self = yield* OwnProcess.OwnProcess
    const instance = yield* options.instance
    const wanted = Option.getOrUndefined(yield* reportFile)
    const file = wanted ?? RunRecord.defaultFile(yield* options.folder, self.hostname, instance)
    const now = yield* Bounded.now
    const record: RunRecord.Running = {
      version: 1,
      state: "running",
      instance,
      pid: self.pid,
      hostname: self.hostname,
      startedAt: now,
      seenAt: now,
      totals: RunTotals.zero
    }
    // Whole or not at all, also when the start is called off: a record that nobody remembers would look like a crash.
    const claiming = RunRecordFile.claim(file, (found) => ({ ...record, totals: totalsOf(found) })).pipe(
      Effect.tap((claimed) =>
        Effect.sync(() => {
          if (Option.isNone(claimed)) return
          const totals = totalsOf(claimed.value.found)
          const turn = Effect.unsafeMakeSemaphore(1)
          kept = { claimed: claimed.value, record: { ...record, totals }, turn, isOver: false }
        })
      ),
      Effect.uninterruptible
    )
    const outcome = yield* Bounded.run(claiming, Effect.sleep(claimMillis))
    yield* Effect.forkScoped(refresh(() => kept))
    const claimed = Option.flatMap(outcome, (exit) => (Exit.isSuccess(exit) ? exit.value : Option.none()))
    if (Option.isNone(claimed)) {
      yield* LastRunLog.unwritable(file, whyNot(outcome))
      // Whoever cannot keep a record is still a service.
      return { ending: { _tag: "None" }, totals: RunTotals.zero, file: Option.none() } satisfies Shape
    }
    const { found, passedOver } = claimed.value
    const totals = totalsOf(found)
    const ending = endingOf(found)
    if (passedOver.length > 0) yield* LastRunLog.passedOver(passedOver, claimed.value.file)
    yield* LastRunLog.ending(ending)
    return { ending, totals, file: Option.some(claimed.value.file) } satisfies Shape
  })

  return {
    layer: Layer.scoped(LastRun, open),
    onReport: (report) => Effect.suspend(() => (kept === undefined ? Effect.void : finish(kept, report))),
    unsafeFile: () => kept?.claimed.file
  }
}

const write = ({ claimed, turn }: Kept, record: Effect.Effect<Option.Option<RunRecord.RunRecord>>) =>
  Effect.flatMap(record, Option.match({ onNone: () => Effect.void, onSome: claimed.write })).pipe(
    turn.withPermits(1),
    Effect.uninterruptible
  )

/** Says again and again that the run goes on, as soon as there is a record. What fails is told once, and tried again the next time. */
const refresh = (current: () => Kept | undefined) => {
  let hasFailed = false
  const beat = (kept: Kept) => {
    const seen = Effect.map(Bounded.now, (seenAt) =>
      kept.isOver ? Option.none() : Option.some({ ...kept.record, seenAt })
    )
    return write(kept, seen).pipe(
      // A write under way is let finish, but not waited for: the disk may hang, and the last write takes its turn.
      Effect.disconnect,
      Effect.matchEffect({
        onFailure: (error: PlatformError) => {
          const first = !hasFailed
          hasFailed = true
          return first ? LastRunLog.unwritable(kept.claimed.file, error) : Effect.void
        },
        onSuccess: () => Effect.sync(() => void (hasFailed = false))
      })
    )
  }
  return Effect.suspend(() => {
    const kept = current()
    return kept === undefined ? Effect.void : beat(kept)
  }).pipe(Effect.schedule(Schedule.spaced(RunRecord.refreshMillis)))
}

const finish = (kept: Kept, report: ShutdownReport) =>
  Effect.gen(function* () {
    const stopped = Effect.map(Bounded.now, (seenAt): Option.Option<RunRecord.Stopped> => {
      kept.isOver = true
      return Option.some({ ...kept.record, seenAt, state: "stopped", report })
    })
    const outcome = yield* Bounded.run(write(kept, stopped), Effect.sleep(lastWriteMillis))
    if (Option.isNone(outcome)) {
      yield* LastRunLog.unwritable(kept.claimed.file, `not written within ${lastWriteMillis} ms`)
    } else if (Exit.isFailure(outcome.value)) {
      yield* LastRunLog.unwritable(kept.claimed.file, outcome.value.cause)
    }
  })

const whyNot = (outcome: Option.Option<Exit.Exit<unknown, PlatformError>>): unknown =>
  Option.match(outcome, {
    onNone: () => `not written within ${claimMillis} ms`,
    onSome: (exit) =>
      Exit.isFailure(exit) ? exit.cause : "it and the places beside it are taken by living processes"
  })

const endingOf = (found: RunRecordFile.Found): Ending => {
  if (found._tag === "Nothing") return { _tag: "None" }
  if (found._tag === "Unreadable") return found
  const { record } = found
  switch (record.state) {
    case "running":
      return { _tag: "Crashed", startedAt: record.startedAt, lastSeenAt: record.seenAt }
    case "stopped":
      return { _tag: "Stopped", startedAt: record.startedAt, report: record.report }
    case "killed":
      return { _tag: "Killed", startedAt: Option.fromNullable(record.startedAt), killed: record.killed }
  }
}

const totalsOf = (found: RunRecordFile.Found): RunTotals.RunTotals => {
  if (found._tag !== "Record") return RunTotals.zero
  const totals = found.record.totals ?? RunTotals.zero
  return found.record.state === "stopped"
    ? RunTotals.addReport(totals, found.record.report)
    : RunTotals.addUnclean(totals)
}
