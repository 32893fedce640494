/**
 * The arguments of `stellar-insights health`, read without the command line library: a container asks every few seconds, and pays for
 * each module that is loaded.
 */
import { parseArgs } from "node:util"

/** Usage or configuration is wrong; the message names the option or key, its value and what is allowed. Exit code 2. */
export class Refused extends Error {
  override readonly name = "Refused"
}

/** What is asked for. Times are milliseconds. */
export interface Arguments {
  /** What to ask; undefined: where the environment says that the service listens. */
  readonly url: URL | undefined
  /** Bound of one attempt. */
  readonly timeout: number
  /** One look, or waiting until the service is ready or gone, for at most `within`. */
  readonly wait: { readonly until: "ready" | "shutdown"; readonly within: number } | undefined
  /** Tells of every attempt. */
  readonly verbose: boolean
  /** One line of JSON in place of text. */
  readonly json: boolean
  readonly help: boolean
}

/** The path that is asked where a URL has none. */
export const path = "/health/ready"

/** What `--help` prints. */
export const help = `Ask a service whether it is ready; made for HEALTHCHECK in containers and for scripts around a deployment.

Usage: stellar-insights health [--url URL] [--timeout S] [--wait-ready S | --wait-shutdown S] [--verbose] [--json]

  --url URL          What to ask. A URL without a path asks for ${path}. Default: the port in HEALTH_PORT, else in
                     SERVER_PORT, else 8080, as the service reads them (environment, .env, settings file), on 127.0.0.1
                     unless SERVER_HOST names one address.
  --timeout S        Seconds for one attempt (0.01 to 3600). Default: 5.
  --wait-ready S     Ask again until it is ready, for at most S seconds (0.01 to 3600).
  --wait-shutdown S  Wait until nothing listens there any more (connections are refused), for at most S seconds. With
                     HEALTH_PORT that is the end of the stop; else the port closes when the drain begins.
  --verbose          Tell of every attempt.
  --json             Print one line of JSON.
  --help             Print this.

Exit code: 0 ready, or gone when that was waited for; 1 not ready, or not in time; 2 wrong usage or configuration.
`

const millis = (option: string, text: string): number => {
  const value = /^\d+(\.\d+)?$/.test(text) ? Math.round(Number(text) * 1000) : Number.NaN
  if (value >= 10 && value <= 3_600_000) return value
  throw new Refused(`--${option}: "${text}" is not a time; allowed is 0.01 to 3600, in seconds`)
}

const address = (text: string): URL => {
  const url = /^https?:\/\/[^/]/i.test(text) && URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || url.hash !== "")
    throw new Refused(
      `--url: "${text}" is not what can be asked; allowed is http://host:port/path, or https://`
    )
  if (url.username !== "" || url.password !== "")
    throw new Refused("--url: names and passwords do not belong into a URL that is printed and logged")
  if (url.pathname === "/") url.pathname = path
  return url
}

/** Reads what follows `health` on the command line. Throws {@link Refused}. */
export const read = (args: ReadonlyArray<string>): Arguments => {
  const { values, tokens } = parse(args)
  const twice = tokens.find(
    (it, i) =>
      it.kind === "option" &&
      tokens.some((other, j) => j < i && other.kind === "option" && other.name === it.name)
  )
  if (twice?.kind === "option") throw new Refused(`--${twice.name} is given twice`)
  const { "wait-ready": ready, "wait-shutdown": shutdown } = values
  if (ready !== undefined && shutdown !== undefined)
    throw new Refused("--wait-ready and --wait-shutdown exclude each other")
  return {
    url: values.url === undefined ? undefined : address(values.url),
    timeout: millis("timeout", values.timeout ?? "5"),
    wait:
      ready !== undefined
        ? { until: "ready", within: millis("wait-ready", ready) }
        : shutdown !== undefined
          ? { until: "shutdown", within: millis("wait-shutdown", shutdown) }
          : undefined,
    verbose: values.verbose ?? false,
    json: values.json ?? false,
    help: values.help ?? false
  }
}

const parse = (args: ReadonlyArray<string>) => {
  try {
    return parseArgs({
      args: [...args],
      strict: true,
      allowPositionals: false,
      tokens: true,
      options: {
        url: { type: "string" },
        timeout: { type: "string" },
        "wait-ready": { type: "string" },
        "wait-shutdown": { type: "string" },
        verbose: { type: "boolean" },
        json: { type: "boolean" },
        help: { type: "boolean", short: "h" }
      }
    })
  } catch (error) {
    // Node's second sentence explains how to pass an argument that begins with a dash.
    throw new Refused((error as Error).message.split(/\. |\n/)[0]!)
  }
}
