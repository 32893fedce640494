/** Signatures, against the reference verifier of Standard Webhooks. */
import { assert, describe, it } from "@effect/vitest"
import * as Redacted from "effect/Redacted"
import { Webhook } from "standardwebhooks"
import * as Signature from "../../src/webhooks/Signature.js"

const now = () => Math.floor(Date.now() / 1000)
const message = (body: string) => ({ id: "msg_1", timestamp: now(), body })
const verify = (secret: Signature.Secret, body: string, headers: Record<string, string>) =>
  new Webhook(Redacted.value(secret)).verify(body, headers)

describe("a signature", () => {
  it("is accepted by the reference verifier, whatever the body", () => {
    const secret = Signature.generate()
    for (const value of [{}, { text: "grüße ☃ 🚀" }, { amount: "9223372036854775807" }, ["\u2028", '"\\']]) {
      const body = JSON.stringify(value)
      assert.deepStrictEqual(verify(secret, body, Signature.headers([secret], message(body))), value)
    }
  })

  it("is refused for another body, id, time or secret", () => {
    const secret = Signature.generate()
    const headers = Signature.headers([secret], message("{}"))
    assert.throws(() => verify(secret, "[]", headers))
    assert.throws(() => verify(secret, "{}", { ...headers, "webhook-id": "msg_2" }))
    assert.throws(() => verify(secret, "{}", { ...headers, "webhook-timestamp": String(now() - 1) }))
    assert.throws(() => verify(Signature.generate(), "{}", headers))
  })

  it("is one for each secret while one is being changed; either is accepted", () => {
    const [next, previous] = [Signature.generate(), Signature.generate()]
    const headers = Signature.headers([next, previous], message("{}"))
    assert.match(headers["webhook-signature"], /^v1,\S{44} v1,\S{44}$/)
    for (const secret of [next, previous]) assert.deepStrictEqual(verify(secret, "{}", headers), {})
  })
})

describe("a secret", () => {
  it("is whsec_ and 24 to 64 bytes in base64, and does not show itself", () => {
    const secret = Signature.generate()
    assert.isTrue(Signature.isSecret(Redacted.value(secret)))
    assert.notInclude(JSON.stringify({ secret, text: String(secret) }), Redacted.value(secret))
    const of = (bytes: number) => `whsec_${Buffer.alloc(bytes, 7).toString("base64")}`
    for (const bytes of [24, 32, 64]) assert.isTrue(Signature.isSecret(of(bytes)), String(bytes))
    for (const text of [of(23), of(65), of(32).slice(6), "whsec_", "whsec_?", `${of(32)} `, ""]) {
      assert.isFalse(Signature.isSecret(text), text)
    }
    assert.throws(() => Signature.headers([Redacted.make("whsec_short")], message("{}")))
  })
})
