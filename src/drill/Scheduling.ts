/**
 * How long the service was kept from running by others on the machine, as the kernel counts it for a process's first thread.
 *
 * A service that checks a connection for requests and then closes it can be put off between the two. What arrives in that time is lost to it through no fault
 * of its own, and without this count it would look like a request that was ignored.
 *
 * @module
 */
import * as Fs from "node:fs"

/** Time between two samples (ms). */
const every = 5

/** Keeps count for one process. */
export interface Scheduling {
  /** At most how many of the milliseconds between two times of `performance.now()` it was ready to run and did not; 0 where the system does not tell. */
  readonly waited: (from: number, to: number) => number
  /** Stops counting. */
  readonly end: () => void
}

/** Milliseconds since the start of the process; undefined when it is gone or the system does not tell. */
const read = (pid: number): number | undefined => {
  try {
    const waited = Number(Fs.readFileSync(`/proc/${pid}/schedstat`, "latin1").split(" ")[1]) / 1e6
    return Number.isFinite(waited) ? waited : undefined
  } catch {
    return undefined
  }
}

/** Begins to count. */
export const watch = (pid: number): Scheduling => {
  const samples: Array<{ readonly at: number; readonly waited: number }> = []
  const take = () => {
    const waited = read(pid)
    if (waited === undefined) return clearInterval(timer)
    // An idle process has nothing to tell: two samples bound the time in between.
    if (samples.length > 1 && samples.at(-1)!.waited === waited && samples.at(-2)!.waited === waited)
      samples.pop()
    samples.push({ at: performance.now(), waited })
  }
  const timer = setInterval(take, every)
  take()
  return {
    waited: (from, to) => {
      take()
      const before = samples.findLast(({ at }) => at <= from) ?? samples[0]
      const after = samples.find(({ at }) => at >= to) ?? samples.at(-1)
      if (before === undefined || after === undefined) return 0
      return Math.min(to - from, Math.max(0, after.waited - before.waited))
    },
    end: () => clearInterval(timer)
  }
}
