import { assert, describe, it } from "@effect/vitest"
import * as Html from "../../../src/drill/report/Html.js"
import * as Markup from "../../../src/drill/report/Markup.js"
import * as Sample from "./Sample.js"

const { html } = Markup

/** What a browser would show: no tags, no styles, no scripts. */
const shown = (page: string): string =>
  page
    .replaceAll(/<(style|script)>.*?<\/\1>/gs, "")
    .replaceAll(/<[^>]*>/g, " ")
    .replaceAll("&amp;", "&")
    .replaceAll(/\s+/g, " ")

describe("markup", () => {
  it("escapes whatever is put into it, in elements and in attributes", () => {
    assert.strictEqual(
      html`<a title="${'"><script>'}">${["<b>", 1, undefined, html`<i>&amp;</i>`]}</a>`.text,
      '<a title="&quot;&gt;&lt;script&gt;">&lt;b&gt;1<i>&amp;</i></a>'
    )
  })

  it("shows characters that HTML does not allow, or that turn a line around, as U+FFFD", () => {
    assert.strictEqual(
      Markup.escape("a\u0000b\u001b[31m\u202ec\ud800d\n\té😀"),
      "a\ufffdb\ufffd[31m\ufffdc\ufffdd\n\té😀"
    )
  })
})

describe("the page", () => {
  const passing = Html.render(Sample.passing)
  const failing = Html.render(Sample.failing)

  it("asks for nothing: no address of anything outside itself, and a policy that forbids it", () => {
    for (const page of [passing, failing]) {
      assert.include(page, "default-src 'none'")
      const addresses = [...page.matchAll(/(?:src|href|url|action|data)\s*[=(]\s*["']?([^"')\s>]*)/g)].map(
        (match) => match[1]!
      )
      assert.deepStrictEqual(
        addresses.filter((address) => !address.startsWith("#scenario-") && address !== "data:,"),
        []
      )
      assert.notMatch(page, /@import|<link(?! rel="icon")|<img|<iframe|fetch\(|XMLHttp|WebSocket\(/)
    }
  })

  it("says the verdict in its heading and its title", () => {
    assert.include(passing, '<h1 class="pass">Nothing was lost.</h1>')
    assert.include(passing, "<title>shop: passed</title>")
    assert.include(failing, "<title>shop &amp; sons: failed</title>")
    assert.match(failing, /<h1 class="fail">\d+ requests were lost and 2 expectations were not met\.<\/h1>/)
  })

  it("lists each loss with what became of it, when, and how", () => {
    const text = shown(failing)
    assert.match(text, /GET \/fast dropped by a reset that hit the request \S+ ms \S+ ms \d+/)
    assert.include(text, "GET /fast hung no end within the grace 300 ms 12.0 s 2")
    for (const { request } of Sample.failing.verdict.lost.slice(0, 8)) assert.include(text, request.kind)
  })

  it("says which expectation was not met, and what was found", () => {
    const text = shown(failing)
    assert.include(text, "exit within the grace: it was still there after 12.0 s")
    assert.include(text, "3 expectations, 2 not met")
    assert.include(text, "1 of 3 stops had to be killed")
  })

  it("runs nothing that a service printed, and no name that a caller gave", () => {
    assert.include(failing, "&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;")
    assert.strictEqual(failing.match(/<script>/g)?.length, 1)
    const evil = '"><img src=x onerror=alert(1)>\u0000</script>'
    const stop = Sample.stop({
      scenario: evil,
      title: evil,
      signal: evil,
      expectations: [{ name: evil, ok: false, detail: evil }],
      requests: [
        Sample.request({ kind: evil, outcome: "late" }),
        Sample.request({ kind: evil, outcome: "wrong" })
      ],
      steps: [{ name: evil, kind: evil, from: 0, to: 5, outcome: evil }],
      notes: { [evil]: evil },
      output: evil
    })
    const page = Html.render(
      Sample.report([stop], {
        name: evil,
        command: evil,
        url: evil,
        node: evil,
        endedEarly: evil,
        skipped: [{ scenario: evil, reason: evil }]
      })
    )
    assert.notInclude(page, "<img")
    assert.notInclude(page, "\u0000")
    assert.strictEqual(page.match(/<\/script>/g)?.length, 1)
  })

  it("shows one stop of each scenario, the worst, and has a button for each other", () => {
    const sections = passing.split('<section class="scenario"').slice(1)
    assert.strictEqual(sections.length, 2)
    for (const section of sections) {
      assert.strictEqual(section.match(/<div class="stop" >/g)?.length, 1)
      const stops = section.match(/<div class="stop"/g)!.length
      assert.strictEqual(
        section.match(/<div class="picker".*?<\/div>/s)?.[0].match(/<button/g)?.length ?? 1,
        stops
      )
    }
    const worst = failing.split('<section class="scenario"')[1]!
    const losses = [1, 3].map((nth) => Sample.failing.verdict.lost.filter((lost) => lost.nth === nth).length)
    const [expected] = losses.toSorted((a, b) => b - a)
    assert.match(
      worst.split('<div class="stop" >')[1]!.split('<div class="stop"')[0]!,
      new RegExp(`Lost: ${expected} requests`)
    )
  })

  it("puts the moments in order and says in words what the picture shows", () => {
    const stop = passing.slice(passing.indexOf('<div class="stop" >'))
    const flags = [...stop.slice(0, stop.indexOf("</figure>")).matchAll(/class="flag (\w+)/g)].map(
      (match) => match[1]
    )
    assert.deepStrictEqual(flags, ["signal", "listener", "whole", "exit"])
    assert.match(
      shown(passing),
      /After SIGTERM, the listener closed after 2\.1 ms; the last whole response was in after \d+ ms; the process was gone after \d+ ms, exit code 0\./
    )
    assert.include(shown(failing), "the process had to be killed")
    assert.include(shown(passing), "ledger-ingestion 12 ms")
  })

  it("shows a drill of which nothing came, and one that ended early", () => {
    assert.include(Html.render(Sample.report([])), "No stop was made.")
    const early = Sample.report([Sample.stop()], {
      endedEarly: "the service did not start for stop 2 of 3",
      verdict: {
        passed: false,
        lost: [],
        failed: [
          { scenario: "kept-alive", nth: 2, name: "starts again", detail: "port 80: permission denied" }
        ]
      }
    })
    const text = shown(Html.render(early))
    assert.include(text, "Ended early: the service did not start for stop 2 of 3.")
    assert.include(text, "port 80: permission denied")
  })

  it("stays small: a thousand requests a stop, hundreds of stops, a few megabytes", () => {
    const requests = Sample.load(128, 3)
    const stops = Array.from({ length: 200 }, (_, i) =>
      Sample.stop({ nth: i + 1, scenario: `s${i % 4}`, requests: requests.slice(0, 1000) })
    )
    const page = Html.render(Sample.report(stops))
    assert.isBelow(page.length, 6_000_000)
    assert.include(page, "the worst 24 of 50")
  })
})
