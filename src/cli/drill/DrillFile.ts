/** The settings of a drill in a file: `drill.toml`. */
import * as Effect from "effect/Effect"
import { readFileSync } from "node:fs"
import { parse, type TomlError } from "smol-toml"
import { DrillRefused } from "./DrillRefused.js"
import type { DrillSetting, Given } from "./DrillSettings.js"
import { settings } from "./DrillSettings.js"

const inFiles = settings.filter(({ onlyFlag }) => onlyFlag !== true)

const isSimple = (value: unknown): value is string | number | bigint | boolean =>
  ["string", "number", "bigint", "boolean"].includes(typeof value)

const isTable = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date)

/** The texts that a value stands for; undefined when it has not the form of the setting. */
const texts = ({ form }: DrillSetting, value: unknown): ReadonlyArray<string> | undefined => {
  switch (form) {
    case "switch":
      return typeof value === "boolean" ? [String(value)] : undefined
    case "pairs":
      return isTable(value) && Object.values(value).every(isSimple)
        ? Object.entries(value).map(([name, text]) => `${name}=${String(text)}`)
        : undefined
    case "many": {
      const all = Array.isArray(value) ? value : [value]
      return all.every(isSimple) ? all.map(String) : undefined
    }
    case "one":
      return isSimple(value) && typeof value !== "boolean" ? [String(value)] : undefined
  }
}

const allowed: Readonly<Record<DrillSetting["form"], string>> = {
  one: "a text or a number",
  many: "a text or an array of texts",
  pairs: 'a table of texts, { NAME = "value" }',
  switch: "true or false"
}

/** Takes the text of `file` apart. Throws {@link DrillRefused}. */
export const read = (file: string, text: string): Given => {
  let table: Record<string, unknown>
  try {
    table = parse(text)
  } catch (error) {
    const { column, line } = error as TomlError
    throw new DrillRefused({ message: `${file}: not TOML at line ${line}, column ${column}` })
  }
  const given = new Map<string, ReadonlyArray<string>>()
  for (const [key, value] of Object.entries(table)) {
    const setting = inFiles.find(({ name }) => name === key)
    if (setting === undefined) {
      const names = inFiles.map(({ name }) => name).join(", ")
      throw new DrillRefused({ message: `${file}: there is no setting "${key}"; allowed are ${names}` })
    }
    const found = texts(setting, value)
    if (found === undefined)
      throw new DrillRefused({ message: `${file}: ${key} must be ${allowed[setting.form]}` })
    given.set(key, found)
  }
  return given
}

/** Reads a file. Fails with {@link DrillRefused} when it cannot be read or holds what is no setting. */
export const load = (file: string): Effect.Effect<Given, DrillRefused> =>
  Effect.suspend(() => {
    try {
      return Effect.succeed(read(file, readFileSync(file, "utf8")))
    } catch (error) {
      if (error instanceof DrillRefused) return error
      return new DrillRefused({ message: `--file ${file}: ${(error as Error).message}` })
    }
  })
