/**
 * Where error reports go.
 *
 * | key | default | allowed |
 * |---|---|---|
 * | `SENTRY_DSN` | none: nothing is reported | `https://<key>@<host>/<project>`, as Sentry shows it |
 * | `SENTRY_ENVIRONMENT` | `production` | 1 to 64 characters without spaces and slashes |
 *
 * @module
 */
import * as Config from "effect/Config"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as ConfigText from "../lifecycle/ConfigText.js"

/** A project of Sentry. */
export interface Project {
  /** All of it: whoever has it can send reports. */
  readonly dsn: Redacted.Redacted
  /** The host that reports go to, for logs. */
  readonly where: string
}

/** The settings. */
export interface SentryConfig {
  /** Where reports go; none: nowhere. `SENTRY_DSN`. */
  readonly project: Option.Option<Project>
  /** How this installation is called there. `SENTRY_ENVIRONMENT`, `production`. */
  readonly environment: string
}

const project: ConfigText.Parse<Option.Option<Project>> = (text) => {
  const url = URL.canParse(text) ? new URL(text) : undefined
  const isDsn =
    url !== undefined && /^https?:$/.test(url.protocol) && url.username !== "" && /\/\d+$/.test(url.pathname)
  return isDsn
    ? Either.right(Option.some({ dsn: Redacted.make(text), where: url.host }))
    : Either.left("is not a DSN such as https://key@sentry.example.com/1")
}

const environment: ConfigText.Parse<string> = (text) =>
  /^[^\s/]{1,64}$/.test(text) && text !== "None"
    ? Either.right(text)
    : Either.left(`"${text}" is not 1 to 64 characters without spaces and slashes`)

/** The settings from the environment. Ends in a `ConfigError` that names the key, and never the DSN. */
export const config: Config.Config<SentryConfig> = Config.all({
  project: ConfigText.parsed("SENTRY_DSN", project, Option.none<Project>()),
  environment: ConfigText.parsed("SENTRY_ENVIRONMENT", environment, "production")
})
