/** A file `.env` in the working directory, for those who start the service by hand. The environment wins over it. */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as ExitCode from "../lifecycle/ExitCode.js"

/** The file is there but cannot be read. */
export class EnvironmentUnreadable extends Data.TaggedError("EnvironmentUnreadable")<{
  readonly message: string
}> {
  readonly [ExitCode.symbol] = ExitCode.invalid
}

/** Reads the file where there is one. Fails with {@link EnvironmentUnreadable}. */
export const load: Effect.Effect<void, EnvironmentUnreadable> = Effect.suspend(() => {
  try {
    process.loadEnvFile(".env")
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code !== "ENOENT")
      return new EnvironmentUnreadable({ message: `.env is there but cannot be read: ${message}` })
  }
  return Effect.void
})
