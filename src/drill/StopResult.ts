/**
 * What one stop came to: times relative to its signal, counts, and what every stop is expected to be.
 *
 * @module
 */
import type { Expectation, RequestReport, StopReport } from "./DrillReport.js"
import type { Scenario } from "./Scenario.js"
import type { StopHandle } from "./StopHandle.js"
import type { Exit, Leftovers, Subject } from "./Subject.js"
import * as Account from "./wire/Account.js"
import type { Sent } from "./wire/Outcome.js"
import { isLost } from "./wire/Outcome.js"

/** What is known when a stop is over. */
export interface Facts {
  /** What was run. */
  readonly scenario: Scenario
  /** From 1. */
  readonly nth: number
  /** What it did. */
  readonly handle: StopHandle
  /** How the process ended. */
  readonly exit: Exit
  /** It had to be killed. */
  readonly killed: boolean
  /** Milliseconds from its start until it was ready; null when it never was. */
  readonly readyIn: number | null
  /** When nobody listened any more, of `performance.now()`. */
  readonly closedAt: number | undefined
  /** What it left. */
  readonly leftovers: Leftovers
  /** What the scenario threw; undefined when it did not. */
  readonly failure: unknown
  /** Ends that are right. */
  readonly exits: ReadonlyArray<number | string> | "any"
  /** How many requests the report keeps. */
  readonly mostRequests: number
  /** Its last words. */
  readonly output: string
  /** What it told of its stop. */
  readonly steps: Subject["steps"]
}

const text = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/** What every stop is expected to be, whatever the scenario. */
const expectations = (facts: Facts, signalledAt: number | undefined): ReadonlyArray<Expectation> => {
  const { exit, exits, failure, handle, killed, leftovers, scenario } = facts
  const found: Array<Expectation> = []
  const expect = (name: string, ok: boolean, detail: string) =>
    found.push({ name, ok, detail: ok ? "" : detail })
  const how = exit.code === null ? `ended by ${exit.signal}` : `exited with ${exit.code}`
  const alive = killed || (signalledAt !== undefined && signalledAt <= exit.at)
  expect("lives until its signal", alive, `${how} before it was told to`)
  if (scenario.begins !== "started") {
    const early = handle.sent.filter(
      (one) => one.connection === 0 && one.outcome === "refused" && one.doneAt < (signalledAt ?? exit.at)
    )
    expect("takes connections until its signal", early.length === 0, `${early.length} were refused`)
  }
  expect(
    "is gone within its grace",
    !killed,
    `was killed ${handle.stop.graceMillis} ms and a margin after its signal`
  )
  if (!killed && exits !== "any") {
    const right = exits.includes(exit.code ?? exit.signal ?? "")
    expect("exits as it should", right, `${how}, not with ${exits.join(" or ")}`)
  }
  const { children, ports } = leftovers
  const left = children.map(({ command, pid }) => `${pid} ${command}`).join("; ")
  expect("leaves no process behind", children.length === 0, left)
  expect("leaves no port open", ports.length === 0, ports.join(", "))
  if (failure !== undefined) expect("scenario", false, text(failure))
  return found
}

/** Tenths of a millisecond are more than the clocks of two processes share. */
const round = (millis: number): number => Math.round(millis * 10) / 10

/** A request as the report has it, its times relative to the signal. */
const requestOf = (sent: Sent, origin: number): RequestReport => {
  const { close: _, doneAt, firstByteAt, sentAt, ...rest } = sent
  return {
    ...rest,
    sentAt: round(sentAt - origin),
    ...(firstByteAt === undefined ? {} : { firstByteAt: round(firstByteAt - origin) }),
    doneAt: round(doneAt - origin)
  }
}

/** The report of a stop. */
export const make = (facts: Facts): StopReport => {
  const { exit, handle, killed, nth, scenario } = facts
  const { notes } = handle.stop
  const signalledAt = handle.stop.signalledAt()
  // A stop without a signal is told relative to its end.
  const origin = signalledAt ?? exit.at
  const relative = (at: number | undefined): number | null => (at === undefined ? null : round(at - origin))
  const expected = [...expectations(facts, signalledAt), ...handle.expectations]
  const kept = Account.sample(handle.sent, origin, facts.mostRequests)
  const epoch = performance.timeOrigin + origin
  const steps = facts.steps(epoch)?.map((step) => ({ ...step, from: round(step.from), to: round(step.to) }))
  const fine = expected.every(({ ok }) => ok) && !handle.sent.some((one) => isLost(one.outcome))
  return {
    scenario: scenario.id,
    title: scenario.title,
    scenarios: scenario.scenarios,
    nth,
    signal: handle.firstSignal() ?? "none",
    signalledAt: Math.round(epoch),
    readyIn: facts.readyIn === null ? null : round(facts.readyIn),
    times: {
      // It is looked for now and then; the exit is told at once, and takes the listener along.
      listenerClosed: relative(facts.closedAt === undefined ? undefined : Math.min(facts.closedAt, exit.at)),
      lastWhole: relative(Account.lastWhole(handle.sent)),
      slowestAccepted: round(Account.slowestAccepted(handle.sent, origin) - origin),
      exit: killed ? null : relative(exit.at)
    },
    exitCode: exit.code,
    exitSignal: exit.signal,
    killed,
    tally: Account.tally(handle.sent, origin),
    expectations: expected,
    requests: kept.map((one) => requestOf(one, origin)),
    requestsLeftOut: handle.sent.length - kept.length,
    ...(steps === undefined ? {} : { steps }),
    leftovers: facts.leftovers,
    lag: round(handle.lag()),
    notes: { ...notes },
    output: fine ? "" : facts.output
  }
}
