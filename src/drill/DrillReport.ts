/**
 * What a drill found, for machines. All times are milliseconds with fractions; those of a stop are relative to its first signal, so what was before is negative.
 *
 * @module
 */
import * as Schema from "effect/Schema"
import { outcomes } from "./wire/Outcome.js"

const optional = <A, I>(schema: Schema.Schema<A, I>) => Schema.optionalWith(schema, { exact: true })

/** What became of a request; see the module of that name in `wire`. */
export const Outcome = Schema.Literal(...outcomes)

/** One request. */
export const RequestReport = Schema.Struct({
  /** Method and path without the query. */
  kind: Schema.String,
  /** Number of the connection, from 1; 0 when none was established. */
  connection: Schema.Number,
  /** The first write of it. */
  sentAt: Schema.Number,
  /** The first byte of the response; absent when there was none. */
  firstByteAt: optional(Schema.Number),
  /** The last byte of the response, or its end was noticed. */
  doneAt: Schema.Number,
  /** What became of it. */
  outcome: Outcome,
  /** Status, when the response was whole. */
  status: optional(Schema.Number),
  /** How the connection ended, when that ended the request. */
  ending: optional(Schema.Literal("fin", "reset", "refused", "given up")),
  /** What a reset ran into: bytes of the response, or the request, unread or read. */
  hit: optional(Schema.Literal("response", "request", "nothing"))
})

/** One request. */
export interface RequestReport extends Schema.Schema.Type<typeof RequestReport> {}

/** The requests of a stop, counted. */
export const Tally = Schema.Struct({
  /** All of them. */
  requests: Schema.Number,
  /** By outcome; each is counted once. */
  outcomes: Schema.Struct({
    complete: Schema.Number,
    declined: Schema.Number,
    refused: Schema.Number,
    late: Schema.Number,
    wrong: Schema.Number,
    dropped: Schema.Number,
    cut: Schema.Number,
    hung: Schema.Number
  }),
  /** Requests that were written after the signal: answered (complete), declined, late (they met the FIN), lost. */
  afterSignal: Schema.Struct({
    answered: Schema.Number,
    declined: Schema.Number,
    late: Schema.Number,
    lost: Schema.Number
  }),
  /** Requests written before the signal and not done when it was sent. */
  inFlight: Schema.Number,
  /** Losses that ended in a reset. */
  resets: Schema.Number,
  /** Connections that were reset before a request was written: safe to retry, yet no refusal. */
  resetUnwritten: Schema.Number,
  /** Refusals that took half a second or more, as when the first packet of a connection is ignored. */
  slowRefusals: Schema.Number
})

/** The requests of a stop, counted. */
export interface Tally extends Schema.Schema.Type<typeof Tally> {}

/** Something that was expected. */
export const Expectation = Schema.Struct({
  /** What, in the same words for every stop. */
  name: Schema.String,
  /** Whether it was so. */
  ok: Schema.Boolean,
  /** What was found; may be empty. */
  detail: Schema.String
})

/** Something that was expected. */
export interface Expectation extends Schema.Schema.Type<typeof Expectation> {}

/** A step of the stop as the service tells it. */
export const Step = Schema.Struct({
  /** Its name. */
  name: Schema.String,
  /** `phase`, `quiesce`, `release`, `hook`, or whatever else the service says. */
  kind: Schema.String,
  /** Its begin. */
  from: Schema.Number,
  /** Its end. */
  to: Schema.Number,
  /** `completed`, `timed_out`, `failed`, `open`, or whatever else the service says. */
  outcome: Schema.String
})

/** A step of the stop as the service tells it. */
export interface Step extends Schema.Schema.Type<typeof Step> {}

/** One stop. */
export const StopReport = Schema.Struct({
  /** The scenario's `id`. */
  scenario: Schema.String,
  /** The scenario's title. */
  title: Schema.String,
  /** Numbers of the catalogue that it covers. */
  scenarios: Schema.Array(Schema.Number),
  /** The how-manieth stop of the drill, from 1. */
  nth: Schema.Number,
  /** The first signal that was sent; `none` when the service ended before. */
  signal: Schema.String,
  /** When it was sent, milliseconds since the epoch. */
  signalledAt: Schema.Number,
  /** From the start of the process until it was ready; null when it never was. */
  readyIn: Schema.NullOr(Schema.Number),
  /** Relative to the signal. */
  times: Schema.Struct({
    /** Nobody listened on the port any more; null when that was not seen (on systems other than Linux it never is). */
    listenerClosed: Schema.NullOr(Schema.Number),
    /** The last whole response; null when there was none. */
    lastWhole: Schema.NullOr(Schema.Number),
    /** The end of the last request that had been sent before the signal; 0 when none was in flight. */
    slowestAccepted: Schema.Number,
    /** The process was gone; null when it had to be killed. */
    exit: Schema.NullOr(Schema.Number)
  }),
  /** Its exit code; null when a signal ended it. */
  exitCode: Schema.NullOr(Schema.Number),
  /** The signal that ended it; null when it exited. */
  exitSignal: Schema.NullOr(Schema.String),
  /** It was not gone after the grace and a margin, and was killed. */
  killed: Schema.Boolean,
  /** Counts of all requests. */
  tally: Tally,
  /** What was expected of this stop. */
  expectations: Schema.Array(Expectation),
  /** Requests, in the order of their writes; capped in number, but losses are always there. */
  requests: Schema.Array(RequestReport),
  /** Requests that the cap left out. */
  requestsLeftOut: Schema.Number,
  /** The service's own steps; absent when it told none that were understood. */
  steps: optional(Schema.Array(Step)),
  /** What was there when the process was gone. */
  leftovers: Schema.Struct({
    /** Processes it had started: number and command line. */
    children: Schema.Array(Schema.Struct({ pid: Schema.Number, command: Schema.String })),
    /** Ports it had listened on that are still listened on. */
    ports: Schema.Array(Schema.Number)
  }),
  /** The longest time in which the drill itself did not look at its sockets: distrust a stop where it is large. */
  lag: Schema.Number,
  /** Facts that the scenario noted. */
  notes: Schema.Record({ key: Schema.String, value: Schema.Union(Schema.Number, Schema.String) }),
  /** The last it wrote to standard output and error; empty unless something is wrong with the stop. */
  output: Schema.String
})

/** One stop. */
export interface StopReport extends Schema.Schema.Type<typeof StopReport> {}

/** A request that was lost, and where. */
export const Lost = Schema.Struct({
  /** The scenario's `id`. */
  scenario: Schema.String,
  /** The stop's number. */
  nth: Schema.Number,
  /** The request. */
  request: RequestReport
})

/** A request that was lost, and where. */
export interface Lost extends Schema.Schema.Type<typeof Lost> {}

/** An expectation that was not met, and where. */
export const Failed = Schema.Struct({
  /** The scenario's `id`. */
  scenario: Schema.String,
  /** The stop's number. */
  nth: Schema.Number,
  /** What was expected. */
  name: Schema.String,
  /** What was found. */
  detail: Schema.String
})

/** An expectation that was not met, and where. */
export interface Failed extends Schema.Schema.Type<typeof Failed> {}

/** The whole drill. */
export const DrillReport = Schema.Struct({
  /** The form of the report; a reader of another version must not guess. */
  version: Schema.Literal(1),
  /** What was drilled, for headings. */
  name: Schema.String,
  /** Milliseconds since the epoch. */
  startedAt: Schema.Number,
  /** From the start to the end of the drill. */
  durationMillis: Schema.Number,
  /** The command line of the service. */
  command: Schema.String,
  /** Where it was asked. */
  url: Schema.String,
  /** The Node.js that the drill itself ran on. */
  node: Schema.String,
  /** The same seed draws the same think times and orders. */
  seed: Schema.Number,
  /** What the service was given to stop. */
  graceMillis: Schema.Number,
  /** In the order in which they were run. */
  stops: Schema.Array(StopReport),
  /** Scenarios that were not run, and why. */
  skipped: Schema.Array(Schema.Struct({ scenario: Schema.String, reason: Schema.String })),
  /** Why the drill ended before all stops were made; absent when it did not. */
  endedEarly: optional(Schema.String),
  /** What it comes to. */
  verdict: Schema.Struct({
    /** Nothing was lost, nothing failed, and at least one stop was made. */
    passed: Schema.Boolean,
    /** Every request that was lost. */
    lost: Schema.Array(Lost),
    /** Every expectation that was not met. */
    failed: Schema.Array(Failed)
  })
})

/** The whole drill. */
export interface DrillReport extends Schema.Schema.Type<typeof DrillReport> {}

/** The report as JSON text. Reading fails with a `ParseError` that says where the text is no report. */
export const Json = Schema.parseJson(DrillReport)

/** What the process of the drill exits with: 0 when it passed, 1 when not. Bad usage and a service that does not start are errors (2). */
export const exitCode = (report: DrillReport): 0 | 1 => (report.verdict.passed ? 0 : 1)
