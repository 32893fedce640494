/** What becomes of Redis, and what the service makes of it: under load, and when it is told to stop meanwhile. */
import { afterEach, assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as ApiLoad from "../support/ApiLoad.js"
import * as Child from "../support/Child.js"
import * as RedisServer from "../support/RedisServer.js"

afterEach(Child.clear)

const { note, path } = RedisServer.tool

/** No stop may take longer than this, in milliseconds. That no part of it takes longer than its own limit is what code 0 says. */
const stopBound = 20_000

const pause = (millis: number) => new Promise((resolve) => setTimeout(resolve, millis))

const serve = (server: RedisServer.RedisServer, env: Record<string, string> = {}) =>
  Child.serve({
    REDIS_URL: server.url,
    REDIS_CONNECT_TIMEOUT: "1",
    STELLAR_SIMULATED_INTERVAL: "0.2",
    SHUTDOWN_CACHE_TIMEOUT: "2",
    ...env
  })

/** Where it listens, once it has a ledger: before that some answers are 404. */
const begun = async (child: Child.Child) => {
  const url = await Child.url(child)
  assert.strictEqual((await ApiLoad.ask(url, "/api/ledgers/next?after=0")).status, 200)
  return url
}

const health = async (url: string) =>
  JSON.parse((await ApiLoad.ask(url, "/health")).text) as {
    readonly redis: { readonly state: string; readonly reason: string | null }
  }

/** Waits until `/health` says so; throws with what it says after 15 s. */
const until = async (url: string, state: string, reason: RegExp = /^null$/) => {
  const limit = performance.now() + 15_000
  for (;;) {
    const { redis } = await health(url)
    if (redis.state === state && reason.test(String(redis.reason))) return
    if (performance.now() > limit) throw new Error(`never ${state} ${reason}: ${JSON.stringify(redis)}`)
    await pause(20)
  }
}

/** Work is welcome all the same, and it is said what there is not. */
const assertDegraded = async (url: string, reason: RegExp, what: string) => {
  const { status, text } = await ApiLoad.ask(url, "/health/ready")
  assert.strictEqual(status, 200, what)
  const body = JSON.parse(text)
  assert.strictEqual(body.status, "degraded", what)
  assert.lengthOf(body.degraded, 1, what)
  assert.strictEqual(body.degraded[0].name, "redis", what)
  assert.match(body.degraded[0].reason, reason, what)
}

/** Changes of Redis in the log, in order. */
const changes = (child: Child.Child) =>
  child
    .lines()
    .map(({ event_type }) => String(event_type))
    .filter((type) => /^redis_(connected|degraded|down)$/.test(type))

/** Warnings and errors about anything else than that Redis is away. */
const complaints = (child: Child.Child) =>
  child
    .lines()
    .filter(
      ({ event_type, level }) =>
        /WARN|ERROR|FATAL/i.test(String(level)) && !String(event_type).startsWith("redis_")
    )

const refuse = async (server: RedisServer.RedisServer) => {
  await server.ask("CONFIG SET maxmemory-policy noeviction")
  assert.include(await server.ask("CONFIG SET maxmemory 1"), "OK")
}

/** Stops it, in time and with code 0. Gives what it said of its farewell to Redis. */
const stop = async (child: Child.Child, what: string) => {
  const signalled = performance.now()
  child.kill("SIGTERM")
  const { code } = await child.end
  const took = performance.now() - signalled
  assert.strictEqual(code, 0, `${what}\n${child.stdout()}${child.stderr()}`)
  assert.isBelow(took, stopBound, what)
  assert.strictEqual(child.stderr(), "", what)
  const farewell = child.lines().filter(({ event_type }) => event_type === "redis_released")
  assert.lengthOf(farewell, 1, what)
  return { took: Math.round(took), farewell: farewell[0]! }
}

/** What befalls Redis, what the reason says then, and how it ends. */
const blows: ReadonlyArray<{
  readonly name: string
  readonly strike: (server: RedisServer.RedisServer) => Promise<unknown>
  readonly reason: RegExp
  readonly mend: (server: RedisServer.RedisServer) => Promise<unknown>
}> = [
  {
    name: "killed (and started again empty)",
    strike: (server) => server.kill(),
    reason: /ENOENT|ECONN|connection/,
    mend: (server) => server.start()
  },
  {
    name: "paused",
    strike: async (server) => server.signal("SIGSTOP"),
    reason: /answer/,
    mend: async (server) => server.signal("SIGCONT")
  },
  {
    name: "made to refuse",
    strike: refuse,
    reason: /refuses: OOM/,
    mend: (server) => server.ask("CONFIG SET maxmemory 0")
  }
]

describe.skipIf(path === undefined)(`a service whose Redis is unwell${note}`, () => {
  it.scopedLive(
    "answers every request, stays ready, says it once each time, and is well again by itself",
    () =>
      Effect.gen(function* () {
        const server = yield* RedisServer.run
        yield* Effect.promise(async () => {
          const child = serve(server)
          const url = await begun(child)
          await until(url, "connected")
          const { answers, end } = ApiLoad.load(url)
          const expected = ["redis_connected"]
          const said: Array<string> = []
          for (const { mend, name, reason, strike } of blows) {
            const before = answers.length
            await strike(server)
            await until(url, "degraded", reason)
            await assertDegraded(url, reason, name)
            // Long enough for every path to have been asked in this state.
            const wanted = answers.length + 40
            while (answers.length < wanted) await pause(10)
            assert.strictEqual((await health(url)).redis.state, "degraded", name)
            await mend(server)
            await until(url, "connected")
            expected.push("redis_degraded", "redis_connected")
            assert.deepStrictEqual(changes(child), expected, name)
            const during = answers.slice(before)
            ApiLoad.assertAnswered(during, name, 40)
            said.push(`${name}: ${during.length} answers, slowest ${ApiLoad.slowest(during)} ms`)
          }
          const { kind, redis } = JSON.parse((await ApiLoad.ask(url, "/api/cache/stats")).text)
          assert.strictEqual(kind, "redis")
          assert.strictEqual(redis.state, "connected")
          const { farewell, took } = await stop(child, "well again, under load")
          await end()
          ApiLoad.assertAnswered(answers, "all of it, the stop included", 200)
          assert.deepInclude(farewell, { ping: "answered", quit: true, state: "connected" })
          assert.deepStrictEqual(complaints(child), [])
          console.log(`${said.join("; ")}; stop ${took} ms`)
        })
      })
  )

  const stops = [
    ...blows.map(({ name, reason, strike }) => ({ name, reason, strike, isThere: true, isBack: false })),
    { name: "never there", reason: /ENOENT/, strike: () => Promise.resolve(), isThere: false, isBack: false },
    {
      name: "killed, started again empty, and used",
      reason: blows[0]!.reason,
      strike: blows[0]!.strike,
      isThere: true,
      isBack: true
    }
  ]
  it.scopedLive("stops in time and with code 0, under load, whatever has become of it", () =>
    Effect.forEach(
      stops,
      ({ isBack, isThere, name, reason, strike }) =>
        Effect.gen(function* () {
          const server = yield* isThere ? RedisServer.run : RedisServer.absent
          yield* Effect.promise(async () => {
            const child = serve(server)
            const url = await begun(child)
            const { answers, end } = ApiLoad.load(url, 2)
            if (isThere) await until(url, "connected")
            await strike(server)
            await until(url, "degraded", reason)
            await assertDegraded(url, reason, name)
            if (isBack) {
              await server.start()
              await until(url, "connected")
              assert.strictEqual(
                JSON.parse((await ApiLoad.ask(url, "/health/ready")).text).status,
                "ready",
                name
              )
            }
            const wanted = answers.length + 10
            while (answers.length < wanted) await pause(10)
            const { farewell, took } = await stop(child, name)
            await end()
            ApiLoad.assertAnswered(answers, name, 10)
            // A refusal counts for two seconds: where nothing is asked for longer than that at the end of a slow stop, it is over.
            const isOver = isBack || (strike === refuse && farewell.state === "connected")
            assert.strictEqual(farewell.state, isOver ? "connected" : "degraded", name)
            const expected = [
              ...(isThere ? ["redis_connected"] : []),
              "redis_degraded",
              ...(isOver ? ["redis_connected"] : [])
            ]
            assert.deepStrictEqual(changes(child), expected, name)
            assert.deepStrictEqual(complaints(child), [], name)
            console.log(
              `${name}: ${answers.length} answers, slowest ${ApiLoad.slowest(answers)} ms; stop ${took} ms`
            )
          })
        }),
      { concurrency: "unbounded", discard: true }
    )
  )
})

describe.skipIf(path === undefined)(`REDIS_REQUIRED=true${note}`, () => {
  it.scopedLive("is not ready while Redis is away, answers all the same, and is ready again by itself", () =>
    Effect.gen(function* () {
      const server = yield* RedisServer.run
      yield* Effect.promise(async () => {
        const child = serve(server, { REDIS_REQUIRED: "true" })
        const url = await begun(child)
        assert.strictEqual((await ApiLoad.ask(url, "/health/ready")).status, 200)
        await server.kill()
        await until(url, "down", blows[0]!.reason)
        const unready = await ApiLoad.ask(url, "/health/ready")
        assert.strictEqual(unready.status, 503)
        assert.include(unready.text, "redis")
        assert.strictEqual((await ApiLoad.ask(url, "/health/live")).status, 200)
        ApiLoad.assertAnswered(
          await Promise.all(ApiLoad.paths.map((path) => ApiLoad.ask(url, path))),
          "while it is down",
          ApiLoad.paths.length
        )
        await server.start()
        await until(url, "connected")
        assert.strictEqual((await ApiLoad.ask(url, "/health/ready")).status, 200)
        await stop(child, "required")
        assert.deepStrictEqual(changes(child), ["redis_connected", "redis_down", "redis_connected"])
      })
    })
  )

  it.scopedLive("does not start without it, and says why in one line", () =>
    Effect.gen(function* () {
      const server = yield* RedisServer.absent
      yield* Effect.promise(async () => {
        const child = serve(server, { REDIS_REQUIRED: "true", REDIS_CONNECT_TIMEOUT: "0.2" })
        const none = Child.serve({ REDIS_REQUIRED: "true" })
        assert.strictEqual((await child.end).code, 1, child.stdout())
        const said = `${child.stdout()}${child.stderr()}`
          .split("\n")
          .filter((line) => /cannot be reached/.test(line))
        assert.lengthOf(said, 1, child.stdout())
        for (const word of ["REDIS_URL", server.url, "REDIS_REQUIRED=true"]) assert.include(said[0], word)
        assert.notInclude(child.stdout(), "http://")
        assert.strictEqual((await none.end).code, 2, none.stdout())
        assert.match(`${none.stdout()}${none.stderr()}`, /REDIS_REQUIRED.*needs REDIS_URL/)
      })
    })
  )
})
