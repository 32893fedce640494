/** The alert rules: promtool understands and tries them, and whatever they speak of is there. */
import { assert, describe, it } from "@effect/vitest"
import { execFile } from "node:child_process"
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { parse } from "yaml"
import * as Installed from "../support/Installed.js"

const folder = "deploy/prometheus"

interface Rule {
  readonly alert: string
  readonly expr: string
  readonly labels: Record<string, string>
  readonly annotations: Record<string, string>
}

interface Tried {
  readonly tests: ReadonlyArray<{
    readonly alert_rule_test: ReadonlyArray<{
      readonly alertname: string
      readonly exp_alerts: ReadonlyArray<unknown>
    }>
  }>
}

const read = (file: string): unknown => parse(readFileSync(join(folder, file), "utf8"))

const { groups } = read("alerts.yaml") as {
  readonly groups: ReadonlyArray<{ readonly rules: ReadonlyArray<Rule> }>
}
const rules = groups.flatMap((group) => group.rules)

const promtool = await Installed.tool("promtool", "prometheus")

const run = (...args: ReadonlyArray<string>) =>
  new Promise<{ readonly failed: boolean; readonly said: string }>((resolve) => {
    execFile(promtool.path!, args, { cwd: folder, timeout: 20_000 }, (error, stdout, stderr) =>
      resolve({ failed: error !== null, said: stdout + stderr })
    )
  })

describe.skipIf(promtool.path === undefined)(`Prometheus${promtool.note}`, () => {
  it("understands the rules", async () => {
    const { failed, said } = await run("check", "rules", "alerts.yaml")
    assert.isFalse(failed, said)
    assert.include(said, `${rules.length} rules found`)
  })

  it("fires them when it should, and not otherwise", async () => {
    const { failed, said } = await run("test", "rules", "alerts.test.yaml")
    assert.isFalse(failed, said)
  })
})

it("every rule is seen to fire and to be silent", () => {
  const { tests } = read("alerts.test.yaml") as Tried
  const tried = tests.flatMap((test) => test.alert_rule_test)
  for (const { alert } of rules) {
    const mine = tried.filter(({ alertname }) => alertname === alert)
    assert.isTrue(
      mine.some(({ exp_alerts }) => exp_alerts.length > 0),
      `${alert} never fires`
    )
    assert.isTrue(
      new Set(mine.map(({ exp_alerts }) => exp_alerts.length)).size > 1,
      `${alert} is always the same`
    )
  }
})

/** GitHub's anchors of a file's headings. */
const anchors = (file: string): ReadonlySet<string> =>
  new Set(
    readFileSync(file, "utf8")
      .split("\n")
      .filter((line) => /^#{1,6} /.test(line))
      .map((line) =>
        line
          .replace(/^#+ /, "")
          .toLowerCase()
          .replaceAll(/[^\w\- ]/g, "")
          .replaceAll(" ", "-")
      )
  )

it("every rule says how bad it is, what it means, and where it is said what to do", () => {
  for (const { alert, annotations, labels } of rules) {
    assert.include(["critical", "warning", "info"], labels.severity, alert)
    assert.hasAllKeys(annotations, ["summary", "description", "runbook"], alert)
    const [file, anchor] = annotations.runbook!.split("#")
    assert.isTrue(existsSync(file!), `${alert}: ${file} is not there`)
    assert.isTrue(anchors(file!).has(anchor!), `${alert}: ${file} has no heading for #${anchor}`)
  }
})

/** The metrics that an expression reads: what is left of its names without labels, durations, functions and words. */
const metricsOf = (expr: string): ReadonlyArray<string> => {
  const bare = expr
    .replaceAll(/\{[^}]*\}|\[[^\]]*\]|offset \w+/g, "")
    .replaceAll(/\b(?:by|on) \([^)]*\)/g, "")
  const names = bare.match(/[a-z_][a-z0-9_]*(?!\w)(?!\s*\()/g) ?? []
  const words = new Set(["and", "or", "unless", "max", "min", "sum"])
  return [...new Set(names.filter((name) => !words.has(name)))]
}

it("every metric that a rule reads is documented", () => {
  const documented = readFileSync("docs/metrics.md", "utf8")
  const isDocumented = (name: string) =>
    [name, name.replace(/_(?:sum|count|bucket)$/, "")].some((each) =>
      new RegExp(`\`${each}(?:\\{[^}]*\\})?\``).test(documented)
    )
  const used = new Set(rules.flatMap(({ expr }) => metricsOf(expr)))
  assert.isAtLeast(used.size, 15)
  assert.deepStrictEqual(
    [...used].filter((name) => !isDocumented(name)),
    []
  )
})
