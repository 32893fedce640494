/**
 * The record of one run, as it stands in a file while the run goes on and after it.
 *
 * While the service runs it says `running` and when it was last seen; at the end `stopped` with the report, or `killed` with what the watchdog found.
 * One that still says `running` when nobody runs any more is that of a crash, between `seenAt` and {@link refreshMillis} later.
 *
 * @module
 */
import * as Schema from "effect/Schema"
import * as Phase from "./Phase.js"
import * as RunTotals from "./RunTotals.js"
import { ShutdownReport } from "./ShutdownReport.js"

/** How often a running service says that it still runs, in milliseconds. */
export const refreshMillis = 5000

const common = {
  /** The form of the record; a reader of another version must not guess. */
  version: Schema.Literal(1),
  /** Which of several instances on one host: the port, usually. */
  instance: Schema.String,
  /** The process that writes. */
  pid: Schema.Number,
  /** The host that it runs on. */
  hostname: Schema.String,
  /** When the run began, milliseconds since the epoch. */
  startedAt: Schema.Number,
  /** When the process last said that it runs, milliseconds since the epoch. */
  seenAt: Schema.Number,
  /** What the runs before this one came to. */
  totals: RunTotals.RunTotals
}

/** The run goes on, or has ended without a word. */
export const Running = Schema.Struct({
  ...common,
  /** It has not said that it stopped. */
  state: Schema.Literal("running")
})

/** The run goes on, or has ended without a word. */
export interface Running extends Schema.Schema.Type<typeof Running> {}

/** The run has come to its end. */
export const Stopped = Schema.Struct({
  ...common,
  /** It has said how it stopped. */
  state: Schema.Literal("stopped"),
  /** What it said. */
  report: ShutdownReport
})

/** The run has come to its end. */
export interface Stopped extends Schema.Schema.Type<typeof Stopped> {}

/** What a watchdog saw before it ended the process. */
export const Kill = Schema.Struct({
  /** When, milliseconds since the epoch. */
  at: Schema.Number,
  /** The phase that the service was in. */
  phase: Schema.optionalWith(Schema.Literal(...Phase.all), { exact: true }),
  /** Quiesces, releases and hooks that had begun and not ended. */
  running: Schema.optionalWith(
    Schema.Array(
      Schema.Struct({
        kind: Schema.String,
        name: Schema.String,
        /** For how long it had been running, in milliseconds. */
        sinceMillis: Schema.Number
      })
    ),
    { default: () => [] }
  ),
  /** What kept the process alive. */
  keepsAlive: Schema.optionalWith(Schema.Array(Schema.String), { default: () => [] }),
  /** Where the event loop was blocked, innermost call first; absent when it was not, or where that could not be seen. */
  stack: Schema.optionalWith(Schema.Array(Schema.String), { exact: true })
})

/** What a watchdog saw before it ended the process. */
export interface Kill extends Schema.Schema.Type<typeof Kill> {}

/** The run was ended by the watchdog, which writes from a thread of its own and may know no more than this. */
export const Killed = Schema.extend(
  Schema.partialWith(Schema.Struct(common), { exact: true }),
  Schema.Struct({
    /** The watchdog ended it. */
    state: Schema.Literal("killed"),
    /** What the watchdog saw. */
    killed: Kill
  })
)

/** The run was ended by the watchdog. */
export interface Killed extends Schema.Schema.Type<typeof Killed> {}

/** Whatever a record may say. */
export const RunRecord = Schema.Union(Running, Stopped, Killed)

/** Whatever a record may say. */
export type RunRecord = typeof RunRecord.Type

/** The record as the text of its file. Reading fails with a `ParseError` that says where the text is no record. */
export const Json = Schema.parseJson(RunRecord, { space: 2 })

const plain = (part: string): string => part.replaceAll(/[^\w.-]/g, "_")

/** Where the record of an instance is kept unless something else is said: one file per host and instance. */
export const defaultFile = (folder: string, hostname: string, instance: string): string =>
  `${folder === "" ? "." : folder}/shutdown-${plain(hostname)}-${plain(instance)}.json`

/** The `n`th choice where a living process has the ones before: `x.json`, `x-2.json`, `x-3.json`. */
export const nthFile = (file: string, n: number): string =>
  n === 1 ? file : file.replace(/(\.[^./\\]*)?$/, `-${n}$1`)
