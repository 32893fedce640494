/**
 * E6: two processes, one database, one Redis, ledgers five times a second. Whoever works is stopped, killed and made to stand still, again and again; no ledger is missing,
 * none is there twice, and each has its events once. `TORTURE=long npm run torture` takes 20 SIGTERM, 20 SIGKILL and 10 SIGSTOP; the short form is for every change.
 *
 * What is printed: from when the lease is free (the transaction that gives it back; its end, when the holder was killed or stands still) until another process has
 * taken it; from then until it says that it ingests, by the time of its log line, and until the transaction of the first ledger begins.
 */
import { afterEach, assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import * as Random from "../simulation/Random.js"
import * as Child from "../support/Child.js"
import * as HandOvers from "../support/HandOvers.js"
import * as RedisServer from "../support/RedisServer.js"

const isLong = process.env.TORTURE === "long"
const seed = Number(process.env.TORTURE_SEED ?? Date.now() >>> 0)
const { note, path } = RedisServer.tool

afterEach(Child.clear)

/** What a busy machine may add, in milliseconds: this finds hand-overs that nobody was woken for, and is no measurement. */
const slack = 3000

const report = (title: string, handOvers: ReadonlyArray<HandOvers.HandOver>) => {
  const of = (what: (one: HandOvers.HandOver) => number) => HandOvers.distribution(handOvers.map(what))
  console.log(
    [
      `${title}:`,
      `  signal to lease free  ${of(({ toFree }) => toFree)}`,
      `  free to taken         ${of(({ toTaken }) => toTaken)}`,
      `  taken to ingesting    ${of(({ toIngesting }) => toIngesting)}`,
      `  taken to first unit   ${of(({ toUnit }) => toUnit)}`,
      `  free to first unit    ${of(({ toTaken, toUnit }) => toTaken + toUnit)}`
    ].join("\n")
  )
}

const run = async (
  signals: Readonly<Record<HandOvers.Signal, number>>,
  env: Record<string, string>
): Promise<ReadonlyArray<HandOvers.HandOver>> => {
  console.log(`TORTURE_SEED=${seed}`)
  const random = Random.make(seed)
  const pair = await HandOvers.start(random, env)
  try {
    const left = Object.entries(signals).flatMap(([signal, count]) =>
      Array.from({ length: count }, () => signal as HandOvers.Signal)
    )
    const handOvers: Array<HandOvers.HandOver> = []
    while (left.length > 0) {
      handOvers.push(await pair.handOver(left.splice(random.int(0, left.length - 1), 1)[0]!))
    }
    const ledgers = await pair.finish()
    console.log(
      `${handOvers.length} hand-overs, ${ledgers} ledgers; ${pair.seen()} that woke up were seen to write nothing at all`
    )
    return handOvers
  } catch (error) {
    console.log(pair.said())
    throw error
  }
}

const by = (handOvers: ReadonlyArray<HandOvers.HandOver>, signal: HandOvers.Signal) =>
  handOvers.filter((one) => one.signal === signal)

describe("hand-overs between two processes on one file", () => {
  it.skipIf(path === undefined)(
    `with Redis: whoever waits is told${note}`,
    async () => {
      const scope = Effect.runSync(Scope.make())
      try {
        const redis = await Effect.runPromise(Scope.extend(RedisServer.run, scope))
        const handOvers = await run(
          { SIGTERM: isLong ? 20 : 2, SIGKILL: isLong ? 20 : 2, SIGSTOP: isLong ? 10 : 1 },
          // Whoever is not told would wait for as long.
          { REDIS_URL: redis.url, LEASE_POLL_INTERVAL: "20" }
        )
        report("SIGTERM, with Redis", by(handOvers, "SIGTERM"))
        report("SIGKILL", by(handOvers, "SIGKILL"))
        const stopped = by(handOvers, "SIGSTOP")
        report(
          "SIGSTOP between transactions",
          stopped.filter(({ inside }) => !inside)
        )
        report(
          "SIGSTOP inside one, until 200 ms after the lease's end",
          stopped.filter(({ inside }) => inside)
        )
        for (const { toTaken, toUnit } of handOvers) assert.isBelow(toTaken + toUnit, slack)
      } finally {
        await Effect.runPromise(Scope.close(scope, Exit.void))
      }
    },
    600_000
  )

  it("without Redis: whoever waits looks every LEASE_POLL_INTERVAL", async () => {
    const handOvers = await run({ SIGTERM: isLong ? 20 : 1, SIGKILL: 0, SIGSTOP: 0 }, {})
    report("SIGTERM, without Redis, looking every 250 ms", handOvers)
    for (const { toTaken, toUnit } of handOvers) assert.isBelow(toTaken + toUnit, 250 + slack)
  }, 600_000)
})
