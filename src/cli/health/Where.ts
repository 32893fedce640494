/** Where the service of this environment listens, as the service itself reads it: environment, `.env`, settings file. */
import { readFileSync } from "node:fs"
import { path, Refused } from "./Arguments.js"

/** Keys that say where. */
const keys = ["HEALTH_PORT", "SERVER_PORT", "SERVER_HOST"] as const
type Where = Partial<Record<(typeof keys)[number], string>>

const standardFile = "config/settings.toml"

const environmentFile = (): void => {
  try {
    process.loadEnvFile(".env")
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code !== "ENOENT") throw new Refused(`.env is there but cannot be read: ${message}`)
  }
}

/** What the settings file says: `health_port = 1`, or `port = 1` under `[health]`. What else is in it is for the service to judge. */
const settingsFile = async (): Promise<Where> => {
  const named = process.env.SETTINGS_FILE
  const file = named ?? standardFile
  let text: string
  try {
    text = readFileSync(file, "utf8")
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === "ENOENT" && named === undefined) return {}
    throw new Refused(
      `SETTINGS_FILE=${JSON.stringify(file)} cannot be read: ${message}; allowed is a file in TOML`
    )
  }
  const { parse } = await import("smol-toml")
  let table: Record<string, unknown>
  try {
    table = parse(text)
  } catch (error) {
    const { column, line } = error as { readonly line: number; readonly column: number }
    throw new Refused(`${file}: not TOML at line ${line}, column ${column}`)
  }
  const where: Where = {}
  for (const key of keys) {
    const [group, name] = key.toLowerCase().split("_") as [string, string]
    const nested = table[group]
    const value =
      table[key.toLowerCase()] ??
      (typeof nested === "object" && nested !== null ? (nested as Record<string, unknown>)[name] : undefined)
    if (value !== undefined) where[key] = String(value)
  }
  return where
}

const port = (where: Where): string => {
  const key = where.HEALTH_PORT !== undefined ? "HEALTH_PORT" : "SERVER_PORT"
  const text = where[key] ?? "8080"
  const value = /^\d{1,5}$/.test(text.trim()) ? Number(text) : Number.NaN
  if (!(value <= 65535)) throw new Refused(`${key}: "${text}" is not a port; allowed is 1 to 65535, or --url`)
  if (value === 0)
    throw new Refused(`${key}: "0" lets the system choose a port, which cannot be known here; give --url`)
  return String(value)
}

/** A service that listens on every address is asked on the loopback one. */
const host = ({ SERVER_HOST: text = "0.0.0.0" }: Where): string => {
  const name = text.trim()
  if (name === "0.0.0.0") return "127.0.0.1"
  if (name === "::") return "[::1]"
  if (!/^[\w.:%-]+$/.test(name))
    throw new Refused(
      `SERVER_HOST: "${text}" is not a host; allowed is an IP address or a host name, or --url`
    )
  return name.includes(":") ? `[${name}]` : name
}

/** The readiness of this environment's service. Throws `Refused` where the environment is wrong. */
export const url = async (): Promise<URL> => {
  environmentFile()
  const set: Where = {}
  for (const key of keys) {
    const value = process.env[key]
    if (value !== undefined) set[key] = value
  }
  const where = { ...(await settingsFile()), ...set }
  const text = `http://${host(where)}:${port(where)}${path}`
  if (!URL.canParse(text)) throw new Refused(`SERVER_HOST: "${where.SERVER_HOST}" is not a host; give --url`)
  return new URL(text)
}
