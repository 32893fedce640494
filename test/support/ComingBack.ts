/** Scenario 21, for so many clients: all of them are told to go, and come back where the service goes on. */
import { assert } from "@effect/vitest"
import * as Child from "./Child.js"
import * as Fleet from "./Fleet.js"

/** A machine that does other things as well must not make it fail; a loop that is blocked by those who come back is. */
const patienceMillis = 2000

/** What a peak is looked for in: a busy machine stands still for a while, and then does what had to wait. */
const windowMillis = 500

/** Asks again and again whether the service is alive and ready, until it is told to end; then says how long the slowest answer took, in milliseconds. */
const watch = (url: string) => {
  let isOver = false
  const run = async () => {
    let slowest = 0
    while (!isOver) {
      for (const path of ["live", "ready"]) {
        const asked = performance.now()
        const { status } = await fetch(`${url}/health/${path}`)
        slowest = Math.max(slowest, performance.now() - asked)
        assert.strictEqual(status, 200, path)
      }
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    return slowest
  }
  const running = run()
  // Whoever is late to look at a failure must still see it.
  running.catch(() => {})
  return () => {
    isOver = true
    return running
  }
}

/**
 * Two processes on one database, as in a hand-over: the first, to which so many clients listen, is stopped while the second is there already, so that when they
 * come is for the hints alone to decide.
 */
export const comingBack = async (clients: number, spreadMillis: number): Promise<void> => {
  const folder = Child.folder()
  const serve = async (interval: string) => {
    const child = Child.serve(
      { STELLAR_SIMULATED_INTERVAL: interval, WS_RECONNECT_SPREAD: String(spreadMillis / 1000) },
      folder
    )
    return { child, url: await Child.url(child) }
  }
  const webSocket = (url: string) => `${url.replace("http", "ws")}/ws`
  // Only one of them has ledgers to write.
  const blue = await serve("3600")
  const fleet = await Fleet.start({
    url: webSocket(blue.url),
    clients,
    channelSets: [["ledgers"], ["payments"], ["ledgers", "payments", "tasks"]],
    messageMillis: 2000,
    saveMillis: 15_000,
    spreadMillis
  })
  await fleet.connect(300)
  await fleet.until(({ live }) => live === fleet.size, "all subscribed")
  const green = await serve("0.5")
  await fleet.move(webSocket(green.url))
  await fleet.mark()
  const end = watch(green.url)
  blue.child.kill("SIGTERM")
  const back = await fleet.until(({ live, opened }) => live === fleet.size && opened.length >= live, "back")
  const slowest = await end()
  assert.strictEqual((await blue.child.end).code, 0, blue.child.stdout())
  green.child.kill("SIGTERM")

  const even = (clients * windowMillis) / spreadMillis
  const peak = Fleet.peak(back.opened, windowMillis)
  console.log(
    `${clients} clients come back within ${Math.max(...back.opened) - Math.min(...back.opened)} ms, asked for ${spreadMillis}; in ${windowMillis} ms at most ${peak}, evenly ${even.toFixed(0)} ` +
      `(in 100 ms ${Fleet.peak(back.opened, 100)}, evenly ${(even / 5).toFixed(0)}); the slowest answer about health took ${Math.round(slowest)} ms`
  )
  assert.strictEqual(back.problems, 0, back.examples.join("\n"))
  assert.strictEqual(back.told, clients)
  assert.strictEqual(back.resumed, clients)
  assert.strictEqual(back.refused, 0)
  assert.isAtMost(Fleet.peak(back.hints, windowMillis), 1.1 * even + 2)
  // When they are let in depends on the machine as well.
  assert.isAtMost(peak, 3 * even)
  assert.isBelow(slowest, patienceMillis)
  assert.strictEqual((await green.child.end).code, 0, green.child.stdout())
}
