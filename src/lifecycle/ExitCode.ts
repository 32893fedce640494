/**
 * What the process ends with. The highest that applies wins, so a forced stop after a failure says that it was forced.
 *
 * @module
 */
import * as Cause from "effect/Cause"
import * as Chunk from "effect/Chunk"
import * as ConfigError from "effect/ConfigError"
import * as Option from "effect/Option"

/** Everything was finished and released. */
export const clean = 0
/** A layer could not be acquired, a worker failed, an exception reached the process, or a release died. */
export const failed = 1
/** The configuration or the usage is wrong. */
export const invalid = 2
/** A limit was overrun, or a second signal cut the waiting short. */
export const forced = 3

/** An error that carries its own exit code has it under this symbol. */
export const symbol: unique symbol = Symbol.for("stellar-insights/lifecycle/ExitCode")

const ofError = (error: unknown): number => {
  if (ConfigError.isConfigError(error)) return invalid
  if (typeof error === "object" && error !== null && symbol in error && typeof error[symbol] === "number") {
    return error[symbol]
  }
  return failed
}

/** The code of a failed start: what its errors say, {@link failed} for those that say nothing and for defects. */
export const ofCause = (cause: Cause.Cause<unknown>): number =>
  Chunk.reduce(
    Cause.failures(cause),
    Option.match(Cause.dieOption(cause), { onNone: () => clean, onSome: () => failed }),
    (code, error) => Math.max(code, ofError(error))
  ) || failed
