/** What was asked for, made of texts: every mistake is found here, in one go, before anything is started. */
import * as Effect from "effect/Effect"
import * as Os from "node:os"
import type { DrillOptions } from "../../drill/DrillOptions.js"
import * as Format from "../../drill/report/Format.js"
import type { Scenario } from "../../drill/Scenario.js"
import * as Targets from "../../drill/Targets.js"
import { DrillRefused } from "./DrillRefused.js"
import type { Given } from "./DrillSettings.js"
import { settings } from "./DrillSettings.js"

/** What was asked for. */
export interface DrillChoice {
  /** The service; undefined: this one. */
  readonly service: Service | undefined
  /** What holds for whatever service is drilled. */
  readonly course: Course
  /** Files of the report; `-` is standard output. */
  readonly reports: ReadonlyArray<string>
}

/** What is said of a service. */
export type Service = Pick<DrillOptions, "command" | "url" | "targets"> &
  Partial<Pick<DrillOptions, "cwd" | "exits" | "allowRemote" | "shortGrace">>

/** How to drill. */
export type Course = Pick<DrillOptions, "scenarios"> &
  Partial<
    Pick<
      DrillOptions,
      | "stops"
      | "signal"
      | "graceMillis"
      | "connections"
      | "seed"
      | "mostMillis"
      | "startMillis"
      | "env"
      | "name"
    >
  >

const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, min: 60_000, h: 3_600_000 }

/** `30` and `30s` are half a minute; `500ms`, `2min`, `1h`. Undefined for anything else. */
export const millis = (text: string): number | undefined => {
  const match = /^(\d+(?:\.\d+)?) ?(ms|s|min|h)?$/.exec(text.trim())
  return match === null ? undefined : Number(match[1]) * units[match[2] ?? "s"]!
}

const isDefined = ([, value]: readonly [string, unknown]): boolean => value !== undefined

/** Without the fields that are undefined: they take the drill's defaults. */
const known = <A extends object>(fields: A): { [K in keyof A]: Exclude<A[K], undefined> } =>
  Object.fromEntries(Object.entries(fields).filter(isDefined)) as never

/** Makes a choice of what was `given`, of the scenarios that there are. Fails with {@link DrillRefused}, which tells all mistakes. */
export const make = (
  given: Given,
  scenarios: ReadonlyArray<Scenario>
): Effect.Effect<DrillChoice, DrillRefused> => {
  const mistakes: Array<string> = []
  const one = (name: string): string | undefined => given.get(name)?.at(-1)

  const integer = (name: string, least: number, most: number): number | undefined => {
    const text = one(name)
    if (text === undefined) return undefined
    const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN
    if (value >= least && value <= most) return value
    mistakes.push(`--${name}: "${text}" is not a whole number from ${least} to ${most}`)
    return undefined
  }
  const time = (name: string, most: number): number | undefined => {
    const text = one(name)
    if (text === undefined) return undefined
    const value = millis(text)
    if (value !== undefined && value >= 1 && value <= most) return value
    mistakes.push(
      `--${name}: "${text}" is not a time; allowed is 1ms to ${most / 3_600_000}h, as 30s, 500ms or 2min`
    )
    return undefined
  }
  const pairs = (name: string): Readonly<Record<string, string>> | undefined => {
    const all = given.get(name)
    for (const text of all ?? [])
      if (!/^[A-Za-z_]\w*=/.test(text)) mistakes.push(`--${name}: "${text}" is not of the form NAME=value`)
    return all && Object.fromEntries(all.map((text) => text.split(/=(.*)/s).slice(0, 2) as [string, string]))
  }
  const signalled = (name: string, text: string): string => {
    if (!(text in Os.constants.signals))
      mistakes.push(`--${name}: there is no signal "${text}"; allowed are names as SIGTERM or SIGINT`)
    return text
  }

  const wanted = given.get("scenario") ?? []
  const ids = scenarios.map(({ id }) => id)
  for (const id of wanted)
    if (!ids.includes(id)) mistakes.push(`--scenario: there is no "${id}"; allowed are ${ids.join(", ")}`)

  const reports = given.get("report") ?? []
  for (const file of reports)
    if (Format.of(file) === undefined)
      mistakes.push(
        `--report: "${file}" does not say its form; allowed are ${Format.all.map((format) => `.${format}`).join(", ")} and -`
      )

  const signal = one("signal")
  const course: Course = {
    scenarios: wanted.length === 0 ? scenarios : scenarios.filter(({ id }) => wanted.includes(id)),
    ...known({
      stops: integer("stops", 1, 100_000),
      signal: signal === undefined ? undefined : (signalled("signal", signal) as NodeJS.Signals),
      graceMillis: time("grace", 3_600_000),
      connections: integer("connections", 1, 10_000),
      seed: integer("seed", 0, 2 ** 32 - 1),
      mostMillis: time("duration", 86_400_000),
      startMillis: time("start-timeout", 3_600_000),
      env: pairs("env"),
      name: one("name")
    })
  }

  const command = one("command")
  const homeless = settings.filter(({ name, ofService }) => ofService === true && given.has(name))
  if (command === undefined && homeless.length > 0)
    mistakes.push(
      `--${homeless[0]!.name} says something of a service that is started with --command, which is missing`
    )

  const exits = given
    .get("exit")
    ?.map((text) => (/^\d{1,3}$/.test(text) ? Number(text) : signalled("exit", text)))
  const graceMillis = time("short-grace", 3_600_000)
  const env = pairs("short-grace-env")
  if ((graceMillis === undefined) !== (env === undefined))
    mistakes.push("--short-grace and --short-grace-env are of use only together")
  const paths = Targets.all.map((name) => [name, one(name)] as const).filter(isDefined)
  const service: Service = {
    command: command ?? "",
    url: one("url") ?? "http://127.0.0.1:0",
    targets: { fast: "/", ...Object.fromEntries(paths) },
    ...known({
      cwd: one("cwd"),
      exits,
      allowRemote: one("allow-remote") === "true" ? true : undefined,
      shortGrace: graceMillis !== undefined && env !== undefined ? { graceMillis, env } : undefined
    })
  }
  return mistakes.length > 0
    ? new DrillRefused({ message: mistakes.join("\n  ") })
    : Effect.succeed({ service: command === undefined ? undefined : service, course, reports })
}
