import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { situations } from "../../../src/drill/situation/Situations.js"
import { bundled, named, ours, plain, several } from "./Drilled.js"

/** What is run against our own server: each situation in a drill of its own, but for the start, of which it must be known how long it takes. */
const starts = situations.filter(({ begins }) => begins === "started")
const drills = [
  ...situations.filter(({ begins }) => begins !== "started").map((situation) => [situation]),
  [...named("restart"), ...starts]
]
/** What is right by means that have nothing to do with ours. */
const others = named(
  "late-request",
  "half-sent-head",
  "chatty-client",
  "early-refusal",
  "silent-web-socket",
  "late-upgrade"
)

let folder = ""
let ofOurs: ReadonlyArray<ReadonlyArray<string>> = []
let ofOthers: ReadonlyArray<ReadonlyArray<string>> = []
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "drill-"))
  const file = await bundled(folder)
  ofOurs = await several(5, drills, (scenarios) => ours(file, scenarios))
  ofOthers = await several(6, others, (situation) => plain("none", { scenarios: [situation] }))
}, 120_000)
afterAll(() => rm(folder, { recursive: true, force: true }))

/** Numbers of the processes whose command line names `text`. */
const processes = async (text: string): Promise<ReadonlyArray<string>> => {
  const found: Array<string> = []
  for (const pid of await readdir("/proc")) {
    if (!/^\d+$/.test(pid) || pid === String(process.pid)) continue
    const line = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")
    if (line.includes(text)) found.push(pid)
  }
  return found
}

describe("our own server is found right", () => {
  it.each(drills.map((scenarios, i) => ({ ids: scenarios.map(({ id }) => id).join(", "), i })))(
    "$ids",
    ({ i }) => assert.deepStrictEqual(ofOurs[i], [])
  )
})

describe("a server that knows nothing of ours is found right too", () => {
  it.each(others.map(({ id }, i) => ({ id, i })))("$id", ({ i }) => assert.deepStrictEqual(ofOthers[i], []))
})

it("situations have names of their own, and cover what can be seen from outside", () => {
  assert.strictEqual(new Set(situations.map(({ id }) => id)).size, situations.length)
  const covered = new Set(situations.flatMap(({ scenarios }) => scenarios))
  assert.deepStrictEqual(
    [...covered].sort((a, b) => a - b),
    [1, 2, 4, 6, 7, 8, 10, 12, 13, 15, 16, 20, 22]
  )
  assert.deepStrictEqual(
    situations.filter(({ id }) => !/^[a-z0-9]+(-[a-z0-9]+)*$/.test(id)),
    []
  )
})

it("a situation that is interrupted leaves no process and no failure that nobody handles", async () => {
  const unhandled: Array<unknown> = []
  const listen = (reason: unknown) => unhandled.push(reason)
  process.on("unhandledRejection", listen)
  try {
    await Promise.all(
      [700, 1100, 1500].flatMap((millis) =>
        named("chatty-client", "early-refusal", "accepted-connections", "stop-time-web-sockets").map(
          (situation) =>
            Effect.runPromise(
              plain(`none interrupted-${process.pid}`, { scenarios: [situation] }).pipe(
                Effect.timeoutOption(millis)
              )
            )
        )
      )
    )
    await new Promise((resolve) => setTimeout(resolve, 100))
    assert.deepStrictEqual(unhandled, [])
    assert.deepStrictEqual(await processes(`interrupted-${process.pid}`), [])
  } finally {
    process.off("unhandledRejection", listen)
  }
})
