import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import * as Scope from "effect/Scope"
import * as Exit from "effect/Exit"
import * as Logger from "effect/Logger"
import * as TestClock from "effect/TestClock"
import * as BackfillProgress from "../../src/cli/BackfillProgress.js"
import type { Progress } from "../../src/insights/Backfill.js"

const at = (stored: number): Progress => ({
  from: 1001,
  to: 2000,
  resumedAfter: 1200,
  begin: 1201,
  last: 1200 + stored,
  stored,
  startedAt: 0
})

describe("the progress of a backfill", () => {
  it("is measured over the last ten seconds", () => {
    const pace = BackfillProgress.meter()
    assert.deepStrictEqual(pace(at(0), 0), { perSecond: 0, eta: null })
    assert.deepStrictEqual(pace(at(100), 2000), { perSecond: 50, eta: 14 })
    for (let now = 3000; now <= 30_000; now += 1000) pace(at(100), now)
    assert.deepStrictEqual(pace(at(100), 31_000), { perSecond: 0, eta: null })
    assert.deepStrictEqual(pace(at(800), 32_000).eta, 0)
  })

  it("is a bar that fits its terminal", () => {
    const line = BackfillProgress.bar(at(300), { perSecond: 83.4, eta: 4000 }, 100)
    assert.match(line, /^ledger 1500 of 2000 ▕█+ +▏  50 % {2}83 ledgers\/s {2}ETA 1:06:40$/)
    for (const columns of [20, 40, 60, 80, 200]) {
      assert.isBelow(BackfillProgress.bar(at(300), { perSecond: 8.34, eta: null }, columns).length, columns)
    }
    assert.match(BackfillProgress.bar(at(800), { perSecond: 5, eta: 0 }, 80), /▕█+▏ 100 % {2}5\.0 ledgers\/s/)
  })

  it.effect("is drawn five times a second on a terminal, and the last state stays", () =>
    Effect.gen(function* () {
      const progress = yield* Ref.make(Option.none<Progress>())
      const scope = yield* Scope.make()
      let written = ""
      const terminal = Option.some({ write: (text: string) => (written += text), columns: 80 })
      yield* Layer.buildWithScope(BackfillProgress.layer({ progress, terminal }), scope)
      yield* TestClock.adjust("1 second")
      assert.strictEqual(written, "")
      yield* Ref.set(progress, Option.some(at(0)))
      yield* TestClock.adjust("1 second")
      assert.match(written, /^going on after ledger 1200, the last one that is stored\n\rledger 1200/)
      assert.lengthOf(written.split("\r"), 6)
      yield* Ref.set(progress, Option.some(at(5)))
      yield* Scope.close(scope, Exit.void)
      assert.match(written, /\rledger 1205 of 2000 .*\n$/)
    })
  )

  it.effect("is a line every five seconds elsewhere", () =>
    Effect.gen(function* () {
      const lines: Array<string> = []
      const logger = Logger.replace(
        Logger.defaultLogger,
        Logger.map(Logger.logfmtLogger, (line) => void lines.push(line))
      )
      const progress = yield* Ref.make(Option.some(at(300)))
      const scope = yield* Scope.make()
      const shown = BackfillProgress.layer({ progress, terminal: Option.none() })
      yield* Layer.buildWithScope(Layer.provide(shown, logger), scope)
      yield* TestClock.adjust("4999 millis")
      assert.lengthOf(lines, 0)
      yield* TestClock.adjust("1 millis")
      assert.lengthOf(lines, 1)
      assert.include(lines[0]!, "percent=50")
      assert.include(lines[0]!, "ledgersPerSecond=60")
      yield* TestClock.adjust("10 seconds")
      assert.lengthOf(lines, 3)
      yield* Scope.close(scope, Exit.void)
    })
  )
})
