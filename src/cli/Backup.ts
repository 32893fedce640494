/** `stellar-insights backup FILE`: a copy of the database of the service, which may be running. */
import * as Args from "@effect/cli/Args"
import * as Command from "@effect/cli/Command"
import * as Options from "@effect/cli/Options"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Backup from "../insights/Backup.js"
import * as DatabaseConfig from "../insights/DatabaseConfig.js"
import type * as Signals from "../lifecycle/node/Signals.js"

const told = ({ bytes, file, range }: Backup.Backup): string => {
  const ledgers = range === null ? "no ledgers yet" : `ledgers ${range.first} to ${range.last}`
  return `${file}: ${ledgers}, ${(bytes / 2 ** 20).toFixed(1)} MiB`
}

/** Ends with the first signal: a backup that was not made must not look like one that was. */
const stopped = (signals: Signals.Captured) =>
  Effect.async<never, Backup.BackupFailed>((resume) =>
    signals.listen((signal) =>
      resume(
        new Backup.BackupFailed({ message: `${signal} came before the backup was whole: none was made` })
      )
    )
  )

/** The command; `configured` gives it `.env` and the settings file. */
export const command = (
  signals: Signals.Captured,
  configured: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, unknown, R>
) =>
  Command.make(
    "backup",
    {
      file: Args.file({ name: "FILE" }).pipe(Args.withDescription("Where the copy goes.")),
      force: Options.boolean("force").pipe(Options.withDescription("Replace a file of that name."))
    },
    ({ file, force }) =>
      configured(
        Effect.gen(function* () {
          const database = yield* DatabaseConfig.config
          const made = yield* Effect.raceFirst(Backup.run({ database, file, force }), stopped(signals))
          yield* Console.log(told(made))
        })
      )
  ).pipe(Command.withDescription("Copy the database, also while the service runs, as it is at one moment."))
