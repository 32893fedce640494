/** The command line. */
import * as Command from "@effect/cli/Command"
import * as CliConfig from "@effect/cli/CliConfig"
import * as ValidationError from "@effect/cli/ValidationError"
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import type * as Signals from "../lifecycle/node/Signals.js"
import * as Backfill from "./Backfill.js"
import * as Backup from "./Backup.js"
import * as Drill from "./Drill.js"
import { DrillFailed } from "./drill/DrillFailed.js"
import * as Health from "./health/Health.js"
import * as Program from "./Program.js"
import * as Serve from "./Serve.js"
import * as Settings from "./Settings.js"

const version = process.env.STELLAR_INSIGHTS_VERSION ?? "development"

const serve = (signals: Signals.Captured) =>
  Command.make("serve", {}, () => Program.configured(Serve.serve(signals))).pipe(
    Command.withDescription("Run the service until it is stopped (SIGTERM, Ctrl+C).")
  )

const check = Command.make("check", {}, () =>
  Effect.gen(function* () {
    const { budget, settings } = yield* Settings.read
    for (const { key, value } of settings)
      yield* Console.log(value === "" ? `# ${key} is not set` : `${key}=${value}`)
    yield* Console.log("")
    for (const line of budget.arithmetic) yield* Console.log(`# ${line}`)
  }).pipe(Program.configured)
).pipe(Command.withDescription("Print every setting in effect and the arithmetic of the stop's budget."))

const config = Command.make("config").pipe(
  Command.withDescription("Look at the configuration."),
  Command.withSubcommands([check])
)

/** Listed here, run by the entry before any of this is loaded; what comes here put an option of the command line first. */
const health = Command.make("health", {}, () => Effect.promise(() => Health.main([]))).pipe(
  Command.withDescription("Ask a service whether it is ready, or wait for it: see `health --help`.")
)

const run = (signals: Signals.Captured) =>
  Command.make("stellar-insights").pipe(
    Command.withDescription(
      "Analytics of the Stellar network, in a service that loses nothing when it is stopped."
    ),
    Command.withSubcommands([
      serve(signals),
      Backfill.command(signals, Program.configured),
      Backup.command(signals, Program.configured),
      health,
      Drill.command(signals),
      config
    ]),
    Command.run({ name: "Stellar Insights", version, executable: "stellar-insights" })
  )(process.argv)

/** The command line's own errors and the drill's verdict have been printed when they get here. */
const isTold = (error: unknown) => ValidationError.isValidationError(error) || error instanceof DrillFailed

/** Hands the program to the process; `signals` have been listened to since its first line. */
export const main = (signals: Signals.Captured): void =>
  Program.run(
    Drill.before(process.argv.slice(2), run(signals)).pipe(
      Effect.provide([NodeContext.layer, CliConfig.layer({ showBuiltIns: false })])
    ),
    { isTold, isUsage: ValidationError.isValidationError }
  )
