/**
 * Signatures of the Standard Webhooks specification, version v1: HMAC-SHA256 over `<id>.<timestamp>.<body>`, in base64.
 *
 * While a secret is being changed there are two, and a signature by each; a receiver accepts a message when one of them is right.
 *
 * @module
 */
import * as Redacted from "effect/Redacted"
import { createHmac, randomBytes } from "node:crypto"

/** A secret as receivers get it: `whsec_` and 24 to 64 bytes in base64. */
export type Secret = Redacted.Redacted

/** Bytes that a secret may have, inclusive. */
export const secretBytes = { min: 24, max: 64 } as const

const prefix = "whsec_"

/** A new secret of 32 random bytes. */
export const generate = (): Secret => Redacted.make(prefix + randomBytes(32).toString("base64"))

/** The bytes of a secret, undefined when it is not of the form. */
const keyOf = (secret: Secret): Buffer | undefined => {
  const text = Redacted.value(secret)
  if (!text.startsWith(prefix)) return undefined
  const encoded = text.slice(prefix.length)
  const key = Buffer.from(encoded, "base64")
  const fits = key.length >= secretBytes.min && key.length <= secretBytes.max
  // Node reads what is not base64 as far as it can; only what comes out as it went in was base64.
  return fits && key.toString("base64") === encoded ? key : undefined
}

/** Whether a text has the form of a secret. */
export const isSecret = (text: string): boolean => keyOf(Redacted.make(text)) !== undefined

/** What is signed. */
export interface Message {
  /** The message's id, the same in every attempt. No full stop in it. */
  readonly id: string
  /** When this attempt is made, in seconds since 1970. */
  readonly timestamp: number
  /** The body, as it is sent. */
  readonly body: string
}

/** The three headers of a message, signed by each of the secrets. A secret that is none is a defect: it cannot come from {@link generate}. */
export const headers = (
  secrets: ReadonlyArray<Secret>,
  { body, id, timestamp }: Message
): Readonly<Record<"webhook-id" | "webhook-timestamp" | "webhook-signature", string>> => {
  const signatures = secrets.map((secret) => {
    const key = keyOf(secret)
    if (key === undefined) throw new Error("a secret of a webhook has not the form of one")
    return `v1,${createHmac("sha256", key).update(`${id}.${timestamp}.${body}`, "utf8").digest("base64")}`
  })
  return {
    "webhook-id": id,
    "webhook-timestamp": String(timestamp),
    "webhook-signature": signatures.join(" ")
  }
}
