/** How far a backfill is, for people: a bar on a terminal, a log line every few seconds elsewhere. */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import * as Schedule from "effect/Schedule"
import type { Progress } from "../insights/Backfill.js"

/** A terminal. */
export interface Terminal {
  /** Writes text as it is. */
  readonly write: (text: string) => unknown
  /** Its width in columns. */
  readonly columns: number
}

/** How fast it is, and how long it will take. */
export interface Pace {
  /** Over the last ten seconds or so. */
  readonly perSecond: number
  /** In seconds; null while nobody can know. */
  readonly eta: number | null
}

interface Sample {
  readonly at: number
  readonly stored: number
}

const windowMillis = 10_000

/** A pace over a sliding window; give it the progress as often as you like. */
export const meter = () => {
  let samples: ReadonlyArray<Sample> = []
  return (progress: Progress, now: number): Pace => {
    if (samples.length === 0) samples = [{ at: progress.startedAt, stored: 0 }]
    const inside = samples.filter(({ at }) => now - at <= windowMillis)
    // One from before the window shows how long nothing came.
    samples = [...samples.slice(0, samples.length - inside.length).slice(-1), ...inside]
    const oldest = samples[0]!
    if (now - (samples.at(-1)?.at ?? 0) >= 100) samples = [...samples, { at: now, stored: progress.stored }]
    const seconds = (now - oldest.at) / 1000
    const perSecond = seconds > 0 ? (progress.stored - oldest.stored) / seconds : 0
    const left = progress.to - (progress.last ?? progress.begin - 1)
    return { perSecond, eta: left <= 0 ? 0 : perSecond > 0 ? left / perSecond : null }
  }
}

const clock = (seconds: number): string => {
  const whole = Math.ceil(seconds)
  const two = (number: number) => String(number).padStart(2, "0")
  const hours = Math.floor(whole / 3600)
  const rest = `${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}`
  return hours > 0 ? `${hours}:${rest}` : rest
}

const share = ({ begin, from, last, to }: Progress): number =>
  Math.min(1, Math.max(0, ((last ?? begin - 1) - from + 1) / (to - from + 1)))

/** Speeds with one decimal where that says something. */
const speed = (perSecond: number): string =>
  perSecond < 10 ? perSecond.toFixed(1) : String(Math.round(perSecond))

/** One line for a terminal of that width. */
export const bar = (progress: Progress, { eta, perSecond }: Pace, columns: number): string => {
  const done = share(progress)
  const before = `ledger ${progress.last ?? progress.begin - 1} of ${progress.to} `
  const after = ` ${String(Math.floor(done * 100)).padStart(3)} %  ${speed(perSecond)} ledgers/s  ETA ${eta === null ? "--:--" : clock(eta)}`
  const room = Math.min(40, columns - before.length - after.length - 3)
  if (room < 5) return (before + after.trimStart()).slice(0, Math.max(1, columns - 1))
  const full = Math.round(done * room)
  return `${before}▕${"█".repeat(full)}${" ".repeat(room - full)}▏${after}`
}

/** Where it begins, and why there. */
export const heading = ({ begin, resumedAfter }: Progress): string =>
  resumedAfter === null
    ? `the database is empty: beginning with ledger ${begin}`
    : `going on after ledger ${resumedAfter}, the last one that is stored`

/** What {@link layer} shows, and where. */
export interface Options {
  readonly progress: Ref.Ref<Option.Option<Progress>>
  /** None where nobody looks at a terminal. */
  readonly terminal: Option.Option<Terminal>
}

/** Shows the progress until its scope closes, every fifth of a second on a terminal, else every 5 s. */
export const layer = ({ progress, terminal }: Options): Layer.Layer<never> =>
  Layer.scopedDiscard(
    Effect.gen(function* () {
      const pace = meter()
      const show = Effect.zipWith(Ref.get(progress), Clock.currentTimeMillis, (is, now) =>
        Option.map(is, (at) => ({ at, pace: pace(at, now) }))
      )
      let isHeaded = false
      const drawn = (of: Terminal) =>
        Effect.map(
          show,
          Option.map(({ at, pace }) => {
            if (!isHeaded) of.write(`${heading(at)}\n`)
            isHeaded = true
            of.write(`\r${bar(at, pace, of.columns)}\u001b[K`)
          })
        )
      const logged = Effect.flatMap(
        show,
        Effect.transposeMapOption(({ at, pace: { eta, perSecond } }) =>
          Effect.logInfo("Backfilling").pipe(
            Effect.annotateLogs({
              component: "Backfill",
              ledger: at.last,
              to: at.to,
              percent: Math.floor(share(at) * 100),
              ledgersPerSecond: Number(perSecond.toFixed(1)),
              etaSeconds: eta === null ? null : Math.ceil(eta)
            })
          )
        )
      )
      yield* Option.match(terminal, {
        onNone: () => Effect.forkScoped(Effect.repeat(Effect.delay(logged, "5 seconds"), Schedule.forever)),
        onSome: (of) =>
          Effect.zipRight(
            // The last state stays, and what comes after it begins on a line of its own.
            Effect.addFinalizer(() => Effect.map(drawn(of), (was) => Option.isSome(was) && of.write("\n"))),
            Effect.forkScoped(Effect.repeat(drawn(of), Schedule.spaced(Duration.millis(200))))
          )
      })
    })
  )
