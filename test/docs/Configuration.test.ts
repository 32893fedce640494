import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import { readFileSync } from "node:fs"
import * as Generate from "../../.scripts/generate-configuration.js"
import * as Settings from "../../src/cli/Settings.js"
import * as SettingsFile from "../../src/cli/SettingsFile.js"

const page = readFileSync(Generate.file, "utf8")

describe("docs/configuration.md", () => {
  it("is what .env.example and the code make of it: npm run generate:docs", async () => {
    assert.strictEqual(page, await Generate.generate())
  })

  it("has every key once, with what is said of it", () => {
    const entries = Generate.groups().flatMap(({ entries }) => entries)
    assert.deepStrictEqual(
      entries.map(({ key }) => key).toSorted(),
      [...Settings.ownKeys, ...Settings.keys].toSorted()
    )
    for (const { key } of entries) {
      const [row, more] = page.split("\n").filter((line) => line.startsWith(`| \`${key}\` `))
      assert.isUndefined(more, key)
      assert.match(row ?? "", /\| [^|]*\w[^|]*\|$/, key)
    }
  })

  it("shows what follows from other keys as the code derives it", () => {
    const shown = new Map(Generate.groups().flatMap(({ entries }) => entries.map((e) => [e.key, e.value])))
    const { idleGrace, stages, whole } = Generate.budget({})
    for (const [key, duration] of [
      ["SHUTDOWN_TIMEOUT", whole],
      ["SHUTDOWN_CACHE_TIMEOUT", stages.cache],
      ["SHUTDOWN_IDLE_GRACE", idleGrace]
    ] as const) {
      assert.strictEqual(Number(shown.get(key)), Duration.toSeconds(duration), key)
    }
  })

  it("knows what is secret", () => {
    const secret = page.split("\n").flatMap((line) => {
      const [, key] = /^\| `(\w+)` .*\*\*secret\*\*/.exec(line) ?? []
      return key === undefined ? [] : [key]
    })
    assert.includeMembers(secret, ["ADMIN_KEYS", "REDIS_URL", "STELLAR_RPC_URL", "WS_AUTH_TOKEN"])
    assert.notInclude(secret, "SERVER_PORT")
  })

  it("shows a settings file that is accepted", () => {
    const [, toml] = /```toml\n([\s\S]*?)```/.exec(page) ?? []
    const settings = SettingsFile.read("settings.toml", toml ?? "", new Set(Settings.keys))
    assert.deepStrictEqual(
      [...settings.keys()],
      [
        "LOG_LEVEL",
        "SHUTDOWN_TIMEOUT",
        "SHUTDOWN_WAIT_FOR_CONNECTIONS",
        "SHUTDOWN_FORCE_AFTER_TIMEOUT",
        "SERVER_PORT"
      ]
    )
  })

  it.each(Generate.examples)("$title: leaves a second for the kill that says where it hung", ({ env }) => {
    const { SHUTDOWN_TIMEOUT: whole, TERMINATION_GRACE_PERIOD: grace } = env
    const budget = Generate.budget(env)
    assert.include(page, `# ${budget.arithmetic.at(-1)}`)
    if (whole !== undefined) assert.strictEqual(budget.arithmetic.length, 4)
    if (grace !== undefined) Generate.budget({ ...env, TERMINATION_GRACE_PERIOD: String(Number(grace) - 1) })
  })
})
