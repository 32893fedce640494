import { assert, describe, it } from "@effect/vitest"
import * as Redacted from "effect/Redacted"
import * as RpcUrl from "../../../src/stellar/source/RpcUrl.js"

const parsed = (text: string) => {
  const url = RpcUrl.parse(text)
  assert.isDefined(url)
  return url
}

describe("RpcUrl", () => {
  it("shows the origin, and that there is more", () => {
    for (const [text, name] of [
      ["https://mainnet.sorobanrpc.com", "https://mainnet.sorobanrpc.com"],
      ["http://localhost:8000/", "http://localhost:8000"],
      ["HTTPS://Rpc.Example:443/", "https://rpc.example"],
      ["http://localhost:8000/soroban/rpc", "http://localhost:8000/…"],
      ["https://rpc.example?key=123", "https://rpc.example/…"],
      ["https://me:secret@rpc.example/", "https://rpc.example"]
    ] as const) {
      assert.strictEqual(parsed(text).name, name)
    }
  })

  it("asks what it was given, without user name and password, which make a header", () => {
    const url = parsed("https://me:s%C3%A9cret@rpc.example/v1/?a=b%20c+d")
    assert.strictEqual(Redacted.value(url.url), "https://rpc.example/v1/?a=b%20c+d")
    assert.strictEqual(
      url.authorization && Redacted.value(url.authorization),
      `Basic ${Buffer.from("me:sécret").toString("base64")}`
    )
    assert.isUndefined(parsed("https://rpc.example/").authorization)
    assert.notInclude(JSON.stringify(url) + String(url.url), "v1")
  })

  it("takes its secrets out of words from outside", () => {
    const { hide } = parsed("https://username:pass-word@rpc.example/v1/abcdef0123?key=zyxwvut")
    assert.strictEqual(
      hide("key zyxwvut of username (pass-word) at /abcdef0123 on https://rpc.example is v1"),
      "key … of … (…) at /… on https://rpc.example is v1"
    )
    assert.strictEqual(
      hide("GET https://rpc.example/v1/abcdef0123?key=zyxwvut failed"),
      "GET https://rpc.example failed"
    )
  })

  it("refuses what is no URL of a server", () => {
    for (const text of [
      "",
      "rpc.example",
      "ws://rpc.example",
      "http://",
      "https://rpc.example/#x",
      "file:///x"
    ]) {
      assert.isUndefined(RpcUrl.parse(text), text)
    }
  })
})
