/** Tables of the drain bench. */
import { median, short, spread } from "../support/Statistics.js"
import { table } from "../support/Table.js"
import type { Outcome } from "./Account.js"
import { lostOutcomes } from "./Account.js"
import type { StopResult } from "./Stop.js"

const defined = (values: ReadonlyArray<number | undefined>): Array<number> =>
  values.filter((value) => value !== undefined)

const middleAndMost = (values: ReadonlyArray<number | undefined>): string => {
  const known = defined(values)
  return known.length === 0 ? "" : `${short(median(known))}, ${short(Math.max(...known))}`
}

/** Counts equal words: `answered 19, 503 1`, or the word alone when there is no other. */
export const count = (words: ReadonlyArray<string>): string => {
  const counts = new Map<string, number>()
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1)
  if (counts.size === 1) return words[0]!
  return [...counts].map(([word, times]) => `${word} x${times}`).join(", ")
}

/** Requests that a stop lost, in whatever way. */
export const lostOf = (one: StopResult): number =>
  lostOutcomes.reduce((sum, outcome) => sum + one.outcomes[outcome], 0)

const names = (results: ReadonlyArray<StopResult>): Array<string> => [
  ...new Set(results.map((one) => one.server))
]

/** One row a server, for the loads (a) to (e). */
export const loadTable = (results: ReadonlyArray<StopResult>): string => {
  const header = [
    "server",
    "stops",
    "requests",
    "in flight",
    "lost per stop",
    "dropped",
    "raced",
    "cut",
    "hung",
    "wrong"
  ]
  header.push(
    "reset",
    "refused",
    "late: ok/503/lost",
    "after slowest, ms",
    "after signal, ms",
    "exit",
    "lag, ms"
  )
  const rows = names(results).map((name) => {
    const stops = results.filter((one) => one.server === name)
    const sum = (of: (one: StopResult) => number): string =>
      String(stops.reduce((all, one) => all + of(one), 0))
    const outcomes = (of: Outcome): string => sum((one) => one.outcomes[of])
    const early = sum((one) => one.resetUnwritten)
    const slow = sum((one) => one.slowRefusals)
    const refusedHow = (early === "0" ? "" : `, ${early} by reset`) + (slow === "0" ? "" : `, ${slow} slow`)
    return [
      name,
      String(stops.length),
      sum((one) => one.requests),
      spread(stops.map((one) => one.inFlight)),
      spread(stops.map((one) => lostOf(one))),
      outcomes("dropped"),
      outcomes("raced"),
      outcomes("cut"),
      outcomes("hung"),
      outcomes("wrong"),
      sum((one) => one.resets),
      outcomes("refused") + refusedHow,
      [sum((one) => one.late.answered), sum((one) => one.late.declined), sum((one) => one.late.lost)].join(
        "/"
      ),
      middleAndMost(stops.map((one) => one.exitAfterSlowest)),
      middleAndMost(stops.map((one) => one.exitAfterSignal)),
      count(stops.map((one) => one.exit)),
      short(Math.max(...stops.map((one) => one.lag)))
    ]
  })
  return table([header, ...rows])
}

/** One row a server, for the load (f). */
export const specialTable = (results: ReadonlyArray<StopResult>): string => {
  const header = ["server", "stops", "late, idle before", "late, busy before", "after slowest", "alone"]
  header.push("half-open x5", "they add", "after stream", "idle closed", "idle exit")
  header.push("limit: cut after", "limit: gone after", "limit: exit")
  const rows = names(results).map((name) => {
    const of = (load: string) => results.filter((one) => one.server === name && one.load === load)
    const exits = (load: string) => defined(of(load).map((one) => one.exitAfterSignal))
    const times = (load: string) => {
      const stops = of(load)
      const known = exits(load)
      const never = stops.length - known.length
      return `${middleAndMost(known)}${never === 0 ? "" : ` never x${never}`}`.trim()
    }
    const noted = (load: string, key: string) => of(load).flatMap((one) => one.notes[key] ?? [])
    const numbers = (load: string, key: string) => noted(load, key).filter((note) => typeof note === "number")
    const words = (load: string, key: string) => count(noted(load, key).map(String)) || "-"
    const added = median(exits("half-open")) - median(exits("alone"))
    return [
      name,
      String(of("late").length),
      words("late", "late on idle"),
      words("late", "late on busy"),
      middleAndMost(of("late").map((one) => one.exitAfterSlowest)),
      times("alone"),
      times("half-open"),
      short(added),
      middleAndMost(of("streamed").map((one) => one.exitAfterSlowest)),
      `${middleAndMost(numbers("idle", "idle closed after"))} ${words("idle", "idle closed by")}`.trim(),
      times("idle"),
      `${middleAndMost(numbers("limit", "cut after"))} ${words("limit", "cut as")}`.trim(),
      times("limit"),
      count(of("limit").map((one) => one.exit))
    ]
  })
  return table([header, ...rows])
}
