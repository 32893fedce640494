import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Bell from "../../src/redis/Bell.js"
import * as RedisServer from "../support/RedisServer.js"
import { connect } from "./support/Connected.js"

const { note, path } = RedisServer.tool

describe.skipIf(path === undefined)(`a bell${note}`, () => {
  it.scopedLive(
    "is heard in every process, once however often it rang, and after a loss it rings by itself",
    () =>
      Effect.gen(function* () {
        const server = yield* RedisServer.run
        const one = yield* connect(server)
        const two = yield* connect(server)
        const ringer = Bell.make(one.redis, "lease")
        const [here, there, other] = yield* Effect.all([
          ringer.listen("ingest"),
          Bell.make(two.redis, "lease").listen("ingest"),
          Bell.make(two.redis, "lease").listen("metrics")
        ])
        // Nobody knows what was rung before they listened.
        yield* Effect.all([here, there, other])
        const waiting = yield* Effect.fork(Effect.all([here, there], { concurrency: 2 }))
        const silent = yield* Effect.fork(other)
        yield* ringer.notify("ingest")
        yield* Fiber.join(waiting)
        assert.isNull(yield* Effect.map(Fiber.poll(silent), (exit) => (exit._tag === "None" ? null : exit)))
        yield* Effect.promise(server.kill)
        yield* one.is("degraded")
        yield* ringer.notify("ingest")
        yield* Effect.promise(server.start)
        yield* Effect.all([here, there, Fiber.join(silent)])
      })
  )
})
