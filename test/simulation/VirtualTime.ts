/**
 * A clock whose time passes as soon as nobody has anything left to do.
 *
 * It comes with the scheduler of the fibers that live by it: turns are run one after the other until none is left, then time jumps to the
 * next sleeper. Everything happens in one synchronous call, so a run is cheap and always the same.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scheduler from "effect/Scheduler"

/** Turns in one instant after which a run is taken for an endless loop. */
const mostTurns = 200_000

interface Entry {
  readonly at: number
  readonly order: number
  run: (() => void) | undefined
}

/** Time from 0, in milliseconds. */
export interface VirtualTime {
  readonly now: () => number
  readonly clock: Clock.Clock
  readonly scheduler: Scheduler.Scheduler
  /** Has `run` called at a moment, before or after sleepers of the same moment in the order of asking. */
  readonly at: (millis: number, run: () => void) => void
  /** Lets time pass until nothing is left to wait for, `until` says so, or the horizon is reached. */
  readonly pass: (horizon: number, until: () => boolean) => void
}

const isBefore = (a: Entry, b: Entry) => a.at < b.at || (a.at === b.at && a.order < b.order)

/** A heap: the earliest entry first, of the same moment the one that asked first. */
const makeQueue = () => {
  const heap: Array<Entry> = []
  return {
    first: () => heap[0],
    add: (entry: Entry) => {
      let i = heap.length
      heap.push(entry)
      while (i > 0) {
        const up = (i - 1) >> 1
        if (!isBefore(entry, heap[up]!)) break
        heap[i] = heap[up]!
        i = up
      }
      heap[i] = entry
    },
    take: () => {
      const last = heap.pop()!
      if (heap.length === 0) return
      let i = 0
      for (;;) {
        let down = 2 * i + 1
        if (down >= heap.length) break
        if (down + 1 < heap.length && isBefore(heap[down + 1]!, heap[down]!)) down += 1
        if (!isBefore(heap[down]!, last)) break
        heap[i] = heap[down]!
        i = down
      }
      heap[i] = last
    }
  }
}

/** A new time, at 0. */
export const make = (): VirtualTime => {
  let now = 0
  let order = 0
  let turns: Array<() => void> = []
  const queue = makeQueue()

  const add = (at: number, run: () => void): Entry => {
    const entry = { at, order: order++, run }
    queue.add(entry)
    return entry
  }

  const settle = () => {
    let count = 0
    while (turns.length > 0) {
      const due = turns
      turns = []
      for (const run of due) run()
      count += due.length
      if (count > mostTurns) throw new Error(`no end of turns at ${now} ms`)
    }
  }

  const nanos = () => BigInt(Math.round(now * 1e6))
  return {
    now: () => now,
    at: (millis, run) => void add(millis, run),
    scheduler: {
      shouldYield: (fiber) => (fiber.currentOpCount > 2048 ? 0 : false),
      scheduleTask: (task) => void turns.push(task)
    },
    clock: {
      [Clock.ClockTypeId]: Clock.ClockTypeId,
      unsafeCurrentTimeMillis: () => now,
      unsafeCurrentTimeNanos: nanos,
      currentTimeMillis: Effect.sync(() => now),
      currentTimeNanos: Effect.sync(nanos),
      sleep: (duration) =>
        Effect.async<void>((resume) => {
          const millis = Duration.toMillis(duration)
          if (millis === Number.POSITIVE_INFINITY) return undefined
          const entry = add(now + millis, () => resume(Effect.void))
          return Effect.sync(() => {
            entry.run = undefined
          })
        })
    },
    pass: (horizon, until) => {
      settle()
      while (!until()) {
        const entry = queue.first()
        if (entry === undefined || entry.at > horizon) return
        queue.take()
        if (entry.run === undefined) continue
        now = entry.at
        entry.run()
        settle()
      }
    }
  }
}
