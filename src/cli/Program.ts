/** What every command of the service has in common: where its settings come from, and how the process ends. */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Cause from "effect/Cause"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as ErrorText from "../lifecycle/ErrorText.js"
import * as ExitCode from "../lifecycle/ExitCode.js"
import * as Environment from "./Environment.js"
import * as Settings from "./Settings.js"
import * as SettingsFile from "./SettingsFile.js"

/** With `.env` and the settings file, which are the service's: whatever else stands beside another service that is drilled is none of ours. */
export const configured = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Environment.load.pipe(
    Effect.zipRight(SettingsFile.provider(new Set(Settings.keys))),
    Effect.flatMap((provider) => Effect.withConfigProvider(effect, provider))
  )

/** How a program's errors are told, where they are not all alike. */
export interface Options {
  /** Whether an error has been told when it gets here. Default: none has. */
  readonly isTold?: (error: unknown) => boolean
  /** Whether an error is one of usage, which is exit code 2 whatever else it says. Default: none is. */
  readonly isUsage?: (error: unknown) => boolean
}

/** Hands a program to the process: an error that ends it is one line on stderr, and its exit code the process's. */
export const run = <A, E>(
  program: Effect.Effect<A, E>,
  { isTold = () => false, isUsage = () => false }: Options = {}
): void => {
  const explain = (cause: Cause.Cause<unknown>) => {
    const error = Cause.squash(cause)
    return Cause.isInterruptedOnly(cause) || isTold(error)
      ? Effect.void
      : Console.error(`stellar-insights: ${ErrorText.of(error)}`)
  }
  const exitCodeOf = (cause: Cause.Cause<unknown>): number =>
    isUsage(Cause.squash(cause)) ? ExitCode.invalid : ExitCode.ofCause(cause)
  program.pipe(
    Effect.tapErrorCause(explain),
    NodeRuntime.runMain({
      disableErrorReporting: true,
      disablePrettyLogger: true,
      teardown: (exit, onExit) =>
        onExit(Exit.isSuccess(exit) || Cause.isInterruptedOnly(exit.cause) ? 0 : exitCodeOf(exit.cause))
    })
  )
}
