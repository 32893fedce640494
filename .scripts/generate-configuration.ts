/**
 * Generates `docs/configuration.md` from `.env.example` and from what the code makes of it: `npx tsx .scripts/generate-configuration.ts`.
 *
 * What a key means, its unit and its range stand in `.env.example`; the defaults are those of the code, or it fails. Sums of the budget are computed. `generate()`
 * gives the page as text, so that a test can compare it.
 */
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import { readFileSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { format, resolveConfig } from "prettier"
import * as Settings from "../src/cli/Settings.js"
import * as Budget from "../src/lifecycle/Budget.js"
import * as ErrorText from "../src/lifecycle/ErrorText.js"
import * as ShutdownConfig from "../src/lifecycle/ShutdownConfig.js"

/** Where the page is. */
export const file = "docs/configuration.md"

/** A key of `.env.example`. */
export interface Entry {
  readonly key: string
  /** As it is written there. */
  readonly value: string
  /** Whether that is the default; else it is an example. */
  readonly isDefault: boolean
  /** What is said of it. */
  readonly text: string
}

/** Keys under one heading. */
export interface Group {
  readonly title: string
  readonly entries: ReadonlyArray<Entry>
}

/** The keys of `.env.example`, in their order. */
export const groups = (text: string = readFileSync(".env.example", "utf8")): ReadonlyArray<Group> => {
  const found: Array<{ title: string; entries: Array<Entry> }> = []
  let said: Array<string> = []
  for (const line of text.split("\n")) {
    const title = /^# --- (.+?) -+$/.exec(line)?.[1]
    const [, off, key, value] = /^(#?)([A-Z][A-Z0-9_]+)=(.*)$/.exec(line) ?? []
    if (title !== undefined) found.push({ title, entries: [] })
    if (key !== undefined && value !== undefined) {
      if (found.length === 0) found.push({ title: "The settings file", entries: [] })
      found.at(-1)!.entries.push({ key, value, isDefault: off === "", text: said.join(" ") })
    }
    said = title === undefined && key === undefined && line.startsWith("# ") ? [...said, line.slice(2)] : []
  }
  return found
}

const withEnvironment = <A, E>(effect: Effect.Effect<A, E>, env: Readonly<Record<string, string>>): A => {
  const provider = ConfigProvider.fromMap(new Map(Object.entries(env)))
  return Effect.runSync(
    Effect.withConfigProvider(effect, provider).pipe(
      Effect.mapError((error) => new Error(`${JSON.stringify(env)}: ${ErrorText.of(error)}`))
    )
  )
}

const read = (env: Readonly<Record<string, string>>): ReadonlyMap<string, string> =>
  new Map(withEnvironment(Settings.read, env).settings.map(({ key, value }) => [key, value]))

/** The limits of a stop with these settings. Throws where they cannot hold. */
export const budget = (env: Readonly<Record<string, string>>): Budget.Shape =>
  withEnvironment(Effect.flatMap(ShutdownConfig.config, Budget.derive), env)

/** What is told of a key that is set; undefined where it is refused. */
const told = (key: string, value: string): string | undefined => {
  try {
    return read({ [key]: value }).get(key)
  } catch {
    return undefined
  }
}

/** A value that is never shown as it was set holds something that others must not see; in a URL that may be who asks, where that is allowed. */
const isSecret = ({ isDefault, key, value }: Entry): boolean => {
  if (isDefault || (Settings.ownKeys as ReadonlyArray<string>).includes(key)) return false
  const asSomebody = value.replace(/^(https?|rediss?):\/\//, "$1://name:password@")
  return told(key, value) !== value || ![undefined, asSomebody].includes(told(key, asSomebody))
}

const range = /\s*\(((?:seconds|bytes|true or false|\d\S* to )[^()]*)\)/

const inMarkdown = (text: string) => text.replaceAll("|", "\\|").replaceAll("*", "\\*")

const day = 86_400

const row = (entry: Entry): string => {
  const bounds = range.exec(entry.text)?.[1] ?? ""
  const meaning = entry.text.replace(range, "")
  const seconds = bounds.startsWith("seconds") ? Number(entry.value) : Number.NaN
  const isLong = entry.isDefault && seconds >= day
  const standard = entry.isDefault ? `\`${entry.value}\`${isLong ? ` (${seconds / day} d)` : ""}` : "unset"
  const cells = [
    `\`${entry.key}\``,
    `\`${entry.key.toLowerCase()}\``,
    isSecret(entry) ? `${standard}, **secret**` : standard,
    inMarkdown(bounds),
    inMarkdown(meaning)
  ]
  return `| ${cells.join(" | ")} |`
}

const table = ({ entries, title }: Group): string =>
  [
    `## ${title}`,
    "",
    "| key | in the file | default | unit and range | |",
    "| --- | --- | --- | --- | --- |",
    ...entries.map(row),
    ""
  ].join("\n")

/** A set of limits for a place where services run. */
export interface Example {
  readonly title: string
  readonly text: string
  readonly env: Readonly<Record<string, string>>
}

/** Every one is accepted by the code; `TERMINATION_GRACE_PERIOD` is what the place allows. */
export const examples: ReadonlyArray<Example> = [
  {
    title: "As it comes",
    text: "Nothing is set. Give the orchestrator more than this, or set `SHUTDOWN_TIMEOUT`.",
    env: {}
  },
  {
    title: "A container that is given ten seconds",
    text: "`docker stop` kills after 10 s unless told otherwise. The stages shrink in proportion, and a second is left for a stop that has to be cut.",
    env: { SHUTDOWN_TIMEOUT: "8", TERMINATION_GRACE_PERIOD: "10" }
  },
  {
    title: "Blue and green, twelve seconds",
    text: "Compose with `stop_grace_period: 12s`: the whole stop, WebSockets included, is over within 10 s.",
    env: { SHUTDOWN_TIMEOUT: "10", TERMINATION_GRACE_PERIOD: "12" }
  },
  {
    title: "Kubernetes",
    text: "Readiness turns red first and the rest waits until the endpoints are updated; that replaces a `preStop` sleep. `terminationGracePeriodSeconds: 45`.",
    env: {
      SHUTDOWN_ANNOUNCE_DELAY: "5",
      SHUTDOWN_TIMEOUT: "40",
      HEALTH_PORT: "8081",
      TERMINATION_GRACE_PERIOD: "45"
    }
  },
  {
    title: "Production, with time for long requests",
    text: "Where deployments are not in a hurry.",
    env: {
      SHUTDOWN_GRACEFUL_TIMEOUT: "30",
      SHUTDOWN_BACKGROUND_TIMEOUT: "15",
      SHUTDOWN_DB_TIMEOUT: "10",
      TERMINATION_GRACE_PERIOD: "75"
    }
  }
]

const exampleOf = ({ env, text, title }: Example): string => {
  const lines = Object.entries(env).map(([key, value]) => `    ${key}=${value}`)
  const sum = budget(env).arithmetic.map((line) => `    # ${line}`)
  return [`### ${title}`, "", text, "", ...lines, ...(lines.length === 0 ? [] : ["    "]), ...sum, ""].join(
    "\n"
  )
}

const introduction = `# Configuration

<!-- Written by .scripts/generate-configuration.ts: change .env.example or that, then run it. -->

Every key can be set in three places. The first that has it wins:

1. the environment;
2. a file \`.env\` in the working directory;
3. a TOML file: the one that \`SETTINGS_FILE\` names, else \`config/settings.toml\` where it is there. Its keys are the same in lower case, also as tables: \`[shutdown]\` with \`timeout = 30\` is
   \`shutdown_timeout\`. A key that is no setting is refused by its name, so that a misspelt limit does not show only on the day it is needed.

\`\`\`toml
# config/settings.toml
log_level = "info"

[shutdown]
timeout = 30
wait_for_connections = true
force_after_timeout = true

[server]
port = 8080
\`\`\`

Times are seconds as plain numbers, or have a unit: \`500 millis\`, \`2 minutes\`. All keys are read before anything is opened; a value that is wrong ends the start with code 2 and one line that names
the key, the value and what is allowed. \`stellar-insights config check\` prints what is in effect, secrets left out, and the arithmetic of the stop.

_Secret_ marks what is never printed: not by \`config check\`, not in a log line or a report. Of a URL only the part without credentials is shown.
`

const arithmetic = `## How the limits of a stop add up

\`SHUTDOWN_TIMEOUT\` is the whole stop, not only the wait for requests (that is \`SHUTDOWN_GRACEFUL_TIMEOUT\`). Where it is not set, the whole is the longest path through the stages:
draining takes as long as the slower of requests and tasks, and then the layers are released one after the other, independent ones side by side.

- Set shorter than that, the stages that are not set shrink in proportion, and those that are set stay.
- What cannot fit is refused at the start (code 2), with the sum. When everything has been built the sum is made once more, of what is really there.
- Whatever is spent early, every later stage keeps its own time: the database always gets its time to close.
- \`TERMINATION_GRACE_PERIOD\` is what the orchestrator allows before it kills. It must be longer than the whole. Leave a second more than that: a process that hangs at its deadline is killed
  by its own watchdog a second later, which says where it hung; a kill from outside says nothing.
`

/** The page. */
export const generate = async (): Promise<string> => {
  const all = groups()
  const shown = Object.fromEntries(
    all.flatMap(({ entries }) => entries.flatMap((e) => (e.isDefault ? [[e.key, e.value]] : [])))
  )
  const [withExample, without] = [read(shown), read({})]
  for (const [key, value] of without) {
    if (withExample.get(key) !== value)
      throw new Error(`the default of ${key} is ${value}, and .env.example has ${withExample.get(key)}`)
  }
  const page = [introduction, ...all.map(table), arithmetic, ...examples.map(exampleOf)].join("\n")
  return format(page, { ...(await resolveConfig(file)), filepath: file })
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(file, await generate())
