/** Real processes on one file, which end in all the ways that there are. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { build } from "esbuild"
import { mkdirSync } from "node:fs"
import { join, resolve } from "node:path"
import * as Outside from "../insights/Outside.js"
import * as Child from "../support/Child.js"

const root = resolve(import.meta.dirname, "../..")
const program = join(root, `dist/test/${process.pid}/lease-writer.mjs`)

beforeAll(async () => {
  mkdirSync(join(program, ".."), { recursive: true })
  await build({
    entryPoints: [join(import.meta.dirname, "programs/writer.ts")],
    outfile: program,
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node20",
    external: ["better-sqlite3"],
    logLevel: "warning",
    banner: {
      js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);'
    }
  })
})

afterAll(Child.clear)

/** What the file holds: who wrote in which epoch, in order. */
const entries = (file: string) => {
  const connection = Outside.connect(file, { readonly: true })
  try {
    return connection
      .prepare("SELECT id, CAST(writer AS INTEGER) AS pid, epoch FROM entry ORDER BY id")
      .all() as ReadonlyArray<{
      id: number
      pid: number
      epoch: number
    }>
  } finally {
    connection.close()
  }
}

const count = (file: string, pid: number) => entries(file).filter((entry) => entry.pid === pid).length

const until = async (what: string, condition: () => boolean) => {
  for (let i = 0; i < 4000; i++) {
    if (condition()) return
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  assert.fail(`never: ${what}`)
}

/** Who wrote, one after the other. No row of an older epoch comes after one of a newer; each epoch is one process's; no row is missing. */
const turns = (file: string) => {
  const rows = entries(file)
  const owners = new Map<number, number>()
  let latest = 0
  rows.forEach(({ epoch, id, pid }, index) => {
    assert.strictEqual(id, index + 1, "ids without a gap: what was rolled back left nothing")
    assert.isAtLeast(epoch, latest)
    latest = epoch
    assert.strictEqual(owners.get(epoch) ?? pid, pid, `epoch ${epoch} is one process's`)
    owners.set(epoch, pid)
  })
  return [...owners.values()].filter((pid, i, all) => pid !== all[i - 1])
}

const time = (child: Child.Child, word: string) =>
  Number(new RegExp(`^${word} (\\d+)$`, "m").exec(child.stdout())![1])

// Side by side: most of it is waiting for leases to end.
describe.concurrent("hand-overs between processes", () => {
  it("SIGTERM: the unit is finished, then the lease given back, then the next one begins, and so on", async () => {
    const file = join(Child.folder(), "lease.db")
    let holder = Child.start([program, file])
    await holder.says(/^UNIT/m)
    const waits: Array<number> = []
    for (let i = 0; i < 2; i++) {
      const next = Child.start([program, file])
      await next.says(/On standby/)
      holder.kill("SIGTERM")
      assert.strictEqual((await holder.end).code, 0, holder.stdout())
      await next.says(/^UNIT/m)
      waits.push(time(next, "FIRST") - time(holder, "RELEASED"))
      holder = next
    }
    // Within the poll interval of 50 ms, and what a busy machine adds.
    for (const wait of waits) assert.isTrue(wait >= -2 && wait < 2000, String(waits))
    holder.kill("SIGTERM")
    await holder.end
    assert.strictEqual(turns(file).length, 3)
  })

  it("SIGKILL: the next one begins when the lease has ended", async () => {
    const file = join(Child.folder(), "lease.db")
    const holder = Child.start([program, file])
    await holder.says(/^UNIT/m)
    const next = Child.start([program, file])
    await next.says(/On standby/)
    const killed = Date.now()
    holder.kill("SIGKILL")
    await next.says(/^UNIT/m)
    const waited = time(next, "FIRST") - killed
    assert.isTrue(
      waited > 300 && waited < 5000,
      `the lease of 1 s was renewed a third of it before at most: ${waited}`
    )
    next.kill("SIGTERM")
    assert.strictEqual((await next.end).code, 0)
    assert.deepStrictEqual(turns(file), [holder.pid, next.pid])
  })

  it("SIGSTOP: whoever was stopped past its lease writes nothing when it wakes up, and waits for its turn", async () => {
    const file = join(Child.folder(), "lease.db")
    const holder = Child.start([program, file])
    await holder.says(/^UNIT/m)
    const next = Child.start([program, file])
    await next.says(/On standby/)
    // Stopped inside a transaction it keeps the file to itself, which is as well; this is about one that does not.
    const stopOutside = async () => {
      for (;;) {
        holder.kill("SIGSTOP")
        const probe = Outside.connect(file)
        try {
          probe.pragma("busy_timeout = 200")
          probe.exec("BEGIN IMMEDIATE")
          probe.exec("ROLLBACK")
          return
        } catch {
          holder.kill("SIGCONT")
          await new Promise((resolve) => setTimeout(resolve, 1 + Math.random() * 5))
        } finally {
          probe.close()
        }
      }
    }
    await stopOutside()
    await next.says(/^UNIT/m)
    const written = count(file, holder.pid)
    holder.kill("SIGCONT")
    await holder.says(/Lease lost/)
    await holder.says(/On standby/)
    const more = count(file, next.pid)
    await until("the next one goes on", () => count(file, next.pid) > more + 5)
    assert.strictEqual(count(file, holder.pid), written)
    next.kill("SIGTERM")
    await next.end
    await until("the first one has its turn again", () => count(file, holder.pid) > written)
    holder.kill("SIGTERM")
    assert.strictEqual((await holder.end).code, 0)
    assert.deepStrictEqual(turns(file), [holder.pid, next.pid, holder.pid])
  })

  it("SIGSTOP inside a transaction: nobody else can write meanwhile, and it is rolled back on waking up", async () => {
    const file = join(Child.folder(), "lease.db")
    const holder = Child.start([program, file])
    await holder.says(/^UNIT/m)
    const probe = Outside.connect(file)
    probe.pragma("busy_timeout = 100")
    for (let stopped = false; !stopped;) {
      holder.kill("SIGSTOP")
      try {
        probe.exec("BEGIN IMMEDIATE")
        probe.exec("ROLLBACK")
        holder.kill("SIGCONT")
        await new Promise((resolve) => setTimeout(resolve, 1 + Math.random() * 5))
      } catch {
        stopped = true
      }
    }
    probe.close()
    const written = entries(file).length
    const stoppedAt = Date.now()
    await until("the lease is over", () => Date.now() > stoppedAt + 1200)
    holder.kill("SIGCONT")
    await holder.says(/Lease lost/)
    await until("it goes on in the next epoch", () => entries(file).length > written)
    const [before, after] = entries(file).slice(written - 1)
    assert.isAbove(after!.epoch, before!.epoch, "the row that was under way is not there")
    holder.kill("SIGTERM")
    await holder.end
    turns(file)
  })
})
