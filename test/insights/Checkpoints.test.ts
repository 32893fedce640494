/** The log goes back into the file on a thread of its own, and the file is whole whatever becomes of the thread. */
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import * as TestClock from "effect/TestClock"
import * as TestServices from "effect/TestServices"
import { statSync } from "node:fs"
import * as CheckpointThread from "../../src/insights/CheckpointThread.js"
import * as Database from "../../src/insights/Database.js"
import * as Service from "./Service.js"

const open = Effect.gen(function* () {
  const config = yield* Service.fresh
  const database = Context.get(yield* Layer.build(Database.layerFrom(config)), Database.Database)
  yield* database.write`CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT)`
  const add = database.transaction(database.write`INSERT INTO note (text) VALUES (${"x".repeat(100_000)})`)
  return { add, database, size: () => statSync(config.filename).size, filename: config.filename }
})

/** In real time, whatever clock the test has: the thread is real. */
const until = (condition: () => boolean) =>
  Effect.repeat(Effect.sync(condition), { until: (is) => is, schedule: Schedule.spaced("2 millis") }).pipe(
    Effect.timeoutFail({ duration: "10 seconds", onTimeout: () => new Error("it did not come to that") }),
    TestServices.provideLive
  )

describe("the log", () => {
  it.scoped("is written back after some seconds with commits, and not by a commit", () =>
    Effect.gen(function* () {
      const { add, size } = yield* open
      const before = size()
      for (let i = 0; i < 10; i++) yield* add
      assert.strictEqual(size(), before)
      yield* TestClock.adjust("4 seconds")
      assert.strictEqual(size(), before)
      yield* TestClock.adjust("1 seconds")
      yield* until(() => size() > before + 900_000)
      // Nothing was committed since, so there is nothing to do.
      yield* TestClock.adjust("1 minutes")
    })
  )

  it.scoped("is written back sooner when there are many commits", () =>
    Effect.gen(function* () {
      const { add, size } = yield* open
      const before = size()
      for (let i = 0; i < 20; i++) yield* add
      yield* until(() => size() > before + 1_000_000)
    })
  )
})

describe("the thread", () => {
  it.live("says what it failed of, and goes when it is told to", () =>
    Effect.gen(function* () {
      const thread = CheckpointThread.start("/nowhere/at-all.db")
      const asked = Effect.async<Error | undefined>((resume) =>
        thread.checkpoint((error) => resume(Effect.succeed(error)))
      )
      assert.match(String(yield* asked), /directory does not exist|unable to open/)
      yield* Effect.promise(thread.close)
      assert.instanceOf(yield* asked, Error)
    })
  )
})
