import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Resource from "../../src/lifecycle/Resource.js"
import * as Run from "../support/Run.js"

describe("what two named layers wrap", () => {
  it.effect("is acquired once and released once, after both", () =>
    Effect.gen(function* () {
      const marks: Array<string> = []
      const marked = (name: string) =>
        Layer.scopedDiscard(
          Effect.acquireRelease(
            Effect.sync(() => marks.push(`+${name}`)),
            () => Effect.sync(() => marks.push(`-${name}`))
          )
        )
      const shared = marked("shared")
      const named = (name: string) =>
        Resource.named(name, { limit: Duration.seconds(5) })(Layer.provide(marked(name), shared))
      const run = yield* Run.launch(Layer.mergeAll(named("a"), named("b")))
      yield* run.signal()
      yield* run.report
      assert.strictEqual(marks[0], "+shared")
      assert.strictEqual(marks.at(-1), "-shared")
      assert.strictEqual(marks.length, 6)
    })
  )
})
