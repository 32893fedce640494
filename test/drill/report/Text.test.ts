import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as DrillReport from "../../../src/drill/DrillReport.js"
import * as Format from "../../../src/drill/report/Format.js"
import * as Summary from "../../../src/drill/report/Summary.js"
import * as Text from "../../../src/drill/report/Text.js"
import * as Sample from "./Sample.js"

const row = (text: string, id: string): string =>
  text.split("\n").find((line) => line.slice(5).startsWith(`${id} `))!

describe("the text", () => {
  const passing = Text.render(Sample.passing)
  const failing = Text.render(Sample.failing)

  it("has a row a scenario, and the verdict in its last line", () => {
    assert.match(row(passing, "kept-alive"), /^ok {3}kept-alive +3 +[\d,]+ +0 +0 +8 ms +0 +0$/)
    assert.match(
      passing.split("\n").at(-1)!,
      /^PASSED\. Nothing was lost: 4 stops of 2 scenarios, [\d,]+ requests, 92\.0 s\.$/
    )
    assert.match(row(failing, "late-request"), /^FAIL late-request +1 +3 +1 +0 +never +killed +2$/)
    assert.match(
      failing.split("\n").at(-1)!,
      /^FAILED\. \d+ requests were lost and 2 expectations were not met: 3 stops/
    )
  })

  it("lists losses and what was not met, and what was skipped", () => {
    assert.include(
      failing,
      "stop 2: GET /fast hung no end within the grace, sent at 300 ms, ended 11.7 s later"
    )
    assert.include(failing, "expected: the late request is answered; not met in 1 of 1 stop (never)")
    assert.match(failing, /\n {2}and \d+ more\n/)
    assert.include(failing, "skipped websocket-clients: needs the path ws")
  })

  it("obeys no sequence that a service wrote for the terminal", () => {
    const stop = Sample.stop({
      expectations: [{ name: "quiet", ok: false, detail: "\u001b[2J\r\u0007gone" }]
    })
    const text = Text.render(Sample.report([stop]))
    assert.notMatch(text, /(?!\n)\p{Cc}/u)
    assert.include(text, "gone")
  })

  it("shows how long the stops took that were made to be timed", () => {
    const timed = [900, 1100, 1000].map((millis, i) =>
      Sample.stop({ nth: i + 1, scenario: "stop-time-idle", title: "idle", notes: { "stopped in": millis } })
    )
    assert.match(
      Text.render(Sample.report(timed)),
      /\nfrom the signal to the exit +median +longest\nidle +1\.00 s +1\.10 s\n/
    )
  })

  it("has one line for a stop, for whoever watches", () => {
    const [fine] = Sample.passing.stops
    assert.match(
      Text.stopLine(Summary.judge(fine!, true)),
      /^ok {3}kept-alive #1: [\d,]+ requests, exit 0 after \d+ ms$/
    )
    const bad = Sample.failing.stops.find(({ killed }) => killed)!
    assert.strictEqual(
      Text.stopLine(Summary.judge(bad, true)),
      "FAIL late-request #2: 3 requests, 1 lost, had to be killed, not met: exit within the grace, not met: the late request is answered"
    )
    assert.notInclude(Text.stopLine(Summary.judge(bad, false)), "lost")
  })
})

describe("losses that are what a scenario is about", () => {
  it("are not counted and not shown as losses", () => {
    const hung = Sample.request({ sentAt: -1, doneAt: 900, outcome: "hung" })
    const report = Sample.report([Sample.stop({ requests: [hung] })])
    const about = { ...report, verdict: { passed: true, lost: [], failed: [] } }
    assert.strictEqual(Summary.scenarios(report)[0]!.lost, 1)
    assert.strictEqual(Summary.scenarios(about)[0]!.lost, 0)
    assert.include(Format.render("html", about), "ended as this scenario wants")
  })
})

describe("files", () => {
  it("have the form that their name says", () => {
    assert.deepStrictEqual(["out.html", "OUT.JSON", "a/b.txt", "-", "out", "out.pdf"].map(Format.of), [
      "html",
      "json",
      "txt",
      "json",
      undefined,
      undefined
    ])
  })

  it.effect("the JSON is what the schema reads, and nothing is lost in between", () =>
    Effect.gen(function* () {
      const text = Format.render("json", Sample.failing)
      assert.isTrue(text.endsWith("}\n"))
      const read = yield* Schema.decodeUnknown(DrillReport.Json)(text)
      assert.deepStrictEqual(JSON.parse(JSON.stringify(read)), JSON.parse(JSON.stringify(Sample.failing)))
    })
  )
})
