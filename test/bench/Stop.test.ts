import { fileURLToPath } from "node:url"
import { assert, describe, it } from "@effect/vitest"
import type { Outcome } from "../../bench/drain/Account.js"
import { fast, slow } from "../../bench/drain/Exchanges.js"
import type { Load, StopResult } from "../../bench/drain/Stop.js"
import { runStop } from "../../bench/drain/Stop.js"
import { start } from "../../bench/support/Target.js"

const wrongServer = fileURLToPath(new URL("wrong-server.mjs", import.meta.url))

/** Four clients that send every few milliseconds until 300 ms after the signal. */
const steady: Load = {
  id: "test",
  title: "a steady trickle",
  run: async (stop) => {
    const client = async () => {
      const connection = await stop.connect("open")
      if (connection === undefined) return
      while (connection.usable && stop.sinceSignal() < 300) {
        await stop.ask(connection, fast)
        await stop.pause(5, connection)
      }
      connection.giveUp()
    }
    const clients = [client(), client(), client(), client()]
    await stop.pause(100)
    stop.terminate()
    await Promise.all(clients)
  }
}

/** A request that is in flight when the signal comes. */
const waiting: Load = {
  id: "test",
  title: "one slow request",
  run: async (stop) => {
    const connection = await stop.connect("open")
    const answer = stop.ask(connection!, slow(200))
    await stop.pause(50)
    stop.terminate()
    await answer
  }
}

const stopOf = async (how: string, load: Load, cap = 5000): Promise<StopResult> => {
  const target = await start({ name: how, argv: [process.execPath, wrongServer, how] })
  return runStop(target, load, { random: () => 0.5, cap }).result
}

const only = (result: StopResult, expected: Outcome) => {
  for (const outcome of ["wrong", "raced", "dropped", "cut", "hung", "declined"] as const) {
    if (outcome === expected) assert.isAbove(result.outcomes[outcome], 0, `${outcome} is not seen`)
    else assert.strictEqual(result.outcomes[outcome], 0, `${outcome} is seen: ${result.examples.join("; ")}`)
  }
  assert.isAbove(result.outcomes.complete, 0, "requests before the signal are complete")
}

describe("the drain bench sees", () => {
  it("no loss where there is none, and the time from the slowest answer to the exit", async () => {
    const result = await stopOf("keeps", steady)
    assert.strictEqual(result.outcomes.complete, result.requests)
    assert.isAbove(result.late.answered, 0)
    assert.strictEqual(result.exit, "0")
  })

  it("requests that are read and never answered before the connection closes", async () => {
    const result = await stopOf("swallows", steady)
    only(result, "dropped")
    assert.strictEqual(result.resets, 0)
    assert.isAbove(result.late.lost, 0)
  })

  it("responses that end in the middle", async () => {
    only(await stopOf("cuts", steady), "cut")
  })

  it("whole refusals, which are not losses", async () => {
    const result = await stopOf("declines", steady)
    only(result, "declined")
    // One that was on its way when the signal came is declined, too, but not late.
    assert.isAbove(result.late.declined, 0)
    assert.isAtMost(result.late.declined, result.outcomes.declined)
    assert.strictEqual(result.late.lost, 0)
  })

  it("requests that stay unanswered, and a process that has to be killed", async () => {
    const result = await stopOf("hangs", steady, 500)
    only(result, "hung")
    assert.strictEqual(result.exit, "never")
    assert.isUndefined(result.exitAfterSignal)
  })

  it("a request in flight that is reset", async () => {
    const result = await stopOf("resets", waiting)
    assert.strictEqual(result.outcomes.dropped, 1)
    assert.strictEqual(result.resets, 1)
  })

  it("exit codes", async () => {
    assert.strictEqual((await stopOf("fails", waiting)).exit, "7")
  })

  it("a server that goes on after its last answer, measured from that answer", async () => {
    const result = await stopOf("ignores", waiting, 600)
    assert.strictEqual(result.outcomes.complete, 1)
    assert.strictEqual(result.exit, "never")
  })

  it("a server that ends before it was told to", async () => {
    const target = await start({ name: "keeps", argv: [process.execPath, wrongServer, "keeps"] })
    const early: Load = {
      id: "test",
      title: "no signal of the bench's own",
      run: async (stop) => {
        target.signal("SIGKILL")
        await stop.exited
      }
    }
    const { active, result } = runStop(target, early, { random: () => 0.5, cap: 1000 })
    await active
    const failure = await result.then(
      () => undefined,
      (error: Error) => error.message
    )
    assert.match(failure ?? "", /ended before it was told to/)
  })
})
