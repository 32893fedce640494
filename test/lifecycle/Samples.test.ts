import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/TestClock"
import * as Samples from "../../src/lifecycle/Samples.js"

describe("samples", () => {
  it.effect("are read when they are told, one after a failure of another, and once more at their end", () =>
    Effect.gen(function* () {
      const samples = yield* Samples.make
      const scope = yield* Scope.make()
      const reads = { added: 0, kept: 0 }
      const read = (which: keyof typeof reads) => Effect.sync(() => void reads[which]++)
      yield* Scope.extend(samples.add(Effect.fail("away")), scope)
      yield* Scope.extend(samples.add(Effect.die("broken")), scope)
      yield* Scope.extend(samples.add(read("added")), scope)
      yield* samples.keep(read("kept"))
      assert.deepStrictEqual(reads, { added: 0, kept: 0 })
      yield* samples.update
      assert.deepStrictEqual(reads, { added: 1, kept: 1 })
      yield* Scope.close(scope, Exit.void)
      assert.deepStrictEqual(reads, { added: 2, kept: 1 })
      yield* samples.update
      assert.deepStrictEqual(reads, { added: 2, kept: 2 })
    })
  )

  it.effect("raise a counter to a total, and never lower it", () =>
    Effect.gen(function* () {
      const counter = Metric.counter("samples_test_total", { incremental: true })
      const count = Effect.map(Metric.value(counter), (state) => state.count)
      yield* Samples.raise(counter, 5)
      yield* Samples.raise(counter, 5)
      assert.strictEqual(yield* count, 5)
      yield* Samples.raise(counter, 3)
      assert.strictEqual(yield* count, 5)
      yield* Samples.raise(counter, 7)
      assert.strictEqual(yield* count, 7)
    })
  )

  it.scoped("can be kept up to date for whoever does not ask", () =>
    Effect.gen(function* () {
      const context = yield* Layer.build(Samples.layerEvery("10 seconds"))
      let reads = 0
      yield* Context.get(context, Samples.Samples).keep(Effect.sync(() => void reads++))
      yield* TestClock.adjust(9999)
      const before = reads
      yield* TestClock.adjust(1)
      assert.deepStrictEqual([before, reads], [before, before + 1])
    })
  )
})
