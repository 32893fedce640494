import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import * as DrillFile from "../../../src/cli/drill/DrillFile.js"
import { settings } from "../../../src/cli/drill/DrillSettings.js"
import { scenarios } from "../../../src/cli/drill/RunDrill.js"
import * as Outcome from "../../../src/drill/wire/Outcome.js"

const text = readFileSync("docs/drill.md", "utf8")

/** The part of the document under a heading. */
const under = (heading: string): string => {
  const [, part] = text.split(`\n## ${heading}\n`)
  assert.isDefined(part, `there is no heading ${heading}`)
  return part!.split("\n## ")[0]!
}

describe("docs/drill.md", () => {
  it("describes every scenario, with the numbers that it covers", () => {
    const rows = under("Scenarios")
      .split("\n")
      .filter((line) => line.startsWith("|"))
    for (const { id, scenarios: numbers } of scenarios) {
      const [, family, variant] = /^(signal-during-start|stop-time)-(.+)$/.exec(id) ?? []
      const row = rows.find((line) =>
        family === undefined
          ? line.startsWith(`| \`${id}\` `)
          : line.startsWith(`| \`${family}-`) &&
            (line.includes(`\`${id}\``) || line.includes(`\`-${variant}\``))
      )
      assert.isDefined(row, `nothing is said of ${id}`)
      if (numbers.length > 0) assert.include(row!, `[${numbers.join(", ")}]`, id)
    }
  })

  it("defines every outcome, and says which are losses", () => {
    const rows = under("Outcomes").split("\n")
    for (const outcome of Outcome.outcomes) {
      const row = rows.find((line) => line.startsWith(`| \`${outcome}\``))
      assert.isDefined(row, `nothing is said of ${outcome}`)
      assert.strictEqual(/^\| `\w+` *\| lost /.test(row!), Outcome.isLost(outcome), outcome)
    }
  })

  it("names every setting, and shows a file that is accepted", () => {
    for (const { name } of settings) assert.match(text, new RegExp(`\`(--)?${name}\\b`), name)
    const [, file] = /```toml\n([^]*?)```/.exec(under("The file")) ?? []
    assert.isAbove(DrillFile.read("drill.toml", file!).size, 10)
  })
})
