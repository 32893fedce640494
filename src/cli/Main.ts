/** The command line. */
import * as Command from "@effect/cli/Command"
import * as CliConfig from "@effect/cli/CliConfig"
import * as ValidationError from "@effect/cli/ValidationError"
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Cause from "effect/Cause"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as ErrorText from "../lifecycle/ErrorText.js"
import * as ExitCode from "../lifecycle/ExitCode.js"
import type * as Signals from "../lifecycle/node/Signals.js"
import * as Backfill from "./Backfill.js"
import * as Backup from "./Backup.js"
import * as Drill from "./Drill.js"
import { DrillFailed } from "./drill/DrillFailed.js"
import * as Environment from "./Environment.js"
import * as Health from "./health/Health.js"
import * as Serve from "./Serve.js"
import * as Settings from "./Settings.js"
import * as SettingsFile from "./SettingsFile.js"

const version = process.env.STELLAR_INSIGHTS_VERSION ?? "development"

/** With `.env` and the settings file, which are the service's: whatever else stands beside another service that is drilled is none of ours. */
const configured = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Environment.load.pipe(
    Effect.zipRight(SettingsFile.provider(new Set(Settings.keys))),
    Effect.flatMap((provider) => Effect.withConfigProvider(effect, provider))
  )

const serve = (signals: Signals.Captured) =>
  Command.make("serve", {}, () => configured(Serve.serve(signals))).pipe(
    Command.withDescription("Run the service until it is stopped (SIGTERM, Ctrl+C).")
  )

const check = Command.make("check", {}, () =>
  Effect.gen(function* () {
    const { budget, settings } = yield* Settings.read
    for (const { key, value } of settings)
      yield* Console.log(value === "" ? `# ${key} is not set` : `${key}=${value}`)
    yield* Console.log("")
    for (const line of budget.arithmetic) yield* Console.log(`# ${line}`)
  }).pipe(configured)
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
      Backfill.command(signals, configured),
      Backup.command(signals, configured),
      health,
      Drill.command(signals),
      config
    ]),
    Command.run({ name: "Stellar Insights", version, executable: "stellar-insights" })
  )(process.argv)

/** An error that ends the program is one line on stderr. The command line's own errors and the drill's verdict have been printed when they get here. */
const explain = (cause: Cause.Cause<unknown>) => {
  const error = Cause.squash(cause)
  if (Cause.isInterruptedOnly(cause) || ValidationError.isValidationError(error)) return Effect.void
  if (error instanceof DrillFailed) return Effect.void
  return Console.error(`stellar-insights: ${ErrorText.of(error)}`)
}

const exitCodeOf = (cause: Cause.Cause<unknown>): number =>
  ValidationError.isValidationError(Cause.squash(cause)) ? ExitCode.invalid : ExitCode.ofCause(cause)

/** Hands the program to the process; `signals` have been listened to since its first line. */
export const main = (signals: Signals.Captured): void =>
  Drill.before(process.argv.slice(2), run(signals)).pipe(
    Effect.tapErrorCause(explain),
    Effect.provide([NodeContext.layer, CliConfig.layer({ showBuiltIns: false })]),
    NodeRuntime.runMain({
      disableErrorReporting: true,
      disablePrettyLogger: true,
      teardown: (exit, onExit) =>
        onExit(Exit.isSuccess(exit) || Cause.isInterruptedOnly(exit.cause) ? 0 : exitCodeOf(exit.cause))
    })
  )
