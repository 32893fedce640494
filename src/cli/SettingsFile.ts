/**
 * A settings file in TOML with the keys of the environment in lower case; the environment wins.
 *
 * `shutdown_timeout = 30` and `timeout = 30` under `[shutdown]` are the same key. What is no setting is refused: a misspelt limit that is
 * passed over without a word would show on the day it is needed.
 */
import * as ConfigProvider from "effect/ConfigProvider"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import { readFileSync } from "node:fs"
import { parse, TomlError } from "smol-toml"
import * as ExitCode from "../lifecycle/ExitCode.js"

/** The file that is read where there is one and `SETTINGS_FILE` names no other. */
export const standard = "config/settings.toml"

/** The file cannot be read, or holds what is no setting. */
export class SettingsRefused extends Data.TaggedError("SettingsRefused")<{ readonly message: string }> {
  readonly [ExitCode.symbol] = ExitCode.invalid
}

/** Keys and values as the environment would have them. Tables are joined by underscores. */
const flatten = (
  table: Record<string, unknown>,
  prefix: string,
  refuse: (key: string, why: string) => SettingsRefused
): ReadonlyArray<readonly [key: string, text: string]> =>
  Object.entries(table).flatMap(([name, value]) => {
    const key = prefix + name
    switch (typeof value) {
      case "string":
      case "number":
      case "bigint":
      case "boolean":
        return [[key, String(value)] as const]
      default:
        if (
          value !== null &&
          typeof value === "object" &&
          !(value instanceof Date) &&
          !Array.isArray(value)
        ) {
          return flatten(value as Record<string, unknown>, `${key}_`, refuse)
        }
        throw refuse(key, "has a value that is no text, number or boolean")
    }
  })

/** Reads `text`; `known` are the keys that there are, as the environment spells them. Throws {@link SettingsRefused}. */
export const read = (file: string, text: string, known: ReadonlySet<string>): ReadonlyMap<string, string> => {
  const refuse = (key: string, why: string) => new SettingsRefused({ message: `${file}: ${key} ${why}` })
  let table: Record<string, unknown>
  try {
    table = parse(text)
  } catch (error) {
    const { column, line } = error as TomlError
    throw new SettingsRefused({ message: `${file}: not TOML at line ${line}, column ${column}` })
  }
  const settings = new Map<string, string>()
  for (const [key, value] of flatten(table, "", refuse)) {
    const upper = key.toUpperCase()
    if (key !== key.toLowerCase()) throw refuse(key, "must be in lower case")
    if (!known.has(upper))
      throw refuse(key, "is not a setting; allowed are the keys of .env.example in lower case")
    if (settings.has(upper)) throw refuse(key, "is set twice")
    settings.set(upper, value)
  }
  return settings
}

/**
 * The environment, and behind it the file that `SETTINGS_FILE` names, or {@link standard} where that is there. Fails with {@link SettingsRefused}, also when a named
 * file is not there.
 */
export const provider = (
  known: ReadonlySet<string>
): Effect.Effect<ConfigProvider.ConfigProvider, SettingsRefused> =>
  Effect.suspend(() => {
    const environment = ConfigProvider.fromEnv()
    const named = process.env.SETTINGS_FILE
    const file = named ?? standard
    try {
      const settings = read(file, readFileSync(file, "utf8"), known)
      return Effect.succeed(
        ConfigProvider.orElse(environment, () => ConfigProvider.fromMap(new Map(settings)))
      )
    } catch (error) {
      if (error instanceof SettingsRefused) return error
      const { code, message } = error as NodeJS.ErrnoException
      if (code === "ENOENT" && named === undefined) return Effect.succeed(environment)
      return new SettingsRefused({
        message: `SETTINGS_FILE=${JSON.stringify(file)} cannot be read: ${message}; allowed is a file in TOML`
      })
    }
  })
