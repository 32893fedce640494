/**
 * What must not leave the process in a span or an error report, by its look: credentials in URLs and headers, tokens, keys, signing secrets.
 *
 * Nothing of ours puts them there on purpose. This is for what comes along: the message of a driver that quotes a URL, a header that somebody annotates.
 *
 * @module
 */

/** What stands in the place of a secret. */
export const redacted = "[redacted]"

const names =
  "authorization|cookie|secret|token|passw(?:or)?d|api[-_]?key|access[-_]?key|signature|credential|dsn"

const isSecret = new RegExp(names, "i")

/** Whether what is called so is taken for a secret, whatever it looks like. */
export const isSecretName = (name: string): boolean => isSecret.test(name)

const patterns: ReadonlyArray<readonly [RegExp, string]> = [
  // Before the @ of a URL.
  [/(\/\/)[^\s/@"']+@/g, `$1${redacted}@`],
  [/\b(Bearer|Basic)\s+[\w.~+/=-]+/gi, `$1 ${redacted}`],
  // In a query, or as JSON or an assignment would have it.
  [new RegExp(`([?&][\\w-]*(?:${names}|key|sig|auth|code)=)[^&\\s"'#]+`, "gi"), `$1${redacted}`],
  [new RegExp(`("?[\\w-]*(?:${names})"?\\s*[:=]\\s*)(?:"[^"]*"|[^\\s,;&"'}]+)`, "gi"), `$1${redacted}`],
  [/\bwhsec_[\w+/=-]+/g, redacted],
  // The seed of a Stellar account.
  [/\bS[A-Z2-7]{55}\b/g, redacted]
]

/** A text without what looks like a secret. */
export const strip = (text: string): string => {
  let stripped = text
  for (const [pattern, instead] of patterns) stripped = stripped.replace(pattern, instead)
  return stripped
}

const deepest = 6

const walk = (value: unknown, depth: number): unknown => {
  if (typeof value === "string") return strip(value)
  if (typeof value === "bigint") return String(value)
  if (typeof value !== "object" || value === null) return value
  if (value instanceof Error) return strip(`${value.name}: ${value.message}`)
  if (depth === 0) return "…"
  if (Array.isArray(value)) return value.map((each) => walk(each, depth - 1))
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => [key, isSecretName(key) ? redacted : walk(each, depth - 1)])
  )
}

/** As {@link strip}, for everything in a value that is made of plain objects; what is called like a secret goes whole. Deeper than six levels is left out. */
export const stripAll = (value: unknown): unknown => walk(value, deepest)
