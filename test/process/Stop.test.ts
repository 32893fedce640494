import { afterEach, assert, describe, it } from "@effect/vitest"
import * as Child from "../support/Child.js"

afterEach(Child.clear)

const service = async (env: Record<string, string> = {}) =>
  Child.start(await Child.program("service.ts"), { SERVER_PORT: "0", SERVER_HOST: "127.0.0.1", ...env })

const listening = async (child: Child.Child) => {
  const [, url] = await child.says(/(http:\/\/[\d.]+:\d+)/)
  await child.says(/\bready\b/)
  return url!
}

describe("a service on plain NodeRuntime.runMain", () => {
  it.each(["SIGTERM", "SIGINT", "SIGHUP"] as const)(
    "ends with 0 on %s, everything released in order",
    async (signal) => {
      const child = await service()
      await listening(child)
      child.kill(signal)
      assert.deepInclude(await child.end, { code: 0, signal: null })
      const said = child.stdout()
      assert.isBelow(said.indexOf("cache closed"), said.indexOf("database closed"))
      assert.include(said, signal)
    }
  )

  it("law 7: a request in flight gets its whole answer, one that comes while it drains too", async () => {
    const child = await service()
    const url = await listening(child)
    const slow = fetch(`${url}/slow?ms=1500`)
    await fetch(`${url}/fast`).then((response) => response.text())
    await new Promise((resolve) => setTimeout(resolve, 200))
    child.kill("SIGTERM")
    await child.says(/draining/)
    const late = await fetch(`${url}/fast`)
    assert.strictEqual(late.status, 200)
    assert.strictEqual(late.headers.get("connection"), "close")
    assert.deepStrictEqual(await slow.then((response) => response.json()), { ok: true })
    assert.strictEqual((await child.end).code, 0)
  })

  it("law 2: a request longer than the limit is cut at the limit, by method, path and age, and the code is 3", async () => {
    const child = await service({ SHUTDOWN_GRACEFUL_TIMEOUT: "1" })
    const url = await listening(child)
    const slow = fetch(`${url}/slow?ms=60000`).then(
      (response) => response.status,
      () => "cut"
    )
    await new Promise((resolve) => setTimeout(resolve, 300))
    const signalled = performance.now()
    child.kill("SIGTERM")
    assert.strictEqual((await child.end).code, 3)
    const took = performance.now() - signalled
    assert.isAtLeast(took, 950)
    assert.isBelow(took, 4000)
    assert.include([503, "cut"], await slow)
    assert.match(child.stdout(), /GET \/slow after 1\d{3}/)
  })

  it("SHUTDOWN_WAIT_FOR_CONNECTIONS=false: requests are interrupted as soon as the drain begins, and counted", async () => {
    const child = await service({ SHUTDOWN_WAIT_FOR_CONNECTIONS: "false" })
    const url = await listening(child)
    const slow = fetch(`${url}/slow?ms=60000`).then(
      (response) => response.status,
      () => "cut"
    )
    await new Promise((resolve) => setTimeout(resolve, 300))
    const signalled = performance.now()
    child.kill("SIGTERM")
    assert.strictEqual((await child.end).code, 0)
    assert.isBelow(performance.now() - signalled, 3000)
    assert.include([503, "cut"], await slow)
    assert.match(child.stdout(), /GET \/slow after \d+/)
  })

  it("scenario 9: a release that never returns is named and given up, outer ones are released, the code is 3", async () => {
    const child = await service({ KNOB: "hang" })
    await listening(child)
    child.kill("SIGTERM")
    assert.strictEqual((await child.end).code, 3)
    assert.match(child.stdout(), /release timed out[\s\S]*cache/)
    assert.include(child.stdout(), "database closed")
  })

  it("scenario 10: a signal while an acquisition stalls: the port never opens, what was acquired is released", async () => {
    const child = await service({ KNOB: "stall" })
    await child.says(/database open/)
    await new Promise((resolve) => setTimeout(resolve, 300))
    child.kill("SIGTERM")
    assert.strictEqual((await child.end).code, 0)
    assert.notMatch(child.stdout(), /http:\/\//)
    assert.include(child.stdout(), "database closed")
  })

  it("law 2: a leaked handle does not keep the process", async () => {
    const child = await service({ KNOB: "leak" })
    await listening(child)
    const signalled = performance.now()
    child.kill("SIGHUP")
    assert.strictEqual((await child.end).code, 0)
    assert.isBelow(performance.now() - signalled, 5000)
  })

  it.each([
    ["throw", /uncaughtException: thrown at nobody/],
    ["reject", /unhandledRejection: rejected at nobody/]
  ])(
    "an error that nobody caught (%s) stops the service with code 1, everything released",
    async (knob, said) => {
      const child = await service({ KNOB: knob })
      await child.says(said)
      assert.strictEqual((await child.end).code, 1)
      assert.include(child.stdout(), "database closed")
    }
  )

  it("law 5, scenario 8: a second signal ends a long drain within a second, with code 3 and what was open", async () => {
    const child = await service()
    const url = await listening(child)
    const slow = fetch(`${url}/slow?ms=60000`).catch(() => "cut")
    await new Promise((resolve) => setTimeout(resolve, 300))
    child.kill("SIGTERM")
    await new Promise((resolve) => setTimeout(resolve, 600))
    const second = performance.now()
    child.kill("SIGTERM")
    assert.strictEqual((await child.end).code, 3)
    assert.isBelow(performance.now() - second, 2500)
    assert.match(child.stdout(), /second signal[\s\S]*http \(quiesce\)/)
    assert.include(child.stdout(), "database closed")
    await slow
  })
})
