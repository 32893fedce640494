/** Made-up processes that are stopped, killed and restarted at random: whatever happens to them, never do two of them write. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import * as fc from "fast-check"
import * as Wake from "../../src/lease/Wake.js"
import * as Outside from "../insights/Outside.js"
import * as Random from "../simulation/Random.js"
import * as VirtualTime from "../simulation/VirtualTime.js"
import * as MadeProcess from "./support/MadeProcess.js"
import * as Store from "./support/Store.js"

const busy = 40_000
const quiet = 10_000

interface Blow {
  readonly at: number
  readonly place: number
  readonly what: "stop" | "kill" | "restart"
  /** For how long it is stopped. */
  readonly millis: number
}

interface Row {
  readonly id: number
  readonly writer: string
  readonly epoch: number
}

const run = Effect.fnUntraced(function* (blows: ReadonlyArray<Blow>, seed: number) {
  const file = yield* Store.file
  const time = VirtualTime.make()
  const random = Random.make(seed)
  const wake = random.chance(0.5) ? yield* Wake.makeMemory : Wake.none
  const outside = Outside.connect(file)
  yield* Effect.addFinalizer(() => Effect.sync(() => outside.close()))
  const rows = () =>
    outside.prepare("SELECT id, writer, epoch FROM entry ORDER BY id").all() as ReadonlyArray<Row>

  const all: Array<MadeProcess.MadeProcess> = []
  const onUnit = (begun: MadeProcess.MadeProcess) => {
    for (const other of all) {
      if (other === begun || other.unitSince === undefined) continue
      // Only somebody who does not know what time it is may be in the middle of something.
      assert.isAtLeast(other.stoppedAt, other.unitSince, `${begun.who} begins while ${other.who} is at work`)
    }
  }
  const places = yield* Effect.forEach([0, 1, 2], (place) =>
    Effect.gen(function* () {
      const store = yield* Store.open(file, 0)
      let generation = 0
      const start = () => {
        const who = `${place}.${generation++}`
        const made = MadeProcess.start({ who, store, time, random, wake, onUnit })
        all.push(made)
        return made
      }
      return { start, current: start() }
    })
  )
  /** What whoever was stopped past its lease had written until then: it must stay so. */
  const written: Array<{ readonly writer: string; readonly epoch: number; readonly count: number }> = []

  const naps = new Map<object, number>()

  const strike = ({ at, millis, place, what }: Blow) => {
    const here = places[place]!
    const one = here.current
    if (what === "restart") {
      one.sigterm()
      const again = () => {
        if (one.ended()) here.current = here.start()
        else time.at(time.now() + 50, again)
      }
      return time.at(at + 50, again)
    }
    // The death of a process rolls back its transaction; a made-up one cannot do that.
    if (what === "kill" && one.inTransaction)
      return time.at(time.now() + 1, () => strike({ at, millis, place, what }))
    // Whoever is stopped twice sleeps until the later end, and whoever was killed for good.
    naps.set(one, (naps.get(one) ?? 0) + 1)
    one.sigstop()
    if (what === "kill") {
      here.current = here.start()
      return
    }
    const before = rows()
    const epoch = before.filter(({ writer }) => writer === one.who).at(-1)?.epoch
    if (epoch !== undefined && millis > MadeProcess.ttlMillis) {
      written.push({
        writer: one.who,
        epoch,
        count: before.filter((row) => row.writer === one.who && row.epoch === epoch).length
      })
    }
    time.at(time.now() + millis, () => {
      naps.set(one, naps.get(one)! - 1)
      if (naps.get(one) === 0) one.sigcont()
    })
  }
  for (const blow of blows) time.at(blow.at, () => strike(blow))

  time.pass(busy + quiet, () => false)
  const soFar = rows().length
  time.pass(busy + 2 * quiet, () => false)
  assert.isAbove(rows().length, soFar, "somebody works when all is quiet")
  for (const { current } of places) current.sigterm()
  time.pass(busy + 3 * quiet, () => places.every(({ current }) => current.ended()))
  assert.isTrue(places.every(({ current }) => current.ended()))

  const owners = new Map<number, string>()
  let latest = 0
  for (const { epoch, writer } of rows()) {
    assert.isAtLeast(epoch, latest, "no row of an older epoch after one of a newer")
    latest = epoch
    assert.strictEqual(owners.get(epoch) ?? writer, writer, "an epoch has one writer")
    owners.set(epoch, writer)
  }
  for (const { count, epoch, writer } of written) {
    assert.strictEqual(
      rows().filter((row) => row.writer === writer && row.epoch === epoch).length,
      count,
      `${writer} was stopped past its lease ${epoch}, and wrote when it woke up`
    )
  }
  return { epochs: owners.size, stopped: written.length }
})

const blow: fc.Arbitrary<Blow> = fc.record({
  at: fc.integer({ min: 0, max: busy }),
  place: fc.integer({ min: 0, max: 2 }),
  what: fc.constantFrom("stop", "stop", "kill", "restart"),
  millis: fc.integer({ min: 1, max: 3 * MadeProcess.ttlMillis })
})

/** Each in turn is stopped for longer than its lease holds, so one of them had it. */
const oversleepers = [0, 1, 2].map((place): Blow => ({
  at: 6000 + 3 * place * MadeProcess.ttlMillis,
  place,
  what: "stop",
  millis: 2 * MadeProcess.ttlMillis
}))

describe("three processes on one file", () => {
  it("are stopped, killed and restarted at random moments, and never do two of them write", async () => {
    let epochs = 0
    let stopped = 0
    await fc.assert(
      fc.asyncProperty(fc.array(blow, { minLength: 6, maxLength: 14 }), fc.integer(), async (blows, seed) => {
        const scope = await Effect.runPromise(Scope.make())
        try {
          const seen = await Effect.runPromise(Scope.extend(run(blows, seed), scope))
          epochs += seen.epochs
          stopped += seen.stopped
        } finally {
          await Effect.runPromise(Scope.close(scope, Exit.void))
        }
      }),
      { numRuns: Number(process.env.LEASE_CASES ?? 6), endOnFailure: true, examples: [[oversleepers, 1]] }
    )
    assert.isAbove(epochs, 8, "there were hand-overs")
    assert.isAbove(stopped, 0, "some were stopped past their lease")
  }, 60_000)
})
