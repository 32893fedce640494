/**
 * Two processes of the service on one file, of which one works, and what becomes of the work when that one is stopped, killed, or stands still for too long.
 */
import { assert } from "@effect/vitest"
import { join } from "node:path"
import * as Outside from "../insights/Outside.js"
import type * as Random from "../simulation/Random.js"
import * as Child from "./Child.js"
import * as HandOverJournal from "./HandOverJournal.js"

/** How the one who works is ended, or held up. */
export type Signal = "SIGTERM" | "SIGKILL" | "SIGSTOP"

/** One hand-over. Times are in milliseconds. */
export interface HandOver {
  readonly signal: Signal
  /** SIGSTOP: it stood still inside a transaction, so the file was locked until it woke up. */
  readonly inside: boolean
  /** From when the lease was free (given back, or at its end) until it was taken; negative where a new process saw that the one before is gone. */
  readonly toTaken: number
  /** From then until the process said that it ingests: all that stands before it has been built, and the next ledger is asked for. The first may have been at hand, and is stored before. */
  readonly toIngesting: number
  /** From when it was taken until the transaction of the first ledger began. */
  readonly toUnit: number
  /** From the signal until the lease was free. */
  readonly toFree: number
}

const seconds = { ttl: 2, interval: 0.2 }

const pause = (millis: number) => new Promise((resolve) => setTimeout(resolve, millis))

const times = (child: Child.Child, words: string) => child.stdout().split(`"message":"${words}"`).length - 1

/** Such as it is at the moment: it waits for the lease. */
const isOnStandby = (child: Child.Child) =>
  child.stdout().lastIndexOf("On standby for a lease") > child.stdout().lastIndexOf("Lease acquired")

/** Starts a pair; `env` is for both. */
export const start = async (random: Random.Random, env: Record<string, string>) => {
  const file = join(Child.folder(), "data/insights.db")
  const all: Array<Child.Child> = []
  const serve = () => {
    const child = Child.serve({
      DATABASE_URL: `sqlite:${file}`,
      STELLAR_SIMULATED_INTERVAL: String(seconds.interval),
      LEASE_TTL: String(seconds.ttl),
      METRICS_SYNC_INTERVAL: "1",
      POOL_SNAPSHOT_INTERVAL: "2",
      TRUSTLINE_SNAPSHOT_INTERVAL: "3",
      LOG_LEVEL: "debug",
      ...env
    })
    all.push(child)
    return child
  }
  /** One more, which has started when this ends. */
  const served = async () => {
    const child = serve()
    await Child.url(child)
    return child
  }

  let holder = await served()
  const db = Outside.connect(file)
  db.exec(HandOverJournal.begin)
  await HandOverJournal.until("a first ledger", () => {
    const [row] = db.prepare("SELECT sequence FROM ingestion_cursor").all() as Array<{
      sequence: number | null
    }>
    return typeof row?.sequence === "number"
  })
  let other = await served()
  const entries = db.prepare(
    "SELECT at, what, epoch, pid, sequence FROM journal WHERE epoch >= ? ORDER BY id"
  )
  const since = (epoch: number) => entries.all(epoch) as ReadonlyArray<HandOverJournal.Entry>
  const find = (epoch: number, what: HandOverJournal.Entry["what"]) =>
    since(epoch).find((entry) => entry.epoch === epoch && entry.what === what)
  const lease = () =>
    db.prepare("SELECT epoch, expires_at AS expiresAt FROM lease").get() as {
      readonly epoch: number
      readonly expiresAt: number
    }

  /** Whether nobody is in the midst of a transaction that writes. */
  const isFree = () => {
    const probe = Outside.connect(file)
    try {
      probe.pragma("busy_timeout = 100")
      probe.exec("BEGIN IMMEDIATE")
      probe.exec("ROLLBACK")
      return true
    } catch {
      return false
    } finally {
      probe.close()
    }
  }
  /** Whoever has the lease now has begun a ledger under it. */
  const works = async (epoch: number) => {
    await HandOverJournal.until(`a ledger under epoch ${epoch}`, () => find(epoch, "ledger") !== undefined)
    const taken = find(epoch, "taken")!
    const worker = all.find(({ pid }) => pid === taken.pid)!
    const said = () =>
      worker.lines().find((line) => line.message === "Ingesting ledgers" && line.epoch === epoch)
    await HandOverJournal.until("it says that it ingests", () => said() !== undefined)
    const toIngesting = Date.parse(String(said()!.timestamp)) - taken.at
    return { taken, toIngesting, toUnit: find(epoch, "ledger")!.at - taken.at }
  }
  const swap = (pid: number) => {
    if (other.pid === pid) [holder, other] = [other, holder]
    assert.strictEqual(holder.pid, pid)
  }

  /** What woke up has written nothing: the one who works is held still meanwhile, so that nobody else does. Gives whether that could be seen. */
  const wakes = async (sleeper: Child.Child, worker: Child.Child, epoch: number) => {
    const lost = times(sleeper, "Lease lost")
    for (let tries = 0; tries < 50; tries++) {
      worker.kill("SIGSTOP")
      if (isFree()) break
      worker.kill("SIGCONT")
      await pause(random.int(1, 10))
    }
    const version = () => db.pragma("data_version", { simple: true })
    const before = version()
    sleeper.kill("SIGCONT")
    await HandOverJournal.until(
      "what woke up finds its lease lost",
      () => times(sleeper, "Lease lost") > lost
    )
    await pause(100)
    const isStill = version() === before
    // Where all of this took as long as a lease, it may have been its turn.
    const wasTurn = lease().epoch !== epoch
    worker.kill("SIGCONT")
    assert.isTrue(isStill || wasTurn, "it wrote after waking up")
    return !wasTurn
  }

  const ended = async (child: Child.Child, signal: "SIGTERM" | "SIGKILL") => {
    const end = await child.end
    if (signal === "SIGTERM") assert.strictEqual(end.code, 0, child.stdout() + child.stderr())
  }

  let seen = 0
  /** Ends or holds up the one who works, at some instant, and waits for the next to work; then there are two again. */
  const handOver = async (signal: Signal): Promise<HandOver> => {
    const { epoch } = lease()
    await HandOverJournal.until("the other one waits", () => isOnStandby(other))
    // Whoever has had the lease before need not.
    await other.says(/Ready to take over|Lease lost/, HandOverJournal.patience)
    await HandOverJournal.until(
      "two ledgers",
      () => since(epoch).filter(({ what }) => what === "ledger").length >= 2
    )
    await pause(random.int(0, 400))
    const at = Date.now()
    holder.kill(signal)
    if (signal === "SIGTERM") {
      const { taken, ...after } = await works(epoch + 1)
      const free = find(epoch, "free")!
      await ended(holder, signal)
      holder = await served()
      swap(taken.pid)
      return {
        signal,
        inside: false,
        toFree: free.at - at,
        toTaken: taken.at - free.at,
        ...after
      }
    }
    const { expiresAt } = lease()
    const inside = signal === "SIGSTOP" && !isFree()
    let isBack = false
    if (signal === "SIGKILL") {
      await ended(holder, signal)
      isBack = random.chance(0.3)
      // On one host a new process sees that the one before is gone, and need not wait.
      if (isBack) holder = await served()
    } else if (inside) {
      await HandOverJournal.until("the lease is over", () => Date.now() > expiresAt + 200)
      assert.strictEqual(lease().epoch, epoch)
      const written = since(epoch).length
      const lost = times(holder, "Lease lost")
      holder.kill("SIGCONT")
      await HandOverJournal.until(
        "what woke up finds its lease lost",
        () => times(holder, "Lease lost") > lost
      )
      const more = since(epoch).slice(written)
      assert.isFalse(
        more.some((entry) => entry.epoch === epoch && entry.what === "ledger"),
        "what was under way is undone"
      )
    }
    const { taken, ...after } = await works(epoch + 1)
    if (signal === "SIGSTOP" && !inside && (await wakes(holder, other, epoch + 1))) seen += 1
    if (signal === "SIGKILL" && !isBack) holder = await served()
    swap(taken.pid)
    return {
      signal,
      inside,
      toFree: expiresAt - at,
      toTaken: taken.at - expiresAt,
      ...after
    }
  }

  /** Stops both, and looks at what there is: every ledger once, as a process that nobody disturbed has it. Gives how many. */
  const finish = async (): Promise<number> => {
    for (const child of [other, holder]) {
      child.kill("SIGTERM")
      await ended(child, "SIGTERM")
    }
    const rows = since(0)
    db.close()
    return HandOverJournal.assertWhole(file, rows, all)
  }

  return {
    handOver,
    finish,
    /** How many that woke up were seen to write nothing whatsoever. */
    seen: () => seen,
    /** What all of them have said, for when something is not as it should be. */
    said: () => all.map((child) => `${child.pid}\n${child.stdout()}${child.stderr()}`).join("\n")
  }
}

/** Of so many times in milliseconds: how many, the least, the middle, the 99th of a hundred (the most, of fewer), the most. */
export const distribution = (millis: ReadonlyArray<number>): string => {
  const sorted = millis.toSorted((a, b) => a - b)
  const at = (part: number) => sorted[Math.min(sorted.length - 1, Math.ceil(part * sorted.length) - 1)]
  return sorted.length === 0
    ? "none"
    : `n ${sorted.length}, min ${sorted[0]}, median ${at(0.5)}, p99 ${at(0.99)}, max ${sorted.at(-1)} ms`
}
