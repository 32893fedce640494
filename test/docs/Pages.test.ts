/** What the pages refer to is there. */
import { assert, describe, it } from "@effect/vitest"
import { existsSync, readdirSync } from "node:fs"
import * as Settings from "../../src/cli/Settings.js"
import * as Pages from "./Pages.js"

const keys = new Set<string>([...Settings.ownKeys, ...Settings.keys])
const prefixes = new Set([...keys].map((key) => key.split("_")[0]))

describe.each(Pages.all)("$file", (page) => {
  it("has links that lead somewhere", () => {
    assert.deepStrictEqual(Pages.broken(page), [])
  })

  it("names keys that there are", () => {
    const named = page.text.match(/(?<![\w/$])[A-Z]{2,}_[A-Z_]*[A-Z](?![\w*])/g) ?? []
    const unknown = named.filter((key) => prefixes.has(key.split("_")[0]) && !keys.has(key))
    assert.deepStrictEqual([...new Set(unknown)], [])
  })
})

describe("docs/operations.md", () => {
  const text = Pages.page("docs/operations.md")

  it("quotes log lines that the service says", () => {
    const types = new Set(
      [
        ...text.matchAll(/"event_type":"(\w+)"/g),
        ...text.matchAll(
          /`((?:shutdown|lease|ingestion|ws_shutdown|ws_session|last_run|redis|run_record|requests)_\w+)`/g
        )
      ].map(([, type]) => type!)
    )
    // Metrics have their own test; the outcome of a last run is put behind its prefix.
    const unknown = [...types]
      .filter((type) => !/_total$|_seconds$|^redis_connected$|^ws_\w+s$/.test(type))
      .filter((type) => !/^last_run_(?:stopped|crashed|killed|unreadable)$/.test(type))
      .filter((type) => !Pages.source.includes(`"${type}"`))
    assert.deepStrictEqual(unknown, [])
    assert.isAbove(types.size, 12)
    for (const [, message] of text.matchAll(/"message":"([^"]+)"/g)) {
      // The start of a message about a step is its kind.
      const end = message!.replace(/^(?:quiesce|release) /, "")
      assert.include(Pages.source, end, message)
    }
  })

  it("names metrics that there are", () => {
    const table = Pages.page("docs/metrics.md")
    const named = Pages.spans(text).map((span) => span.replace(/\{.*\}$/, ""))
    const metrics = named.filter((name) =>
      /^[a-z]+(?:_[a-z0-9]+)*_(?:total|seconds|bytes|connected|waiting|failing|held)$/.test(name)
    )
    assert.isAbove(metrics.length, 12)
    for (const name of metrics) assert.include(table, `| \`${name}\` `, name)
  })

  it("has the headings that alerts lead to", () => {
    const anchors = Pages.anchors(text)
    for (const heading of [
      "shutdown-takes-too-long",
      "tasks-do-not-stop",
      "database-errors-while-stopping",
      "websocket-clients-not-told",
      "ingestion-halted",
      "redis-away",
      "disk-full",
      "webhooks-pile-up",
      "a-run-ended-uncleanly"
    ]) {
      assert.isTrue(anchors.has(heading), heading)
    }
  })

  it("leads from every alert to its section", () => {
    const rules = Pages.page("deploy/prometheus/alerts.yaml")
    const alerts = [...rules.matchAll(/- alert: (\w+)[\s\S]*?runbook: (\S+\.md)#(\S+)/g)]
    assert.isAbove(alerts.length, 10)
    for (const [, alert, file, anchor] of alerts) {
      assert.isTrue(Pages.anchors(Pages.page(file!)).has(anchor!), `${alert}: ${file}#${anchor}`)
      if (file !== "docs/operations.md") continue
      const row = text.split("\n").find((line) => line.startsWith("|") && line.includes(`\`${alert}\``))
      assert.include(row ?? "", `(#${anchor})`, alert)
    }
  })

  it("names every reason of a halt", () => {
    const [, rejections] = /export type Rejection =([\s\S]*?)\n\n/.exec(Pages.source) ?? []
    const [, failures] = /export type SourceFailure =([\s\S]*?)\n\n/.exec(Pages.source) ?? []
    const reasons = [...`${rejections}${failures}`.matchAll(/\| "([\w-]+)"/g)].map(([, reason]) => reason!)
    assert.isAbove(reasons.length, 8)
    for (const reason of reasons) assert.include(text, `\`${reason}\``)
  })
})

describe("docs/architecture.md", () => {
  it("says of every folder what it holds", () => {
    const text = Pages.page("docs/architecture.md")
    for (const entry of readdirSync("src", { withFileTypes: true }))
      if (entry.isDirectory()) assert.include(text, `| \`src/${entry.name}/\` `)
  })
})

describe("docs/README.md", () => {
  it("leads to every page", () => {
    const text = Pages.page("docs/README.md")
    for (const { file } of Pages.all) {
      const name = file.replace(/^docs\//, "")
      if (file.startsWith("docs/") && name !== "README.md") assert.include(text, `](${name})`)
    }
  })
})

describe("docs/capabilities.md", () => {
  const text = Pages.page("docs/capabilities.md")
  const rows = [...text.matchAll(/^\| ([A-E]\d+) .*$/gm)].map(([line, id]) => ({ id: id!, line }))

  it("has every capability once, in order", () => {
    const counts = { A: 15, B: 9, C: 6, D: 7, E: 8 }
    const wanted = Object.entries(counts).flatMap(([letter, count]) =>
      Array.from({ length: count }, (_, i) => `${letter}${i + 1}`)
    )
    assert.deepStrictEqual(
      rows.map(({ id }) => id),
      wanted
    )
  })

  it("names files that there are, and at least one for each", () => {
    for (const { id, line } of rows) {
      const files = Pages.spans(line).filter((span) =>
        /^(?:src|test|bench|docs|deploy|\.scripts|\.ci)\//.test(span)
      )
      assert.isNotEmpty(files, id)
      for (const file of files) assert.isTrue(existsSync(file), `${id}: ${file}`)
    }
  })

  it("names laws, scenarios and rows that the tests are about", () => {
    for (const [, file, note] of text.matchAll(/`(test\/[^`]+)` \(([^)]*)\)/g)) {
      const test = Pages.page(file!)
      for (const [id] of note!.matchAll(/\b[A-E]\d+\b/g)) assert.include(test, id, file)
      for (const [, kind, numbers] of note!.matchAll(/\b(law|scenario)s? (\d+(?: and \d+)*)/g))
        for (const number of numbers!.split(" and "))
          assert.match(test, new RegExp(`\\b${kind}s?[^"\`]*\\b${number}\\b`), `${file}: ${kind} ${number}`)
    }
  })
})
