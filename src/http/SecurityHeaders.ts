/**
 * Headers by which browsers keep to what an answer is meant for. Pages that need more say so in headers of their own, which go before these.
 *
 * `Strict-Transport-Security` is not among them: the service speaks plain HTTP, and whoever ends TLS before it knows whether all of its host is on https.
 *
 * They are lines of a head as they are sent, put together once.
 *
 * @module
 */

/** What every answer carries that has nothing else of the kind: it is data, and loads, runs and shows nothing; it is not to be shown inside another site's page, not to be guessed at, and tells no other site where a reader came from. */
export const unless = [
  ["content-security-policy", "default-src 'none'; frame-ancestors 'none'"],
  ["cross-origin-opener-policy", "same-origin"],
  ["cross-origin-resource-policy", "same-origin"],
  ["referrer-policy", "no-referrer"],
  ["x-content-type-options", "nosniff"],
  ["x-frame-options", "DENY"]
].map(([name, value]) => [name!, `${name}: ${value}\r\n`] as const)
