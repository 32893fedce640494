/**
 * Where the database is.
 *
 * | key | default | allowed |
 * |---|---|---|
 * | `DATABASE_URL` | `sqlite:./data/insights.db` | `sqlite:` and the path of a file; its folder is created |
 */
import * as Config from "effect/Config"
import * as Setting from "../stellar/source/Setting.js"

/** What the service needs to know to open its database. */
export interface DatabaseConfig {
  /** The setting as it was given, for messages. */
  readonly url: string
  /** Path of the SQLite file, as it was given: relative paths are relative to the working directory. */
  readonly filename: string
}

/** Where the database is unless something else is said. */
export const defaultUrl = "sqlite:./data/insights.db"

const allowed =
  `sqlite: and the path of a file, such as ${defaultUrl} or sqlite:/var/lib/insights.db ` +
  "(not in memory: readers have a connection of their own)"

/** Reads a database URL; undefined when it is none that we can open. */
export const parse = (url: string): DatabaseConfig | undefined => {
  const path = /^sqlite:(?:\/\/(?=\/))?(.+)$/.exec(url)?.[1]
  const isFile = path !== undefined && !path.startsWith("//") && !path.startsWith(":") && !path.endsWith("/")
  return isFile ? { url, filename: path } : undefined
}

/** The database of the environment. Ends in a `ConfigError` that names the key, its value and what is allowed. */
export const config: Config.Config<DatabaseConfig> = Setting.parsed("DATABASE_URL", allowed, parse).pipe(
  Config.withDefault({ url: defaultUrl, filename: defaultUrl.slice("sqlite:".length) })
)
