/**
 * The turns of Node's event loop, and the one timer that lives outside Effect: what the drain needs to know about sockets that nobody has
 * read yet. Everything in `src/http` that touches timers or the monotonic clock is in this file.
 *
 * A check phase (`setImmediate`) follows a poll phase, in which every readable socket was read and every waiting connection accepted. What
 * is decided in a check phase is therefore decided with nothing left unread, give or take what arrives in the microseconds meanwhile.
 */
import * as Effect from "effect/Effect"

/** Ends in the next check phase. Interrupting it is free. */
export const turn: Effect.Effect<void> = Effect.async((resume) => {
  const immediate = setImmediate(() => resume(Effect.void))
  return Effect.sync(() => clearImmediate(immediate))
})

/** Milliseconds with fractions by a clock that nobody sets, for how long things take. */
export const monotonic = (): number => performance.now()

/** Runs `act` in the next check phase. */
export const afterPoll = (act: () => void): void => {
  setImmediate(act)
}

/** Runs `act` after `millis`, without keeping the process alive for it. Returns what calls it off. */
export const later = (millis: number, act: () => void): (() => void) => {
  const timer = setTimeout(act, millis).unref()
  return () => clearTimeout(timer)
}

/** How brief a turn must have been for its poll to count as of now, in milliseconds, while fewer than so many have passed. */
const patience: ReadonlyArray<{ readonly until: number; readonly brief: number }> = [
  { until: 40, brief: 0.02 },
  { until: 80, brief: 0.1 },
  { until: 160, brief: 1 }
]

/** Any turn is brief enough. */
const rest = Number.POSITIVE_INFINITY

/** What {@link whenQuiet} waits for. */
export interface Quiet {
  /** A count that rises with whatever must not be missed. */
  readonly seen: () => number
  /** Whether it has risen of late; if not, and while it does not, any turn will do. */
  readonly isLively: boolean
  /** How many turns in a row must leave the count as it is. */
  readonly turns: number
  /** After so many milliseconds without quiet, {@link seal} is tried in turns that have brought nothing new. */
  readonly sealAfterMillis: number
  /**
   * Tells, before the next poll phase, whether nothing more can come; undefined where that cannot be made sure of, and a quiet turn must do.
   */
  readonly seal: (decide: (sealed: boolean | undefined) => void) => void
  /** After so many milliseconds without success, {@link calm} is called, once. */
  readonly calmAfterMillis: number
  /** Slows down what makes the count rise. */
  readonly calm: () => void
  /** After so many milliseconds it acts in any case. */
  readonly boundMillis: number
  /** What is done, in the check phase itself. */
  readonly act: () => void
}

/**
 * Acts once several turns in a row have brought nothing new. Where there is traffic it prefers a brief one of the turns that qualify: the
 * less was done since the poll, the less can have arrived unseen. Interrupting it calls it off.
 */
export const whenQuiet = (quiet: Quiet): Effect.Effect<void> =>
  Effect.async((resume) => {
    const begun = performance.now()
    let previous = begun
    let count = quiet.seen()
    let still = 0
    let lively = quiet.isLively
    let calmed = false
    const look = () => {
      const now = performance.now()
      const elapsed = now - begun
      const took = now - previous
      previous = now
      const seen = quiet.seen()
      still = seen === count ? still + 1 : 0
      lively ||= seen !== count
      count = seen
      const brief = lively ? (patience.find(({ until }) => elapsed < until)?.brief ?? rest) : rest
      if (!calmed && elapsed >= quiet.calmAfterMillis) {
        calmed = true
        quiet.calm()
      }
      const isQuiet = still >= quiet.turns && took <= brief
      const maySeal = elapsed >= quiet.sealAfterMillis
      if (elapsed >= quiet.boundMillis || (isQuiet && !maySeal)) return act()
      if (!maySeal || still === 0) return again()
      quiet.seal((sealed) => ((sealed ?? isQuiet) ? act() : again()))
    }
    let immediate: NodeJS.Immediate | undefined
    let isOver = false
    const again = () => {
      if (!isOver) immediate = setImmediate(look)
    }
    const act = () => {
      if (isOver) return
      quiet.act()
      resume(Effect.void)
    }
    again()
    return Effect.sync(() => {
      isOver = true
      clearImmediate(immediate)
    })
  })

/** Calls `act` on every item, `size` of them a check phase, so that each follows its poll closely. Interrupting it leaves the rest out. */
export const inSlices = <A>(
  items: ReadonlyArray<A>,
  size: number,
  act: (item: A) => void
): Effect.Effect<void> =>
  Effect.async((resume) => {
    let next = 0
    const slice = () => {
      const end = Math.min(next + size, items.length)
      while (next < end) act(items[next++]!)
      if (next < items.length) immediate = setImmediate(slice)
      else resume(Effect.void)
    }
    let immediate = setImmediate(slice)
    return Effect.sync(() => clearImmediate(immediate))
  })
