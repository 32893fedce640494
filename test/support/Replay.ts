/** Replays of a stretch by the bundled program, undisturbed or killed again and again. */
import { assert } from "@effect/vitest"
import { existsSync } from "node:fs"
import { join } from "node:path"
import * as Random from "../simulation/Random.js"
import * as Child from "./Child.js"
import * as Failpoint from "./Failpoint.js"
import type { Misbehaviour, LakeServer } from "./LakeServer.js"
import type { Stretch } from "./Stretch.js"
import * as TableDump from "./TableDump.js"

/** Where a kill fell, and what came of it. */
export interface Fall {
  readonly signal: "SIGKILL" | "SIGTERM"
  /** What the process was doing; `committed`: the COMMIT is done and nobody knows of it yet. */
  readonly at: "start" | "fetch" | "verify" | "commit" | "committed" | "task" | "idle"
  /** In a commit: between which of its statements. */
  readonly between?: string
  /** Whether the place was aimed at, or came by chance. */
  readonly aimed: boolean
  /** A SIGTERM's exit code. */
  readonly code: number | null
  /** Whether the unit had a limit shorter than what was left of it. */
  readonly cut: boolean
}

/** Whether a kill fell inside the work on a ledger. */
export const isInside = ({ at }: Fall): boolean => ["fetch", "verify", "commit", "committed"].includes(at)

/** What the tasks that make snapshots use: one bucket for the whole stretch, so that it does not matter when they ran. */
const intervals = {
  METRICS_SYNC_INTERVAL: "1",
  POOL_SNAPSHOT_INTERVAL: "3600",
  TRUSTLINE_SNAPSHOT_INTERVAL: "3600"
}

const file = (folder: string) => join(folder, "data/insights.db")

const pause = (millis: number) => new Promise((resolve) => setTimeout(resolve, millis))

/** Waits until it is so; the child's output tells why when that does not come. */
const until = async (child: Child.Child, isSo: () => boolean, millis = 60_000) => {
  const end = performance.now() + millis
  while (!isSo()) {
    if (performance.now() > end || child.process.exitCode !== null || child.process.signalCode !== null) {
      throw new Error(`it did not come to that\n${child.stdout()}\n${child.stderr()}`)
    }
    await pause(10)
  }
}

/** The last ledger that is stored; none before there is one. */
const cursor = (folder: string): number | undefined => {
  if (!existsSync(file(folder))) return undefined
  return TableDump.reading(file(folder), (database) => {
    try {
      const found = database.prepare("SELECT sequence FROM ingestion_cursor").pluck().get() as number | null
      return found ?? undefined
    } catch {
      // Its tables are not there yet.
      return undefined
    }
  })
}

/** Whether every task has worked through everything that is stored. */
const isWorkedThrough = (folder: string, last: number): boolean =>
  TableDump.reading(file(folder), (database) => {
    const marks = database.prepare("SELECT count(*) FROM task_watermark WHERE ledger = ?").pluck().get(last)
    const left = database
      .prepare(
        "SELECT count(*) FROM outbox WHERE id > coalesce((SELECT min(last_id) FROM outbox_consumer), 0)"
      )
      .pluck()
      .get()
    return marks === 3 && left === 0
  })

/** Replays of one stretch out of one lake. */
export const make = (stretch: Stretch, lake: LakeServer) => {
  const env = { STELLAR_SOURCE: "lake", STELLAR_LAKE_URL: lake.url.href, ...stretch.env, ...intervals }

  /** Answers late from now on, so that fetching takes its time; ordinary again with 0. */
  const slow = (millis: number) => {
    const late: Misbehaviour = (response, good) => {
      setTimeout(() => response.end(good), millis)
    }
    for (const key of stretch.objects.keys()) {
      if (key !== ".config.json")
        lake.misbehave(key, ...Array.from({ length: millis === 0 ? 0 : 500 }, () => late))
    }
  }

  const stop = async (child: Child.Child) => {
    child.kill("SIGTERM")
    assert.strictEqual((await child.end).code, 0, child.stdout() + child.stderr())
  }

  /** Brings a replay to its end: every ledger, and what tasks make of them as of the last. */
  const finish = async (folder: string): Promise<TableDump.Tables> => {
    if (cursor(folder) !== stretch.last) {
      const child = Child.serve(env, folder)
      await until(child, () => cursor(folder) === stretch.last)
      await stop(child)
    }
    // A process that begins after the last ledger: all of its tasks work once at the start, so they have seen all of it.
    const child = Child.serve(env, folder)
    await until(child, () => isWorkedThrough(folder, stretch.last))
    await stop(child)
    return TableDump.dump(file(folder))
  }

  /** Nothing but whole ledgers is stored, each as it was stored without a disturbance. */
  const assertWhole = (folder: string, expected: ReadonlyMap<number, string>) => {
    if (cursor(folder) === undefined) return
    for (const [sequence, facts] of TableDump.byLedger(file(folder))) {
      assert.strictEqual(facts, expected.get(sequence), `ledger ${sequence}`)
    }
  }

  const aim = (random: Random.Random): Failpoint.Stall | undefined => {
    const chance = random.next()
    const commit = random.int(1, 2)
    if (chance < 0.35) return { commit, statement: random.int(1, 90) }
    // Before the COMMIT, and right after it.
    if (chance < 0.45) return { commit, statement: random.chance(0.5) ? 10_000 : 0 }
    if (chance < 0.6) return { commit, hash: random.int(1, 3) }
    return undefined
  }

  /** Starts a process, sends a signal at some instant, and tells where it fell. */
  const disturb = async (
    folder: string,
    signal: "SIGKILL" | "SIGTERM",
    random: Random.Random
  ): Promise<Fall> => {
    const stall = aim(random)
    const cut = signal === "SIGTERM" && random.chance(0.35)
    const failpoint = Failpoint.make(folder, { slow: 2, stall })
    const child = Child.serve(
      { ...env, ...failpoint.env, ...(cut ? { SHUTDOWN_BACKGROUND_TIMEOUT: "50 millis" } : {}) },
      folder
    )
    const goesOn = () => child.process.exitCode === null && child.process.signalCode === null
    const isDone = () => cursor(folder) === stretch.last
    if (stall !== undefined) {
      while (goesOn() && failpoint.place().stalled !== true && !isDone()) await pause(5)
    } else if (random.chance(0.12)) await pause(random.int(1, 1000))
    else {
      while (goesOn() && failpoint.place().state !== "fetch" && !isDone()) await pause(5)
      await pause(random.int(0, 1000))
    }
    const wasDone = isDone()
    const before = failpoint.place()
    child.kill(signal)
    if (signal === "SIGTERM") {
      // The limit of a unit that is to be cut passes, or nearly.
      if (before.stalled === true) await pause(cut ? random.int(0, 80) : 20)
      failpoint.go()
    }
    const { code } = await child.end
    const place = signal === "SIGKILL" ? failpoint.place() : before
    if (signal === "SIGTERM") {
      const unheard = code === null && place.state === "none"
      assert.isTrue(
        code === 0 || unheard || (cut && code === 3),
        `${code}\n${child.stdout()}${child.stderr()}`
      )
      // One that stopped before it opened the file leaves it as the kill before left it.
      if (code === 0 && place.state !== "start")
        assert.isFalse(existsSync(`${file(folder)}-wal`), "a log is left")
    }
    const at = (): Fall["at"] => {
      switch (place.state) {
        case "none":
        case "start":
          return "start"
        case "ledger":
          return place.before === undefined ? "committed" : "commit"
        case "fetch":
          return wasDone ? "idle" : "fetch"
        default:
          return place.state
      }
    }
    return {
      signal,
      at: at(),
      ...(place.before === undefined
        ? {}
        : { between: `${place.statement} ${place.after} | ${place.before}` }),
      aimed: before.stalled === true,
      code,
      cut
    }
  }

  return {
    /** The tables without any disturbance, and what is stored of each ledger. */
    undisturbed: async () => {
      const folder = Child.folder()
      const tables = await finish(folder)
      return { tables, ledgers: TableDump.byLedger(file(folder)) }
    },
    /** One replay, from an empty database to its end, with the signals that `next` gives until there are none left or the replay is over. */
    disturbed: async (
      next: () => "SIGKILL" | "SIGTERM" | undefined,
      random: Random.Random,
      fell: (fall: Fall) => void,
      expected: Promise<{ readonly ledgers: ReadonlyMap<number, string> }>
    ) => {
      const folder = Child.folder()
      slow(100)
      while (cursor(folder) !== stretch.last) {
        const signal = next()
        if (signal === undefined) break
        fell(await disturb(folder, signal, random))
        assertWhole(folder, (await expected).ledgers)
      }
      slow(0)
      const tables = await finish(folder)
      const damage = TableDump.reading(file(folder), (database) => database.pragma("integrity_check"))
      assert.deepStrictEqual(damage, [{ integrity_check: "ok" }])
      return tables
    }
  }
}
