/** Whoever asks is answered, also while every task has all the work that it can do. */
import { afterEach, assert, it } from "@effect/vitest"
import * as Child from "../support/Child.js"

afterEach(Child.clear)

/** What an answer may take, in milliseconds: some twenty times what most take on a small machine. */
const patience = 1000

it("answers within a second while it catches up with ledgers that come as fast as they are taken", async () => {
  const child = Child.serve({
    STELLAR_SIMULATED_INTERVAL: "0",
    STELLAR_SIMULATED_TRANSACTIONS: "300",
    METRICS_SYNC_INTERVAL: "1",
    POOL_SNAPSHOT_INTERVAL: "1",
    TRUSTLINE_SNAPSHOT_INTERVAL: "1"
  })
  const url = await Child.url(child)
  const committed = async () => {
    const { ingestion } = (await (await fetch(`${url}/health`)).json()) as {
      ingestion: { ledgersSinceStart: number; state: string }
    }
    return ingestion
  }
  while ((await committed()).ledgersSinceStart < 5) await new Promise((resolve) => setTimeout(resolve, 20))
  const took: Array<number> = []
  const before = await committed()
  for (
    let round = 0;
    round < 20 || (await committed()).ledgersSinceStart < before.ledgersSinceStart + 5;
    round++
  ) {
    for (const path of ["/health/live", "/api/corridors?limit=20"]) {
      const asked = performance.now()
      const response = await fetch(`${url}${path}`)
      await response.text()
      took.push(Math.round(performance.now() - asked))
      assert.strictEqual(response.status, 200, path)
      assert.isBelow(took.at(-1)!, patience, `in milliseconds: ${took.join(" ")}`)
    }
  }
  const after = await committed()
  const sorted = [...took].sort((a, b) => a - b)
  console.log(`answers in ms: median ${sorted[took.length >> 1]}, longest ${sorted.at(-1)}`)
  assert.strictEqual(after.state, "catching-up")
  child.kill("SIGTERM")
  assert.strictEqual((await child.end).code, 0)
})
