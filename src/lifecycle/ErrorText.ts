/** Errors in one line, for operators. */
import * as ConfigError from "effect/ConfigError"

const ofConfig = (error: ConfigError.ConfigError): string => {
  switch (error._op) {
    case "And":
    case "Or":
      return `${ofConfig(error.left)}; ${ofConfig(error.right)}`
    default:
      return error.path.length === 0 ? error.message : `${error.path.join("_")}: ${error.message}`
  }
}

/** What an error says, without its stack: a configuration error as `KEY: what is wrong and what is allowed`. */
export const of = (error: unknown): string => {
  if (ConfigError.isConfigError(error)) return ofConfig(error)
  if (error instanceof Error) return error.message === "" ? error.name : error.message
  return String(error)
}
