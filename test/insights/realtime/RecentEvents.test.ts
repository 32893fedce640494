import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { RecentEvents } from "../../../src/insights/realtime/RecentEvents.js"

const event = (id: number) => ({ id, channels: [], type: "said", payload: null })

/** A log with the given ids, as it is read. */
const logOf = (ids: ReadonlyArray<number>) => (after: number, limit: number) =>
  ids
    .filter((id) => id > after)
    .slice(0, limit)
    .map(event)

describe("what is kept of the log", () => {
  it("is nothing at first", () => {
    const recent = new RecentEvents(10)
    assert.isUndefined(recent.read(0, 5))
    recent.add(3, [])
    assert.isUndefined(recent.read(3, 5))
  })

  it("grows at both ends, and forgets the oldest", () => {
    const log = logOf([10, 20, 30, 40, 50, 60])
    const recent = new RecentEvents(4)
    recent.add(20, log(20, 2))
    assert.deepStrictEqual(recent.read(25, 5), log(20, 2))
    assert.isUndefined(recent.read(19, 5))
    recent.add(15, log(15, 2))
    assert.deepStrictEqual(recent.read(15, 5), log(15, 3))
    recent.add(40, log(40, 2))
    assert.isUndefined(recent.read(15, 5), "20 had to go")
    assert.deepStrictEqual(recent.read(20, 2), log(20, 2))
    assert.isUndefined(recent.read(60, 5), "there may be more by now")
  })

  it("never differs from the log, whatever was read and added before", () => {
    const ids = fc.uniqueArray(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 120 })
    const reads = fc.array(fc.tuple(fc.integer({ min: 0, max: 400 }), fc.integer({ min: 1, max: 40 })))
    fc.assert(
      fc.property(ids, reads, fc.integer({ min: 1, max: 60 }), (unsorted, all, capacity) => {
        const read = logOf(unsorted.toSorted((a, b) => a - b))
        const recent = new RecentEvents(capacity)
        for (const [after, limit] of all) {
          const known = recent.read(after, limit)
          if (known === undefined) recent.add(after, read(after, limit))
          else assert.deepStrictEqual(known, read(after, limit).slice(0, known.length))
          if (known !== undefined) assert.isAbove(known.length, 0)
        }
      })
    )
  })

  it("says that it holds what follows an id only when nothing of that was removed before it was read", () => {
    const ids = fc.uniqueArray(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 120 })
    const step = fc.record({
      after: fc.integer({ min: 0, max: 400 }),
      limit: fc.integer({ min: 1, max: 40 }),
      removed: fc.integer({ min: 0, max: 20 })
    })
    fc.assert(
      fc.property(ids, fc.array(step), fc.integer({ min: 1, max: 60 }), (unsorted, steps, capacity) => {
        const whole = unsorted.toSorted((a, b) => a - b)
        const recent = new RecentEvents(capacity)
        let gone = 0
        for (const { after, limit, removed } of steps) {
          gone += removed
          if (recent.holds(after)) {
            const known = recent.read(after, 1000) ?? []
            assert.deepStrictEqual(known, logOf(whole)(after, known.length))
          } else {
            recent.add(after, logOf(whole.slice(gone))(after, limit))
          }
        }
      })
    )
  })
})
