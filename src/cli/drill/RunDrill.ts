/** A drill from the command line, from what was given to what it says. */
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Fs from "node:fs/promises"
import { dirname } from "node:path"
import * as Drill from "../../drill/Drill.js"
import type { DrillReport } from "../../drill/DrillReport.js"
import * as Loads from "../../drill/load/Loads.js"
import * as Format from "../../drill/report/Format.js"
import * as Text from "../../drill/report/Text.js"
import type { Scenario } from "../../drill/Scenario.js"
import * as Situations from "../../drill/situation/Situations.js"
import type * as Signals from "../../lifecycle/node/Signals.js"
import * as DrillChoice from "./DrillChoice.js"
import { DrillFailed } from "./DrillFailed.js"
import * as DrillFile from "./DrillFile.js"
import * as DrillProgress from "./DrillProgress.js"
import { DrillRefused } from "./DrillRefused.js"
import type { Given } from "./DrillSettings.js"
import * as SelfDrill from "./SelfDrill.js"

/** What a process ends with that was interrupted: neither verdict may be taken from it. */
const interrupted = 130

/** Every scenario that there is. */
export const scenarios: ReadonlyArray<Scenario> = [...Loads.all, ...Situations.situations]

const list = Effect.forEach(
  scenarios,
  ({ id, needs, scenarios: numbers, title }) =>
    Console.log(
      `${id}\n    ${title}\n    needs ${needs.length === 0 ? "no path" : needs.map((name) => `--${name}`).join(", ")}` +
        (numbers.length === 0 ? "" : `; covers ${numbers.join(", ")} of the catalogue`)
    ),
  { discard: true }
)

const attempt = <A>(file: string, act: () => Promise<A>): Effect.Effect<A, DrillRefused> =>
  Effect.tryPromise({
    try: act,
    catch: (error) => new DrillRefused({ message: `--report ${file}: ${(error as Error).message}` })
  })

/** A folder that cannot be written to is better known before half an hour of stops than after. */
const mayWrite = (file: string) =>
  file === "-" ? Effect.void : attempt(file, () => Fs.access(dirname(file), Fs.constants.W_OK))

const publish = (reports: ReadonlyArray<string>, report: DrillReport) =>
  Effect.gen(function* () {
    const text = Text.render(report)
    // Who wants JSON on standard output wants nothing else there.
    yield* reports.includes("-") ? Console.error(text) : Console.log(text)
    for (const file of reports) {
      const rendered = Format.render(Format.of(file)!, report)
      if (file === "-") yield* Effect.promise(() => written(rendered))
      else {
        yield* attempt(file, () => Fs.writeFile(file, rendered))
        yield* Console.error(`wrote ${file}`)
      }
    }
  })

/** A pipe takes its time, and the process must not end before. */
const written = (text: string): Promise<void> =>
  new Promise((resolve) => process.stdout.write(text, () => resolve()))

/** A terminal that goes away takes the drill along, which would otherwise go on with nobody to see it. */
const hangUp = (signals: Signals.Captured) =>
  Effect.async<never>((resume) => signals.listen((signal) => signal === "SIGHUP" && resume(Effect.interrupt)))

const drill = (choice: DrillChoice.DrillChoice) =>
  Effect.gen(function* () {
    yield* Effect.forEach(choice.reports, mayWrite, { discard: true })
    const service = choice.service ?? (yield* SelfDrill.options)
    const onProgress = yield* DrillProgress.make(DrillProgress.standardError)
    const env = { ...("env" in service ? service.env : {}), ...choice.course.env }
    return yield* Drill.run({ ...service, ...choice.course, env, onProgress })
  }).pipe(Effect.scoped)

/**
 * Runs it. Fails with {@link DrillRefused} (2) when it cannot begin, and with {@link DrillFailed} (1) when the verdict is bad. Interruption leaves no process
 * behind and ends with 130.
 */
export const run = (flags: Given, signals: Signals.Captured) =>
  Effect.gen(function* () {
    if (flags.has("list")) return yield* list
    const file = flags.get("file")?.at(-1)
    const given = file === undefined ? flags : new Map([...(yield* DrillFile.load(file)), ...flags])
    const choice = yield* DrillChoice.make(given, scenarios)
    const report = yield* drill(choice).pipe(
      Effect.catchTag("DrillError", ({ message }) => new DrillRefused({ message })),
      Effect.raceFirst(hangUp(signals))
    )
    yield* publish(choice.reports, report)
    if (!report.verdict.passed) return yield* new DrillFailed()
  }).pipe(
    Effect.onInterrupt(() =>
      // The runtime takes an interrupted program for one that was told to stop, which is right for a service.
      Effect.sync(() => void process.once("exit", () => (process.exitCode = interrupted)))
    )
  )
