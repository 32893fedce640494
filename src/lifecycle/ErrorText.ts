/** Errors in one line, for operators. */
import * as ConfigError from "effect/ConfigError"

const ofConfig = (error: ConfigError.ConfigError): string => {
  switch (error._op) {
    case "And":
    case "Or":
      return `${ofConfig(error.left)}; ${ofConfig(error.right)}`
    default: {
      const key = error.path.join("_")
      return error.message.startsWith(key) ? error.message : `${key}: ${error.message}`
    }
  }
}

/** What an error says, without its stack: a configuration error as `KEY: what is wrong and what is allowed`. */
export const of = (error: unknown): string => {
  if (ConfigError.isConfigError(error)) return ofConfig(error)
  if (error instanceof Error) return error.message === "" ? error.name : error.message
  return String(error)
}
