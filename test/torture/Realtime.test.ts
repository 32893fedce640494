/**
 * E5: a WebSocket session outlives the server. Clients in processes of their own listen while ledgers come in and are talked about; the real service is stopped by SIGTERM
 * and killed by SIGKILL in turns, sometimes while they are still coming back. After each fall what every client saw is compared with the outbox in the file: the events
 * of its channels, each once, in order, nothing that was not committed; who was said goodbye to has seen all of them.
 *
 * What `bye` counts is exact: it is the number of answers that the client got in its session, over all its connections, since a message that is not answered was not
 * handled. After SIGKILL a session goes on as it was last saved, so what was answered within `WS_SESSION_INTERVAL` before may not be counted; nothing is counted
 * that was not sent.
 *
 * `TORTURE=long npm run torture` takes 1,000 clients through 10 falls of either kind; the short form is for every change.
 */
import { afterEach, assert, describe, it } from "@effect/vitest"
import { join } from "node:path"
import * as Random from "../simulation/Random.js"
import * as Child from "../support/Child.js"
import { comingBack } from "../support/ComingBack.js"
import * as Fleet from "../support/Fleet.js"
import { freePort } from "../support/FreePort.js"
import * as OutboxFile from "../support/OutboxFile.js"

const isLong = process.env.TORTURE === "long"
const size = isLong ? 1000 : 300
const falls = isLong ? 10 : 2
const seed = Number(process.env.TORTURE_SEED ?? Date.now() >>> 0)

/** What a busy machine adds to the interval of saving: it is for finding sessions that are never saved, not for measuring. */
const saveMillis = 8000
const spreadMillis = 500

const channelSets = [
  ["ledgers"],
  ["payments"],
  ["asset:native"],
  ["tasks"],
  ["ledgers", "tasks"],
  ["payments", "asset:native"],
  ["ledgers", "payments", "asset:native", "tasks"]
]

afterEach(() => {
  Fleet.clear()
  Child.clear()
})

const since = (moment: number) => Math.round(performance.now() - moment)
const pause = (millis: number) => new Promise((resolve) => setTimeout(resolve, millis))

describe("clients whose server is stopped and killed", () => {
  it("see every event of their channels once, in order; each stop says goodbye with the right total", async () => {
    console.log(`TORTURE_SEED=${seed}`)
    const random = Random.make(seed)
    const port = await freePort()
    const folder = Child.folder()
    const outbox = OutboxFile.make(join(folder, "data/insights.db"))
    const serve = async () => {
      const child = Child.serve(
        {
          SERVER_PORT: String(port),
          STELLAR_SIMULATED_INTERVAL: "0.2",
          STELLAR_SIMULATED_TRANSACTIONS: "10",
          METRICS_SYNC_INTERVAL: "1",
          POOL_SNAPSHOT_INTERVAL: "1",
          TRUSTLINE_SNAPSHOT_INTERVAL: "2",
          WS_SESSION_INTERVAL: "0.25",
          // What is promised of the totals holds where saving ends in time, however slow the machine is.
          SHUTDOWN_WEBSOCKET_TIMEOUT: "20",
          WS_RECONNECT_SPREAD: String(spreadMillis / 1000)
        },
        folder
      )
      await Child.url(child)
      return child
    }
    const fleet = await Fleet.start(
      {
        url: `ws://127.0.0.1:${port}/ws`,
        clients: size,
        channelSets,
        messageMillis: isLong ? 2000 : 1000,
        saveMillis,
        spreadMillis
      },
      2
    )
    let child = await serve()
    await fleet.connect(1000)
    await fleet.until(({ live }) => live === fleet.size, "all subscribed")

    const left = { SIGKILL: falls, SIGTERM: falls }
    while (left.SIGKILL + left.SIGTERM > 0) {
      const signal = left.SIGKILL >= left.SIGTERM ? "SIGKILL" : "SIGTERM"
      left[signal] -= 1
      const isLast = left.SIGKILL + left.SIGTERM === 0
      // Some falls come while clients are still coming back.
      const share = isLast || random.chance(0.6) ? 1 : 0.1 + 0.8 * random.next()
      const ready = performance.now()
      const back = await fleet.until(({ live }) => live >= share * fleet.size, "all back")
      console.log(
        `  ${back.live} live after ${since(ready)} ms, at most ${Fleet.peak(back.opened, 100)} connected in 100 ms; ${back.resumed} resumed, ${back.forgotten} with a new session`
      )
      if (share === 1) await pause(200 + 1000 * random.next())

      await fleet.mark()
      const signalled = performance.now()
      child.kill(signal)
      const { code } = await child.end
      const stopped = since(signalled)
      const after = await fleet.until(({ connected }) => connected === 0, "all gone")
      if (signal === "SIGTERM") {
        assert.strictEqual(code, 0, `${child.stdout()}${child.stderr()}`)
        assert.strictEqual(after.abrupt, 0, "connections ended without bye")
        assert.strictEqual(after.told, after.byes)
        const completed = child.lines().find(({ event_type }) => event_type === "ws_shutdown_completed")
        assert.deepInclude(completed, { sessions_saved: true, said_goodbye: after.byes, terminated: 0 })
        if (share === 1) assert.strictEqual(after.whole, fleet.size)
      }
      const seen = await fleet.compare(await outbox.more(channelSets))
      const { events, examples, messages, problems, unsavedMillis } = await fleet.counts()
      assert.strictEqual(problems, 0, examples.join("\n"))
      assert.strictEqual(seen.wrong, 0)
      if (isLast) assert.strictEqual(seen.right, fleet.size)
      console.log(
        `${signal}: gone after ${stopped} ms; of ${after.byes + after.abrupt} connected ${after.byes} got bye; ${seen.right} of all are up to date`
      )
      if (isLast) {
        console.log(
          `${fleet.size} clients: ${events} events, ${messages} messages; SIGKILL took from the counts of sessions at most the last ${unsavedMillis} ms`
        )
        assert.isAbove(events, 10 * fleet.size)
      } else child = await serve()
    }
  }, 600_000)

  it(
    "scenario 21: a thousand come back over the time that they were given",
    () => comingBack(isLong ? 1000 : 300, isLong ? 5000 : 2000),
    120_000
  )
})
