import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as DrillProgress from "../../../src/cli/drill/DrillProgress.js"
import type { Scenario } from "../../../src/drill/Scenario.js"
import * as Sample from "../../drill/report/Sample.js"

const scenario = (lossesCount = true): Scenario => ({
  id: "kept-alive",
  title: "",
  scenarios: [],
  needs: [],
  lossesCount,
  run: () => Promise.resolve()
})
const good = Sample.stop()
const bad = Sample.stop({
  nth: 2,
  requests: [Sample.request({ sentAt: 1, doneAt: 2, outcome: "dropped", status: undefined, ending: "reset" })]
})

/** What is written while two stops are made. */
const watch = (columns: number | undefined, lossesCount = true) =>
  Effect.gen(function* () {
    let written = ""
    const screen = { columns, write: (text: string) => void (written += text) }
    yield* Effect.gen(function* () {
      const tell = yield* DrillProgress.make(screen)
      yield* tell({ _tag: "Began", stops: 2, seed: 7, skipped: [] })
      for (const stop of [good, bad]) {
        yield* tell({ _tag: "StopBegan", nth: stop.nth, scenario: scenario(lossesCount) })
        yield* tell({ _tag: "StopEnded", stop })
      }
    }).pipe(Effect.scoped)
    return written
  })

describe("the progress of a drill", () => {
  it.effect("is a line a stop where there is no terminal, without a control character", () =>
    Effect.gen(function* () {
      const lines = (yield* watch(undefined)).split("\n")
      assert.strictEqual(lines[0], "2 stops, seed 7")
      assert.match(lines[1]!, /^ok {3}kept-alive #1: 1 request, exit 0 after /)
      assert.match(lines[2]!, /^FAIL kept-alive #2: 1 request, 1 lost, exit 0 after /)
      assert.deepStrictEqual(lines.slice(3), [""])
    })
  )

  it.effect("is written over on a terminal, where only what went wrong stays", () =>
    Effect.gen(function* () {
      const written = yield* watch(30)
      const kept = written.split("\u001b[2K").map((part) => part.replaceAll("\r", ""))
      assert.include(kept, "1/2  0 lost  kept-alive 0 s")
      assert.isTrue(kept.some((part) => part.startsWith("FAIL kept-alive #2") && part.endsWith("\n")))
      assert.isFalse(kept.some((part) => part.startsWith("ok ")))
      for (const part of kept.filter((text) => !text.includes("\n"))) assert.isBelow(part.length, 30)
      assert.isTrue(written.endsWith("\r\u001b[2K"))
    })
  )

  it.effect("counts no loss where a scenario is about losses", () =>
    Effect.gen(function* () {
      assert.match(yield* watch(undefined, false), /\nok {3}kept-alive #2/)
    })
  )
})
