import { assert, describe, it } from "@effect/vitest"
import * as ConfigError from "effect/ConfigError"
import * as ConfigProvider from "effect/ConfigProvider"
import * as ConfigProviderPathPatch from "effect/ConfigProviderPathPatch"
import * as Effect from "effect/Effect"
import * as HashSet from "effect/HashSet"
import { readFileSync, readdirSync } from "node:fs"
import * as Settings from "../../src/cli/Settings.js"

/** Keys of `.env.example` with their value, and whether they are commented out. */
const example = readFileSync(".env.example", "utf8")
  .split("\n")
  .flatMap((line) => {
    const match = /^(#?)([A-Z][A-Z0-9_]+)=(.*)$/.exec(line)
    return match === null ? [] : [{ key: match[2]!, value: match[3]!, isSet: match[1] === "" }]
  })

/** A provider of `values` that remembers which keys it was asked for. */
const recording = (values: Record<string, string>) => {
  const asked = new Set<string>()
  const provider = ConfigProvider.fromFlat(
    ConfigProvider.makeFlat({
      load: (path, primitive) =>
        Effect.suspend(() => {
          const key = path.join("_")
          asked.add(key)
          const text = values[key]
          return text === undefined
            ? Effect.fail(ConfigError.MissingData([...path], `${key} is not set`))
            : Effect.map(primitive.parse(text), (value) => [value])
        }),
      enumerateChildren: () => Effect.succeed(HashSet.empty()),
      patch: ConfigProviderPathPatch.empty
    })
  )
  return { asked, provider }
}

const read = (values: Record<string, string>) => {
  const { asked, provider } = recording(values)
  return Effect.map(Settings.read.pipe(Effect.withConfigProvider(provider)), (read) => ({ ...read, asked }))
}

describe(".env.example", () => {
  it.effect("has exactly the keys that the service reads, as `config check` shows them", () =>
    Effect.gen(function* () {
      const { asked, settings } = yield* read({})
      const own: ReadonlyArray<string> = Settings.ownKeys
      const keys = example.flatMap(({ key }) => (own.includes(key) ? [] : [key])).toSorted()
      assert.deepStrictEqual([...asked].toSorted(), keys)
      assert.deepStrictEqual(settings.map(({ key }) => key).toSorted(), keys)
    })
  )

  it.effect("says the defaults: with it the settings are what they are without", () =>
    Effect.gen(function* () {
      const set = Object.fromEntries(
        example.filter(({ isSet }) => isSet).map(({ key, value }) => [key, value])
      )
      assert.deepStrictEqual((yield* read(set)).settings, (yield* read({})).settings)
    })
  )

  it.effect.each(example.filter(({ isSet }) => !isSet))("accepts what it shows for $key", ({ key, value }) =>
    read({ [key]: value })
  )

  it("says of every key what it is", () => {
    const lines = readFileSync(".env.example", "utf8").split("\n")
    lines.forEach((line, i) => {
      if (/^#?[A-Z][A-Z0-9_]+=/.test(line))
        assert.match(lines[i - 1] ?? "", /^# \S/, `nothing is said of ${line}`)
    })
  })
})

it("no key is read past the configuration", () => {
  const keys = new Set(example.map(({ key }) => key))
  const unknown = readdirSync("src", { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts"))
    .flatMap((file) => [
      ...readFileSync(`src/${file}`, "utf8").matchAll(
        /\b((?:SERVER|SHUTDOWN|STELLAR|LOG|DATABASE|HEALTH|STARTUP|TERMINATION|REDIS|CACHE|LEASE|WEBHOOK|WS|ADMIN|RETENTION)_[A-Z_]+)\b/g
      )
    ])
    .map((match) => match[1]!)
    .filter((key) => !keys.has(key) && key !== "STELLAR_INSIGHTS_VERSION")
  assert.deepStrictEqual([...new Set(unknown)], [])
})
