import { assert, describe, it } from "@effect/vitest"
import * as SettingsFile from "../../src/cli/SettingsFile.js"

const known = new Set([
  "SHUTDOWN_TIMEOUT",
  "SHUTDOWN_DB_TIMEOUT",
  "SHUTDOWN_FORCE_AFTER_TIMEOUT",
  "LOG_LEVEL"
])
const read = (text: string) => Object.fromEntries(SettingsFile.read("settings.toml", text, known))

const refusal = (text: string): string => {
  try {
    read(text)
  } catch (error) {
    return (error as Error).message
  }
  return assert.fail(`it was accepted: ${text}`)
}

describe("the settings file", () => {
  it("has the keys of the environment in lower case, flat or in tables", () => {
    assert.deepStrictEqual(
      read(
        'shutdown_timeout = 30\nlog_level = "debug"\n[shutdown]\nforce_after_timeout = false\ndb.timeout = "2 minutes"'
      ),
      {
        SHUTDOWN_TIMEOUT: "30",
        LOG_LEVEL: "debug",
        SHUTDOWN_FORCE_AFTER_TIMEOUT: "false",
        SHUTDOWN_DB_TIMEOUT: "2 minutes"
      }
    )
  })

  it.each([
    ["shutdown_timout = 30", "settings.toml: shutdown_timout is not a setting"],
    ["SHUTDOWN_TIMEOUT = 30", "settings.toml: SHUTDOWN_TIMEOUT must be in lower case"],
    [
      "shutdown_timeout = [1]",
      "settings.toml: shutdown_timeout has a value that is no text, number or boolean"
    ],
    ["shutdown_timeout = 2026-01-01", "settings.toml: shutdown_timeout has a value that is no"],
    ["shutdown_timeout = 1\n[shutdown]\ntimeout = 2", "settings.toml: shutdown_timeout is set twice"],
    ["log_level = debug", "settings.toml: not TOML at line 1"]
  ])("%j is refused", (text, message) => {
    assert.include(refusal(text), message)
  })
})
