/**
 * A12, scenarios 19 and 23: the image itself. Our Dockerfile is built, and what it says of itself is done: its user runs its command as process 1, its health check is asked inside, and it is stopped
 * as `docker stop` does it, under load. `TORTURE=long npm run torture` builds it (some minutes, as root, with Debian's packages buildah and debootstrap); the short form
 * runs only on an image that an earlier run kept in the folder `IMAGE_STORE`.
 */
import { afterAll, afterEach, assert, beforeAll, describe, it } from "@effect/vitest"
import Sqlite from "better-sqlite3"
import { execFileSync } from "node:child_process"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import * as Shipped from "../deploy/support/Shipped.js"
import * as ApiLoad from "../support/ApiLoad.js"
import * as Child from "../support/Child.js"
import { freePort } from "../support/FreePort.js"
import * as ImageContainer from "../support/ImageContainer.js"
import * as ImageStore from "../support/ImageStore.js"
import * as ImageProxy from "../support/ImageProxy.js"
import * as Installed from "../support/Installed.js"
import * as Pid1 from "../support/Pid1.js"

/** A minute for what takes seconds: machines for CI stand still now and then. */
const patience = 60_000

const isLong = process.env["TORTURE"] === "long"

/** Why it is not run; undefined when it is. */
const obstacle = await (async (): Promise<string | undefined> => {
  if (!ImageContainer.isPermitted) return "as root on Linux only"
  if (!isLong && !ImageStore.isKept) return "in the long form only: it takes minutes"
  const tools = [
    await Installed.tool("buildah", "buildah"),
    await Installed.tool("debootstrap", "debootstrap")
  ]
  return tools.find(({ path }) => path === undefined)?.note.trim()
})()

const shipped = Shipped.all()

/** Waits for a condition; throws with what `said` says when it does not come. */
const until = async (
  condition: () => boolean | Promise<boolean>,
  said: () => string = () => ""
): Promise<void> => {
  const deadline = performance.now() + patience
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`what is waited for does not come\n${said()}`)
    await new Promise((next) => setTimeout(next, 20))
  }
}

/** Whether there is an answer to every path. Before the first ledger 404 is right. */
const serves = async (url: string): Promise<boolean> =>
  (await ApiLoad.ask(url, "/api/ledgers/latest")).status === 200

const print = (line: string) => console.log(`image: ${line}`)

const timed = async <A>(what: string, work: () => Promise<A>): Promise<A> => {
  const from = performance.now()
  const result = await work()
  print(`${what} ${((performance.now() - from) / 1000).toFixed(1)} s`)
  return result
}

describe.skipIf(obstacle !== undefined)(`the image${obstacle === undefined ? "" : ` (${obstacle})`}`, () => {
  const store = obstacle === undefined ? ImageStore.open() : undefined
  let image: { readonly config: ImageStore.ImageConfig; readonly root: string }

  beforeAll(async () => {
    if (isLong || !(await store!.isBuilt())) {
      await timed("base", store!.makeBase)
      await timed("build", store!.build)
    }
    image = await timed("unpacked", store!.unpack)
    const size = (path: string) =>
      Number(execFileSync("du", ["-sm", join(image.root, path)], { encoding: "utf8" }).split("\t")[0])
    print(`${size("")} MB in all, ${size("app")} MB of it ours`)
  }, 1_800_000)

  afterEach(Child.clear)
  afterAll(() => store?.close(), 120_000)

  const start = async (at: string, env: Record<string, string> = {}) => {
    const port = await freePort()
    const container = ImageContainer.start(image, at, {
      SERVER_PORT: String(port),
      SERVER_HOST: "127.0.0.1",
      STELLAR_SIMULATED_INTERVAL: "0.2",
      STELLAR_SIMULATED_TRANSACTIONS: "20",
      // All requests come from one address.
      RATE_LIMIT_REQUESTS: "0",
      ...env
    })
    return { ...container, url: `http://127.0.0.1:${port}` }
  }

  const healthy = async ({ child, health }: ImageContainer.ImageContainer): Promise<void> => {
    const deadline = performance.now() + patience
    while (performance.now() < deadline) {
      const { code, said } = await health()
      if (code === 0) return
      assert.strictEqual(code, 1, `${said}\n${child.stdout()}${child.stderr()}`)
    }
    assert.fail(`never healthy\n${child.stdout()}${child.stderr()}`)
  }

  /** The database is whole, its journal was put away, and each ledger follows the one before it. */
  const assertWhole = (at: string) => {
    const file = join(at, "insights.db")
    assert.isFalse(existsSync(`${file}-wal`), "a journal is left")
    const database = new Sqlite(file, { readonly: true })
    try {
      assert.deepStrictEqual(database.pragma("integrity_check"), [{ integrity_check: "ok" }])
      const { first, last, count } = database
        .prepare("select min(sequence) as first, max(sequence) as last, count(*) as count from ledger")
        .get() as { readonly first: number | null; readonly last: number; readonly count: number }
      if (first !== null) assert.strictEqual(last - first + 1, count, "a ledger is missing")
      return count
    } finally {
      database.close()
    }
  }

  const stopped = { code: 0, signal: null, wasKilled: false }

  it("holds what runs, and nothing that it was built with", () => {
    assert.sameMembers(readdirSync(join(image.root, "app")), ["dist", "node_modules"])
    const built = execFileSync("find", [
      join(image.root, "app"),
      "-name",
      "*.map",
      "-o",
      "-name",
      "*.ts",
      "-o",
      "-name",
      ".env*"
    ])
    assert.strictEqual(built.toString(), "")
    const owned = execFileSync("find", [image.root, "-xdev", "-uid", image.config.User.split(":")[0]!], {
      encoding: "utf8"
    })
    assert.deepStrictEqual(owned.trim().split("\n"), [join(image.root, "data")])
    assert.match(image.config.User, /^[1-9]\d*:[1-9]\d*$/)
    assert.deepStrictEqual(Object.keys(image.config.Volumes), ["/data"])
  })

  it("runs as its user and as process 1, gets healthy, and is stopped under load within docker's 10 s with nothing lost", async () => {
    const at = ImageContainer.volume(image.root)
    for (let round = 0; round < (isLong ? 5 : 2); round++) {
      const from = performance.now()
      const container = await start(at)
      await healthy(container)
      const untilHealthy = Math.round(performance.now() - from)
      const status = readFileSync(`/proc/${await container.pid}/status`, "utf8")
      assert.match(status, /^NSpid:\s+\d+\s+1$/m)
      assert.match(status, new RegExp(`^Uid:\\s+${image.config.User.split(":")[0]}\\s`, "m"))
      assert.match(status, /^CapEff:\s+0+$/m)
      await until(() => serves(container.url))
      const load = ApiLoad.load(container.url, 8)
      await until(() => load.answers.length >= 500)
      const end = await container.stop()
      await load.end()
      assert.deepInclude(end, stopped, container.child.stdout())
      ApiLoad.assertAnswered(load.answers, "under load", 500)
      const ledgers = assertWhole(at)
      print(
        `healthy after ${untilHealthy} ms, stopped in ${end.millis} ms, ${load.answers.length} requests answered, ${ledgers} ledgers`
      )
    }
  }, 300_000)

  it.each(shipped)("gets ready with the environment of $where, and stops", async ({ env }) => {
    const at = ImageContainer.volume(image.root)
    // All but where it listens and what is not here.
    const { DATABASE_URL: _, REDIS_URL: __, STELLAR_SOURCE: ___, ...rest } = env
    const health = String(await freePort())
    const container = await start(at, {
      ...rest,
      SERVER_PORT: String(await freePort()),
      ...(env["HEALTH_PORT"] === undefined ? {} : { HEALTH_PORT: health }),
      SHUTDOWN_REPORT_FILE: "/data/shutdown.json"
    })
    await healthy(container)
    assert.deepInclude(await container.stop(patience), stopped, container.child.stdout())
  })

  it.skipIf(ImageProxy.program === undefined)(
    "D7: the pair behind the shipped proxy is replaced, one after the other, within 12 s each and with nothing lost (needs haproxy)",
    async () => {
      const at = ImageContainer.volume(image.root)
      const colour = async (name: string) => {
        const { env } = shipped.find(({ where }) => where.endsWith(name))!
        const { DATABASE_URL: _, REDIS_URL: __, ...rest } = env
        const [port, health] = [await freePort(), await freePort()]
        const run = () =>
          start(at, {
            ...rest,
            SERVER_PORT: String(port),
            HEALTH_PORT: String(health),
            TRUSTED_PROXIES: "loopback"
          })
        return { name, port, health, run }
      }
      const pair = [await colour("blue"), await colour("green")]
      const containers = new Map<string, ImageContainer.ImageContainer>()
      for (const { name, run } of pair) {
        const container = await run()
        await healthy(container)
        containers.set(name, container)
      }
      const port = await freePort()
      const proxy = ImageProxy.start(port, pair)
      const said = () => `${proxy.stdout()}${proxy.stderr()}`
      let ups = 0
      const url = `http://127.0.0.1:${port}`
      await until(() => serves(url), said)
      const load = ApiLoad.load(url, 8)
      const millis: Array<number> = []
      for (const { name, run } of [...pair, ...(isLong ? pair : [])]) {
        const before = load.answers.length
        await until(() => load.answers.length > before + 100, said)
        const end = await containers.get(name)!.stop(12_000)
        assert.deepInclude(end, stopped, containers.get(name)!.child.stdout())
        millis.push(end.millis)
        const container = await run()
        await healthy(container)
        containers.set(name, container)
        // It has requests again; the other one may go.
        ups += 1
        await until(() => (said().match(/ is UP[,.]/g) ?? []).length >= ups, said)
      }
      await load.end()
      ApiLoad.assertAnswered(load.answers, "through the proxy", 200)
      for (const container of containers.values()) assert.deepInclude(await container.stop(12_000), stopped)
      assertWhole(at)
      print(
        `the pair: stops of ${millis.join(", ")} ms, ${load.answers.length} requests answered, the slowest in ${ApiLoad.slowest(load.answers)} ms`
      )
    },
    600_000
  )

  it("law 6: is stopped at every moment of its start from the first line on", async () => {
    const deaf: Array<number> = []
    for (let wait = 0; wait < 600; wait += isLong ? 50 : 200) {
      const at = ImageContainer.volume(image.root)
      const container = await start(at)
      const pid = await container.pid
      const from = performance.now()
      while (!Pid1.listens(pid)) await new Promise((next) => setImmediate(next))
      deaf.push(performance.now() - from)
      await new Promise((next) => setTimeout(next, wait))
      const end = await container.stop()
      assert.deepInclude(
        end,
        stopped,
        `after ${wait} ms: ${container.child.stdout()}${container.child.stderr()}`
      )
      if (existsSync(join(at, "insights.db"))) assert.isFalse(existsSync(join(at, "insights.db-wal")))
    }
    print(
      `until process 1 listens to signals: ${Math.round(Math.max(...deaf))} ms at most, of which the first ones are Node's`
    )
  }, 300_000)

  it("scenario 23: with a budget that its grace does not hold it does not start", async () => {
    const container = await start(ImageContainer.volume(image.root), { SHUTDOWN_TIMEOUT: "30" })
    assert.strictEqual((await container.child.end).code, 2, container.child.stdout())
    assert.match(
      container.child.stdout() + container.child.stderr(),
      /TERMINATION_GRACE_PERIOD=10 s must be longer/
    )
  }, 60_000)

  it("whoever listens to no signal is killed when the grace is over: the stop of this test is docker's", async () => {
    const deaf = {
      ...image.config,
      Cmd: [],
      Entrypoint: ["node", "-e", "console.log('deaf'); setInterval(() => {}, 1000)"]
    }
    const container = ImageContainer.start({ ...image, config: deaf }, ImageContainer.volume(image.root), {})
    await container.child.says(/deaf/)
    const end = await container.stop(1500)
    assert.isTrue(end.wasKilled)
    assert.isAbove(end.millis, 1400)
  }, 60_000)
})
