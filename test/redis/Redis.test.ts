import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import * as Connection from "../../src/redis/Connection.js"
import * as Script from "../../src/redis/Script.js"
import * as RedisServer from "../support/RedisServer.js"
import { connect, outcome, until } from "./support/Connected.js"

const { note, path } = RedisServer.tool

const open = Effect.flatMap(RedisServer.run, (server) =>
  Effect.map(connect(server), (connected) => ({ ...connected, server }))
)

const kinds = (lines: ReadonlyArray<Record<string, unknown>>) => lines.map(({ event_type }) => event_type)

/** Reads and writes without a pause until it is interrupted, and keeps how long each took at most and what became of them. */
const load = (redis: Effect.Effect.Success<typeof open>["redis"]) =>
  Effect.gen(function* () {
    const seen = new Map<unknown, number>()
    let slowest = 0
    const one = Effect.gen(function* () {
      const [took, what] = yield* Effect.timed(outcome(redis.command("INCR", redis.key("n"))))
      slowest = Math.max(slowest, Duration.toMillis(took))
      const kind = typeof what === "number" ? "answered" : what
      seen.set(kind, (seen.get(kind) ?? 0) + 1)
      yield* Effect.sleep("1 millis")
    })
    const fiber = yield* Effect.forkScoped(
      Effect.all(
        Array.from({ length: 8 }, () => Effect.forever(one)),
        { concurrency: 8 }
      )
    )
    return {
      seen: (kind: string) => seen.get(kind) ?? 0,
      /** At least so many more answers. */
      more: (count: number) => {
        const from = seen.get("answered") ?? 0
        return until(
          `${count} more answers`,
          Effect.sync(() => (seen.get("answered") ?? 0) >= from + count)
        )
      },
      end: Effect.map(Fiber.interrupt(fiber), () => slowest)
    }
  })

describe.skipIf(path === undefined)(`Redis${note}`, () => {
  it.scopedLive(
    "commands and scripts are answered under the prefix, and the release says goodbye on both connections",
    () =>
      Effect.gen(function* () {
        const { lines, redis, release, server } = yield* open
        yield* redis.command("SET", redis.key("a", "b"), 1)
        assert.include(yield* Effect.promise(() => server.ask("GET test:a:b")), "1")
        const sum = Script.make("return redis.call('INCRBY', KEYS[1], ARGV[1])")
        assert.strictEqual(yield* redis.run(sum, [redis.key("a", "b")], [4]), 5)
        // A server that has forgotten the script is told again.
        yield* Effect.promise(() => server.ask("SCRIPT FLUSH"))
        assert.strictEqual(yield* redis.run(sum, [redis.key("a", "b")], [4]), 9)
        assert.deepInclude(yield* redis.status, {
          state: "connected",
          reason: null,
          reconnects: 0,
          unsent: 0
        })
        const took = yield* release
        assert.isBelow(took, 500)
        assert.strictEqual(yield* outcome(redis.command("GET", "a")), "closed")
        assert.include(yield* Effect.promise(() => server.ask("INFO commandstats")), "cmdstat_quit:calls=2")
        assert.deepStrictEqual(kinds(lines), ["redis_connected", "redis_released"])
        assert.deepInclude(lines[1], { level: "INFO", ping: "answered", quit: true, commands_pending: 0 })
      })
  )

  it.scopedLive("it is there for as long as anybody is built on it, also while the service drains", () =>
    Effect.gen(function* () {
      const { lifecycle, redis, release } = yield* open
      yield* lifecycle.internal.advance("releasing")
      assert.strictEqual(yield* redis.command("SET", "a", "saved at the end"), "OK")
      yield* release
    })
  )

  it.scopedLive("what Redis refuses is that command's failure and nobody else's", () =>
    Effect.gen(function* () {
      const { lines, redis } = yield* open
      yield* redis.command("SET", "text", "a")
      const failed = yield* Effect.either(redis.command("INCR", "text"))
      assert.strictEqual(Either.isLeft(failed) ? failed.left.reason : "", "refused")
      assert.match(Either.isLeft(failed) ? failed.left.message : "", /^INCR: .*not an integer/)
      assert.deepInclude(yield* redis.status, { state: "connected", refused: 1 })
      assert.deepStrictEqual(kinds(lines), ["redis_connected"])
    })
  )

  it.scopedLive("it is optional at the start, and used when it comes", () =>
    Effect.gen(function* () {
      const server = yield* RedisServer.absent
      const { is, lifecycle, lines, redis } = yield* connect(server)
      assert.deepInclude(yield* redis.status, { state: "degraded" })
      assert.match((yield* redis.status).reason ?? "", /ENOENT/)
      const { degradations, ready } = yield* lifecycle.readiness.status
      assert.isTrue(ready)
      assert.deepStrictEqual(
        degradations.map(({ name }) => name),
        ["redis"]
      )
      assert.match(degradations[0]!.reason, /ENOENT/)
      assert.strictEqual(yield* outcome(redis.command("GET", "a")), "away")
      const waiting = yield* Effect.fork(redis.awaitConnected)
      yield* Effect.promise(server.start)
      yield* is("connected")
      yield* Fiber.join(waiting)
      assert.isNull(yield* redis.command("GET", "a"))
      assert.deepStrictEqual((yield* lifecycle.readiness.status).degradations, [])
      assert.deepStrictEqual(kinds(lines), ["redis_degraded", "redis_connected"])
    })
  )

  it.scopedLive(
    "where it is required, the start fails without it, and a loss is an obstacle until it is back",
    () =>
      Effect.gen(function* () {
        const server = yield* RedisServer.absent
        const options = { required: true, connectTimeout: Duration.millis(300) }
        const failed = yield* Effect.either(connect(server, options))
        assert.match(
          Either.isLeft(failed) ? failed.left.message : "",
          /cannot be reached and REDIS_REQUIRED=true: .*ENOENT/
        )
        yield* Effect.promise(server.start)
        const { is, lifecycle, lines } = yield* connect(server, { required: true })
        assert.isTrue((yield* lifecycle.readiness.status).ready)
        yield* Effect.promise(server.kill)
        yield* is("down")
        const { degradations, obstacles } = yield* lifecycle.readiness.status
        assert.deepStrictEqual(degradations, [])
        assert.deepStrictEqual(
          obstacles.map(({ name }) => name),
          ["redis"]
        )
        yield* Effect.promise(server.start)
        yield* is("connected")
        assert.isTrue((yield* lifecycle.readiness.status).ready)
        assert.deepStrictEqual(
          lines.map(({ event_type, level }) => [event_type, level]),
          [
            ["redis_connected", "INFO"],
            ["redis_down", "ERROR"],
            ["redis_connected", "INFO"]
          ]
        )
      })
  )

  it.scopedLive(
    "killed under load and started again, empty: commands fail at once, one line when it goes and one when it is back",
    () =>
      Effect.gen(function* () {
        const { is, lifecycle, lines, redis, server } = yield* open
        const running = yield* load(redis)
        yield* running.more(50)
        yield* Effect.promise(server.kill)
        yield* is("degraded")
        assert.isTrue((yield* lifecycle.readiness.status).ready)
        yield* Effect.promise(server.start)
        yield* is("connected")
        yield* running.more(50)
        assert.isBelow(yield* running.end, 1000)
        assert.isAbove(running.seen("away"), 0)
        assert.strictEqual(running.seen("timeout"), 0)
        assert.deepStrictEqual(kinds(lines), ["redis_connected", "redis_degraded", "redis_connected"])
        assert.isString(lines[1]?.reason)
      })
  )

  it.scopedLive(
    "stopped with SIGSTOP under load: commands time out, then fail at once; the connection is given up, and it is used again when it goes on",
    () =>
      Effect.gen(function* () {
        const { is, lines, redis, server } = yield* open
        const running = yield* load(redis)
        yield* running.more(50)
        server.signal("SIGSTOP")
        yield* is("degraded")
        assert.strictEqual((yield* redis.status).reason, "it does not answer in time")
        yield* until(
          "it is left alone",
          Effect.sync(() => running.seen("resting") > 50)
        )
        // What was sent and not answered does not stay for ever.
        yield* until(
          "the connection is given up",
          Effect.map(redis.status, ({ pending, reason }) => pending === 0 && /1000 ms/.test(reason ?? ""))
        )
        yield* until(
          "nothing is sent",
          Effect.sync(() => running.seen("away") > 50)
        )
        assert.isBelow(running.seen("timeout"), 50)
        server.signal("SIGCONT")
        yield* is("connected")
        yield* running.more(50)
        assert.isBelow(yield* running.end, 2000)
        assert.deepStrictEqual(kinds(lines), ["redis_connected", "redis_degraded", "redis_connected"])
      })
  )

  it.scopedLive("a Redis that is stopped is not sent more than it could ever answer", () =>
    Effect.gen(function* () {
      const server = yield* RedisServer.run
      const times = { commandTimeout: Duration.seconds(60), connectTimeout: Duration.seconds(60) }
      const { redis } = yield* connect(server, times)
      server.signal("SIGSTOP")
      const ended: Array<unknown> = []
      const all = yield* Effect.forkScoped(
        Effect.forEach(
          Array.from({ length: Connection.mostPending + 500 }),
          () =>
            Effect.map(outcome(redis.command("GET", "a")), (what) => {
              ended.push(what)
              return what
            }),
          { concurrency: "unbounded" }
        )
      )
      yield* until(
        "the rest is refused",
        Effect.sync(() => ended.length >= 500)
      )
      assert.deepStrictEqual([...new Set(ended)], ["busy"])
      assert.strictEqual((yield* redis.status).pending, Connection.mostPending)
      server.signal("SIGCONT")
      const answers = (yield* Fiber.join(all)).filter((what) => what === null)
      // A PING may have been among them.
      assert.isAtLeast(answers.length, Connection.mostPending - 1)
    })
  )

  it.scopedLive("the release is within its limit, however patient commands are", () =>
    Effect.gen(function* () {
      const server = yield* RedisServer.run
      const patient = { commandTimeout: Duration.seconds(60), connectTimeout: Duration.seconds(60) }
      const { lines, release } = yield* connect(server, { ...patient, limit: Duration.seconds(1) })
      server.signal("SIGSTOP")
      assert.isBelow(yield* release, 950)
      assert.deepInclude(lines.at(-1), { event_type: "redis_released", quit: false })
      server.signal("SIGCONT")
    })
  )

  it.scopedLive(
    "made to refuse by maxmemory: reads go on, one line when it begins and one when it is over",
    () =>
      Effect.gen(function* () {
        const { is, lines, logged, redis, server } = yield* open
        yield* redis.command("SET", "a", "kept")
        yield* Effect.promise(() => server.ask("CONFIG SET maxmemory 1"))
        for (let i = 0; i < 20; i++) {
          assert.strictEqual(yield* outcome(redis.command("SET", "b", "new")), "refused")
          assert.strictEqual(yield* outcome(redis.command("GET", "a")), "kept")
        }
        yield* is("degraded")
        assert.match((yield* redis.status).reason ?? "", /^it refuses: OOM /)
        yield* Effect.promise(() => server.ask("CONFIG SET maxmemory 0"))
        // A success between two refusals is no recovery yet; some seconds without one are.
        yield* redis.command("SET", "b", "new")
        yield* Effect.sleep("600 millis")
        assert.strictEqual((yield* redis.status).state, "degraded")
        yield* is("connected")
        assert.strictEqual(logged("redis_degraded").length, 1)
        assert.strictEqual(lines.length, 3)
      })
  )

  it.scopedLive("a lost connection that only listens is told of as well, and made anew", () =>
    Effect.gen(function* () {
      const { is, lines, redis, server } = yield* open
      const clients = yield* Effect.promise(() => server.ask("CLIENT LIST"))
      const id = /id=(\d+) [^\n]*name=stellar-insights-listens/.exec(clients)?.[1]
      yield* Effect.promise(() => server.ask(`CLIENT KILL ID ${id}`))
      yield* until(
        "it was noticed",
        Effect.sync(() => lines.length >= 2)
      )
      yield* is("connected")
      assert.deepStrictEqual(kinds(lines), ["redis_connected", "redis_degraded", "redis_connected"])
      assert.match(String(lines[1]?.reason), /listened/)
      assert.strictEqual((yield* redis.status).reconnects, 1)
    })
  )

  it.scopedLive("a Redis that wants a password gets it, and a wrong one is a reason", () =>
    Effect.gen(function* () {
      const { is, redis, server } = yield* open
      yield* Effect.promise(() => server.ask("CONFIG SET requirepass word"))
      const other = yield* connect(server)
      assert.deepInclude(yield* other.redis.status, { state: "degraded" })
      assert.match((yield* other.redis.status).reason ?? "", /NOAUTH/)
      assert.strictEqual(yield* outcome(other.redis.command("GET", "a")), "away")
      // Who is in stays in.
      assert.isNull(yield* redis.command("GET", "a"))
      yield* is("connected")
      assert.isAtMost(other.lines.length, 1)
    })
  )
})
