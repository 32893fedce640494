/**
 * Headers by which browsers keep to what an answer is meant for. Pages that need more say so in headers of their own, which go before these.
 *
 * `Strict-Transport-Security` is not among them: the service speaks plain HTTP, and whoever ends TLS before it knows whether all of its host is on https.
 *
 * @module
 */

/** What every answer carries: it is data, no page, is not to be shown in one, is not to be guessed at, and tells no other site where a reader came from. */
export const headers = {
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY"
} as const
