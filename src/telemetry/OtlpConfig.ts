/**
 * Where telemetry goes, by the keys that OpenTelemetry names.
 *
 * | key | default | allowed |
 * |---|---|---|
 * | `OTEL_EXPORTER_OTLP_ENDPOINT` | none: nothing is exported | an `http` or `https` URL without credentials or query; `/v1/traces` and `/v1/metrics` are added to it |
 * | `OTEL_EXPORTER_OTLP_HEADERS` | none | `name=value`, percent-encoded where needed, separated by commas |
 * | `OTEL_SERVICE_NAME` | `service.name` of the next key, else `stellar-insights` | any text |
 * | `OTEL_RESOURCE_ATTRIBUTES` | none | `key=value`, percent-encoded where needed, separated by commas |
 * | `OTEL_TRACES_SAMPLER` | `parentbased_always_on` | `always_on`, `always_off`, `traceidratio`, and each after `parentbased_` |
 * | `OTEL_TRACES_SAMPLER_ARG` | 1 | 0 to 1; what part of the traces a `traceidratio` keeps |
 *
 * @module
 */
import * as Config from "effect/Config"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as ConfigText from "../lifecycle/ConfigText.js"

/** Which traces are kept. */
export interface Sampler {
  /** As `OTEL_TRACES_SAMPLER` says it. */
  readonly name: string
  /** Whether a request that says whether its caller keeps the trace is believed. */
  readonly parentBased: boolean
  /** What part of the traces that begin here is kept, 0 to 1. */
  readonly ratio: number
}

/** The settings. */
export interface OtlpConfig {
  /** The collector: what paths are added to, without a slash at its end; none: nothing is exported. `OTEL_EXPORTER_OTLP_ENDPOINT`. */
  readonly endpoint: Option.Option<string>
  /** Sent with every export, such as the collector's key. `OTEL_EXPORTER_OTLP_HEADERS`. */
  readonly headers: Redacted.Redacted<Readonly<Record<string, string>>>
  /** How the service is called there. `OTEL_SERVICE_NAME`. */
  readonly serviceName: string
  /** What else is said of where telemetry comes from. `OTEL_RESOURCE_ATTRIBUTES`. */
  readonly attributes: Readonly<Record<string, string>>
  /** Which traces are kept. `OTEL_TRACES_SAMPLER`. */
  readonly sampler: Sampler
  /** `OTEL_TRACES_SAMPLER_ARG`, 1. */
  readonly samplerArg: number
}

/** How the service is called unless something else is said. */
export const defaultServiceName = "stellar-insights"

const samplers = ["always_on", "always_off", "traceidratio"]

const endpoint: ConfigText.Parse<Option.Option<string>> = (text) => {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    return Either.left("is not an http or https URL, such as http://127.0.0.1:4318")
  }
  if (url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "") {
    return Either.left("has more than host and path; credentials go into OTEL_EXPORTER_OTLP_HEADERS")
  }
  return Either.right(Option.some(url.href.replace(/\/+$/, "")))
}

/** `key=value,key=value`. What is wrong is said without the values. */
const pairs =
  (form: RegExp): ConfigText.Parse<Readonly<Record<string, string>>> =>
  (text) => {
    const found: Record<string, string> = {}
    for (const [i, part] of text.split(",").entries()) {
      if (part.trim() === "") continue
      const at = part.indexOf("=")
      const key = part.slice(0, at).trim()
      if (at < 1 || !form.test(key)) return Either.left(`entry ${i + 1} is not name=value`)
      try {
        found[key] = decodeURIComponent(part.slice(at + 1).trim())
      } catch {
        return Either.left(`the value of entry ${i + 1} (${key}) is not percent-encoded`)
      }
    }
    return Either.right(found)
  }

const sampler: ConfigText.Parse<string> = (text) => {
  const allowed = [...samplers, ...samplers.map((name) => `parentbased_${name}`)]
  return allowed.includes(text)
    ? Either.right(text)
    : Either.left(`"${text}" is not a sampler; allowed are ${allowed.join(", ")}`)
}

const ratio: ConfigText.Parse<number> = (text) => {
  const value = /^\d(\.\d+)?$/.test(text) ? Number(text) : Number.NaN
  return value >= 0 && value <= 1 ? Either.right(value) : Either.left(`"${text}" is not a number from 0 to 1`)
}

const none: Readonly<Record<string, string>> = {}

/** The settings from the environment. Ends in a `ConfigError` that names the key and what is allowed. */
export const config: Config.Config<OtlpConfig> = Config.all({
  endpoint: ConfigText.parsed("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint, Option.none<string>()),
  headers: Config.map(
    ConfigText.parsed("OTEL_EXPORTER_OTLP_HEADERS", pairs(/^[\w!#$%&'*+.^`|~-]+$/), none),
    Redacted.make
  ),
  serviceName: Config.option(Config.nonEmptyString("OTEL_SERVICE_NAME")),
  attributes: ConfigText.parsed("OTEL_RESOURCE_ATTRIBUTES", pairs(/^[^\s,=]+$/), none),
  samplerName: ConfigText.parsed("OTEL_TRACES_SAMPLER", sampler, "parentbased_always_on"),
  samplerArg: ConfigText.parsed("OTEL_TRACES_SAMPLER_ARG", ratio, 1)
}).pipe(
  Config.map(({ attributes, endpoint, headers, samplerArg, samplerName, serviceName }) => ({
    endpoint,
    headers,
    attributes,
    samplerArg,
    serviceName: Option.getOrElse(serviceName, () => attributes["service.name"] ?? defaultServiceName),
    sampler: {
      name: samplerName,
      parentBased: samplerName.startsWith("parentbased_"),
      ratio: samplerName.endsWith("traceidratio") ? samplerArg : samplerName.endsWith("always_on") ? 1 : 0
    }
  }))
)

/** Pairs as the environment has them. */
export const text = (pairs: Readonly<Record<string, string>>): string =>
  Object.entries(pairs)
    .map(([key, value]) => `${key}=${encodeURIComponent(value)}`)
    .join(",")

/** The names of headers, without what they are. */
export const shown = (headers: OtlpConfig["headers"]): string =>
  Object.keys(Redacted.value(headers))
    .map((name) => `${name}=<redacted>`)
    .join(",")
