/** Tasks under a lease: who runs them, and what happens between one and the next. */
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import * as Holder from "../../src/lease/Holder.js"
import * as Wake from "../../src/lease/Wake.js"
import * as Lifecycle from "../../src/lifecycle/Lifecycle.js"
import * as OwnProcess from "../../src/lifecycle/OwnProcess.js"
import * as Task from "../../src/lifecycle/Task.js"
import * as Outside from "../insights/Outside.js"
import * as Run from "../support/Run.js"
import * as Service from "./support/Service.js"
import * as Store from "./support/Store.js"

const steal = (store: Store.Store, millis: number) =>
  store.sql`UPDATE lease SET holder = 'thief', epoch = epoch + 1, ttl = ${millis}, expires_at = ${millis} + (
    SELECT expires_at - ttl FROM lease)`

describe("tasks under a lease", () => {
  it.scoped("run in the first process; the second is ready, and on standby", () =>
    Effect.gen(function* () {
      const file = yield* Store.file
      const marks: Array<string> = []
      const standby = Layer.scopedDiscard(
        Effect.acquireRelease(
          Effect.sync(() => void marks.push("+standby")),
          () => Effect.sync(() => void marks.push("-standby"))
        )
      )
      const a = yield* Service.launch(file, "a", Service.writer())
      const b = yield* Service.launch(file, "b", Service.writer(), { standby })
      yield* TestClock.adjust("30 seconds")
      assert.deepStrictEqual(yield* Service.writers(a.store), ["a1"])
      const [held, waiting] = [yield* a.lease, yield* b.lease]
      assert.deepInclude(held, { name: "tasks", state: "held", epoch: 1, since: 0 })
      assert.match(held.holder!, /^a#/)
      assert.deepStrictEqual(waiting, { ...held, state: "standby" })
      assert.lengthOf(yield* a.tasks, 1)
      assert.lengthOf(yield* b.tasks, 0)
      assert.isTrue(b.run.events.some((event) => event._tag === "PhaseChanged" && event.phase === "ready"))
      assert.deepStrictEqual(marks, ["+standby"])
      yield* b.run.signal()
      assert.strictEqual((yield* b.run.report).durationMillis, 0)
      assert.deepStrictEqual(marks, ["+standby", "-standby"])
      yield* a.run.signal()
      yield* TestClock.adjust("4 seconds")
      yield* a.run.report
    })
  )

  it.scoped("stay where they are for as long as the lease is renewed", () =>
    Effect.gen(function* () {
      const file = yield* Store.file
      const a = yield* Service.launch(file, "a", Service.writer())
      const b = yield* Service.launch(file, "b", Service.writer())
      // Exactly at a renewal, and a millisecond before the next one.
      yield* TestClock.adjust(3333)
      assert.strictEqual((yield* a.store.row)?.expires_at, 13_333)
      yield* TestClock.adjust(3332)
      assert.strictEqual((yield* a.store.row)?.expires_at, 13_333)
      yield* TestClock.adjust("25 seconds")
      assert.strictEqual((yield* b.lease).state, "standby")
      assert.deepStrictEqual(yield* Service.writers(a.store), ["a1"])
      yield* b.run.signal()
      yield* a.run.signal()
      yield* TestClock.adjust("4 seconds")
      yield* a.run.report
    })
  )

  it.scoped("begin elsewhere when the lease of one that was killed ends, not earlier", () =>
    Effect.gen(function* () {
      const file = yield* Store.file
      const dead = yield* Store.open(file)
      yield* dead.leases.acquire("tasks", "dead", Duration.seconds(10))
      const b = yield* Service.launch(
        file,
        "b",
        Service.writer(() => Effect.sleep("1 second"))
      )
      yield* TestClock.adjust(9999)
      assert.strictEqual((yield* b.lease).state, "standby")
      assert.strictEqual((yield* b.lease).holder, "dead")
      yield* TestClock.adjust(1)
      assert.deepInclude(yield* b.lease, { state: "held", epoch: 2, since: 10_000 })
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(yield* Service.writers(b.store), ["b2"])
      yield* b.run.signal()
      yield* TestClock.adjust("1 second")
      yield* b.run.report
    })
  )
})

describe("a process that was killed and is started again", () => {
  const holder = (pid: number, living: ReadonlyArray<number>) =>
    Effect.provideService(Holder.ofProcess, OwnProcess.OwnProcess, {
      pid,
      hostname: "here",
      isAlive: (other) => Effect.succeed(living.includes(other))
    })

  it.effect("knows who is gone: of its own host, and not among the living, or of its own id", () =>
    Effect.gen(function* () {
      const { isGone, label } = yield* holder(7, [7, 8])
      assert.strictEqual(label, "here:7")
      const said = yield* Effect.forEach(
        ["here:9#x", "here:7#x", "here:8#x", "there:9#x", "#x", "h:here:9#x"],
        isGone
      )
      assert.deepStrictEqual(said, [true, true, false, false, false, false])
    })
  )

  it.scoped("does not wait for the end of a lease that nobody has any more", () =>
    Effect.gen(function* () {
      const file = yield* Store.file
      const dead = yield* Store.open(file)
      yield* dead.leases.acquire("tasks", "here:6#x", Duration.seconds(10))
      const b = yield* Service.launch(file, "b", Service.writer(), { holder: yield* holder(7, [7]) })
      assert.deepInclude(yield* b.lease, { state: "held", epoch: 2 })
      yield* b.run.signal()
      yield* TestClock.adjust("4 seconds")
      yield* b.run.report
    })
  )

  it.scoped("asks at its first look only, so that those who cannot see each other do not fight", () =>
    Effect.gen(function* () {
      const file = yield* Store.file
      const a = yield* Service.launch(file, "a", Service.writer(), { holder: yield* holder(6, []) })
      const b = yield* Service.launch(file, "b", Service.writer(), { holder: yield* holder(7, []) })
      assert.deepInclude(yield* b.lease, { state: "held", epoch: 2 })
      yield* TestClock.adjust("15 seconds")
      assert.deepInclude(yield* b.lease, { state: "held", epoch: 2 })
      assert.strictEqual((yield* a.lease).state, "standby")
      yield* a.run.signal()
      yield* b.run.signal()
      yield* TestClock.adjust("4 seconds")
      yield* b.run.report
    })
  )
})

describe("scenario 17: unit finished or undone, then the lease goes, no overlap", () => {
  /** Says when units begin and end, and who has the lease at the end of each. */
  const spoken = (marks: Array<string>, millis = 4000) =>
    Service.writer(({ store, who }) =>
      Effect.gen(function* () {
        marks.push(`${who} begins`)
        yield* Effect.sleep(millis)
        const row = yield* Effect.orDie(store.row)
        marks.push(
          `${who} ends, lease of ${row!.holder.split("#")[0]} ${row!.expires_at > 0 ? "held" : "free"}`
        )
      }).pipe(Effect.onInterrupt(() => Effect.sync(() => void marks.push(`${who} cut`))))
    )

  it.scoped(
    "a unit under way is finished, then the lease is given back, then the next one begins, at once",
    () =>
      Effect.gen(function* () {
        const file = yield* Store.file
        const marks: Array<string> = []
        const wake = yield* Wake.makeMemory
        const a = yield* Service.launch(file, "a", spoken(marks), { wake })
        const b = yield* Service.launch(file, "b", spoken(marks), { wake })
        yield* TestClock.adjust("2100 millis")
        yield* a.run.signal()
        yield* TestClock.adjust(1899)
        assert.deepStrictEqual(marks, ["a begins"])
        assert.isFalse(yield* a.run.isOver)
        yield* TestClock.adjust(1)
        assert.deepStrictEqual(marks, ["a begins", "a ends, lease of a held", "b begins"])
        assert.deepStrictEqual(Run.ended(a.run, "quiesce"), ["writer", "lease tasks"])
        assert.strictEqual((yield* a.run.report).exitCode, 0)
        yield* TestClock.adjust("4 seconds")
        assert.deepStrictEqual(yield* Service.writers(b.store), ["a1", "b2"])
        yield* b.run.signal()
        yield* TestClock.adjust("4 seconds")
        yield* b.run.report
      })
  )

  it.scoped("without a word the next one begins within the poll interval", () =>
    Effect.gen(function* () {
      const file = yield* Store.file
      const marks: Array<string> = []
      const a = yield* Service.launch(file, "a", spoken(marks, 4100))
      const b = yield* Service.launch(file, "b", spoken(marks, 4100), { poll: "250 millis" })
      yield* TestClock.adjust("2 seconds")
      yield* a.run.signal()
      yield* TestClock.adjust("2100 millis")
      assert.deepStrictEqual(marks, ["a begins", "a ends, lease of a held"])
      yield* a.run.report
      yield* TestClock.adjust("99 millis")
      assert.lengthOf(marks, 2)
      yield* TestClock.adjust("1 millis")
      assert.deepStrictEqual(marks.slice(2), ["b begins"], "4200 is the next look after 4100")
      yield* b.run.signal()
      yield* TestClock.adjust("5 seconds")
      yield* b.run.report
    })
  )

  it.scoped("a unit that outlasts its limit is undone, then the lease is given back", () =>
    Effect.gen(function* () {
      const file = yield* Store.file
      const wake = yield* Wake.makeMemory
      const marks: Array<string> = []
      const tasks = (inside: Service.Inside) =>
        Layer.scopedDiscard(
          Task.run({
            name: "writer",
            limit: Duration.seconds(5),
            next: Effect.void,
            unit: () =>
              inside.store
                .transaction(
                  Effect.zipRight(
                    inside.store.write(inside.who),
                    inside.who === "a"
                      ? Effect.sleep("8 seconds")
                      : Effect.zipRight(
                          Effect.sync(() => void marks.push("b wrote")),
                          Effect.never
                        )
                  )
                )
                .pipe(Effect.orDie)
          })
        )
      // A unit of the first one locks the file at once.
      const [first, second] = [yield* Store.open(file), yield* Store.open(file)]
      const a = yield* Service.launch(file, "a", tasks, { wake, store: first })
      const b = yield* Service.launch(file, "b", tasks, { wake, store: second, limit: 10 })
      yield* TestClock.adjust("1 second")
      yield* a.run.signal()
      yield* TestClock.adjust(4999)
      assert.strictEqual((yield* b.lease).state, "standby")
      yield* TestClock.adjust(1)
      assert.strictEqual((yield* a.run.report).exitCode, 3)
      assert.deepInclude(yield* b.lease, { state: "held", epoch: 2 })
      assert.deepStrictEqual(marks, ["b wrote"])
      assert.deepStrictEqual(yield* a.store.entries, [], "a's row is gone, b's is not committed yet")
      yield* b.run.signal()
      yield* TestClock.adjust("5 seconds")
      yield* b.run.report
    })
  )

  it.scoped("a unit that cannot be cut keeps the lease as long as it lasts", () =>
    Effect.gen(function* () {
      const file = yield* Store.file
      const wake = yield* Wake.makeMemory
      const marks: Array<string> = []
      const stubborn = (inside: Service.Inside) =>
        Service.writer(() =>
          inside.who === "a"
            ? Effect.uninterruptible(
                Effect.zipRight(
                  Effect.sleep("60 seconds"),
                  Effect.sync(() => void marks.push("a is done"))
                )
              )
            : Effect.zipRight(
                Effect.sync(() => void marks.push("b begins")),
                Effect.never
              )
        )(inside)
      const a = yield* Service.launch(file, "a", stubborn, { wake })
      const b = yield* Service.launch(file, "b", stubborn, { wake })
      yield* a.run.signal()
      yield* TestClock.adjust("59 seconds")
      assert.strictEqual((yield* a.run.report).exitCode, 3)
      assert.strictEqual((yield* b.lease).state, "standby")
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(marks, ["a is done", "b begins"])
      yield* b.run.signal()
      yield* TestClock.adjust("10 seconds")
      yield* b.run.report
    })
  )

  it.scoped.each(["interrupted", "hurried"] as const)(
    "the lease is given back also by a run that is %s",
    (how) =>
      Effect.gen(function* () {
        const file = yield* Store.file
        const wake = yield* Wake.makeMemory
        const marks: Array<string> = []
        const a = yield* Service.launch(file, "a", spoken(marks), { wake })
        const b = yield* Service.launch(file, "b", spoken(marks), { wake })
        yield* TestClock.adjust("1 second")
        if (how === "interrupted") {
          yield* a.run.interrupt
          yield* TestClock.adjust("3 seconds")
          assert.deepStrictEqual(marks, ["a begins", "a ends, lease of a held", "b begins"])
        } else {
          yield* a.run.signal()
          yield* a.run.signal()
          assert.deepStrictEqual(marks, ["a begins", "a cut", "b begins"])
        }
        assert.deepInclude(yield* b.lease, { state: "held", epoch: 2 })
        assert.isTrue(yield* a.run.isOver)
        yield* b.run.signal()
        yield* TestClock.adjust("5 seconds")
        yield* b.run.report
      })
  )

  it.scoped(
    "a database that is locked does not hold up the stop for longer than a second; the lease ends by itself",
    () =>
      Effect.gen(function* () {
        const file = yield* Store.file
        const a = yield* Service.launch(
          file,
          "a",
          Service.writer(() => Effect.never)
        )
        const other = Outside.connect(file)
        other.exec("BEGIN IMMEDIATE")
        yield* a.run.signal()
        yield* TestClock.adjust("6 seconds")
        assert.strictEqual((yield* a.run.report).durationMillis, 6000)
        assert.isAbove((yield* a.store.row)!.expires_at, 6000)
        other.close()
      })
  )
})

describe("a lease that is lost", () => {
  it.scoped("ends the tasks at once, leaves nothing of what was under way, and is waited for again", () =>
    Effect.gen(function* () {
      const file = yield* Store.file
      const marks: Array<string> = []
      const a = yield* Service.launch(
        file,
        "a",
        Service.writer(({ store }) =>
          Effect.zipRight(
            Effect.orDie(store.transaction(store.write("first"))),
            Effect.onInterrupt(Effect.sleep("1 minute"), () => Effect.sync(() => void marks.push("cut")))
          )
        )
      )
      const thief = yield* Store.open(file)
      yield* TestClock.adjust("1 second")
      yield* steal(thief, 20_000)
      yield* TestClock.adjust(2332)
      assert.deepStrictEqual(marks, [])
      yield* TestClock.adjust(1)
      assert.deepStrictEqual(marks, ["cut"], "the renewal finds out")
      assert.deepInclude(yield* a.lease, { state: "standby", holder: "thief", epoch: 2 })
      assert.lengthOf(yield* a.tasks, 0)
      assert.isFalse(yield* a.run.isOver, "it is no failure of the worker")
      yield* TestClock.adjust(20_000 - 3333)
      assert.deepInclude(yield* a.lease, { state: "held", epoch: 3 })
      assert.deepStrictEqual(yield* Service.writers(a.store), ["first1", "first3"])
      yield* a.run.signal()
      yield* TestClock.adjust("5 seconds")
      yield* a.run.report
    })
  )

  it.scoped("is found out by the next transaction, before the next renewal, by tasks of either kind", () =>
    Effect.gen(function* () {
      const file = yield* Store.file
      const plain = ({ store }: Service.Inside) =>
        Layer.scopedDiscard(
          Task.run({
            name: "plain",
            limit: Duration.seconds(5),
            next: Effect.sleep("1500 millis"),
            unit: () => Effect.orDie(store.transaction(store.write("plain")))
          })
        )
      const a = yield* Service.launch(file, "a", (inside) =>
        Layer.merge(Service.writer(() => Effect.sleep("1200 millis"))(inside), plain(inside))
      )
      const thief = yield* Store.open(file)
      yield* TestClock.adjust("1 second")
      yield* steal(thief, 60_000)
      yield* TestClock.adjust("199 millis")
      assert.strictEqual((yield* a.lease).state, "held")
      yield* TestClock.adjust("1 millis")
      assert.strictEqual((yield* a.lease).state, "standby")
      assert.deepStrictEqual(yield* a.store.entries, [])
      assert.isFalse(yield* a.run.isOver)
      yield* a.run.signal()
      assert.strictEqual((yield* a.run.report).exitCode, 0)
    })
  )

  it.scoped("since the database could not be reached for too long, ends the tasks when it ends", () =>
    Effect.gen(function* () {
      const file = yield* Store.file
      const a = yield* Service.launch(
        file,
        "a",
        Service.writer(() => Effect.never)
      )
      yield* TestClock.adjust("1 second")
      const other = Outside.connect(file)
      other.exec("BEGIN IMMEDIATE")
      yield* TestClock.adjust(8999)
      assert.strictEqual((yield* a.lease).state, "held")
      yield* TestClock.adjust(1)
      assert.strictEqual((yield* a.lease).state, "standby")
      other.exec("ROLLBACK")
      other.close()
      yield* TestClock.adjust("1 second")
      assert.deepInclude(yield* a.lease, { state: "held", epoch: 2 })
      yield* a.run.signal()
      yield* TestClock.adjust("5 seconds")
      yield* a.run.report
    })
  )

  it.scoped("is renewed when the database is back in time", () =>
    Effect.gen(function* () {
      const file = yield* Store.file
      const a = yield* Service.launch(
        file,
        "a",
        Service.writer(() => Effect.never)
      )
      yield* TestClock.adjust("1 second")
      const other = Outside.connect(file)
      other.exec("BEGIN IMMEDIATE")
      yield* TestClock.adjust(8800)
      other.exec("ROLLBACK")
      other.close()
      yield* TestClock.adjust("8 seconds")
      assert.deepInclude(yield* a.lease, { state: "held", epoch: 1 })
      yield* a.run.signal()
      yield* TestClock.adjust("5 seconds")
      yield* a.run.report
    })
  )
})

describe("tasks that cannot be built", () => {
  it.scoped("fail the start when they are the first, and the lease is free", () =>
    Effect.gen(function* () {
      const file = yield* Store.file
      const a = yield* Service.launch(file, "a", () => Layer.fail(new Error("no source")))
      const report = yield* a.run.report
      assert.strictEqual(report.exitCode, 1)
      assert.include(report.reason, "no source")
      assert.strictEqual((yield* a.store.row)?.expires_at, 0)
    })
  )

  it.scoped("are tried again later, and the lease is free meanwhile", () =>
    Effect.gen(function* () {
      const file = yield* Store.file
      const dead = yield* Store.open(file)
      yield* dead.leases.acquire("tasks", "dead", Duration.seconds(10))
      let attempts = 0
      const b = yield* Service.launch(file, "b", (inside) =>
        Layer.unwrapEffect(
          Effect.suspend(() =>
            ++attempts < 3 ? Effect.fail("not yet") : Effect.succeed(Service.writer()(inside))
          )
        )
      )
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual(attempts, 1)
      assert.deepInclude(yield* b.store.row, { epoch: 2, expires_at: 0 })
      yield* TestClock.adjust("1 second")
      assert.strictEqual(attempts, 2)
      yield* TestClock.adjust("2 seconds")
      assert.strictEqual(attempts, 3)
      assert.deepInclude(yield* b.lease, { state: "held", epoch: 4 })
      yield* b.run.signal()
      yield* TestClock.adjust("4 seconds")
      assert.strictEqual((yield* b.run.report).exitCode, 0)
    })
  )
})

describe("a process that is about to stop", () => {
  it.scoped("leaves the lease to others", () =>
    Effect.gen(function* () {
      const file = yield* Store.file
      const dead = yield* Store.open(file)
      yield* dead.leases.acquire("tasks", "dead", Duration.seconds(10))
      const b = yield* Service.launch(file, "b", Service.writer(), { announceDelay: Duration.seconds(30) })
      yield* b.run.signal()
      yield* TestClock.adjust("30 seconds")
      assert.strictEqual((yield* b.run.report).exitCode, 0)
      assert.deepInclude(yield* b.store.row, { holder: "dead", epoch: 1 })
    })
  )

  it.scoped("gives the lease back also when its start is called off while the tasks are being built", () =>
    Effect.gen(function* () {
      const file = yield* Store.file
      const marks: Array<string> = []
      const slow = Layer.scopedDiscard(
        Effect.zipRight(
          Effect.acquireRelease(
            Effect.sync(() => void marks.push("+part")),
            () => Effect.sync(() => void marks.push("-part"))
          ),
          Effect.sleep("10 seconds")
        )
      )
      const a = yield* Service.launch(file, "a", () => slow)
      yield* TestClock.adjust("4 seconds")
      yield* a.run.signal()
      assert.strictEqual((yield* a.run.report).durationMillis, 0)
      assert.deepStrictEqual(marks, ["+part", "-part"])
      assert.deepInclude(yield* a.store.row, { epoch: 1, expires_at: 0 })
    })
  )

  it.scoped("gives back a lease whose giving it did not live to hear of", () =>
    Effect.gen(function* () {
      const file = yield* Store.file
      const b = yield* Service.launch(file, "b", Service.writer(), {
        // The answer is late: the row is written, and nobody knows.
        leases: (leases) => ({
          ...leases,
          acquire: (...args) => Effect.tap(leases.acquire(...args), () => Effect.sleep("1 second"))
        })
      })
      assert.strictEqual((yield* b.store.row)?.epoch, 1)
      yield* b.run.signal()
      const report = yield* b.run.report
      assert.deepInclude(yield* b.store.row, { epoch: 1, expires_at: 0 })
      assert.deepStrictEqual(yield* b.store.entries, [])
      assert.strictEqual(report.durationMillis, 0)
    })
  )

  it.scoped("lets finish what needs something that is built below the lease, and closes it afterwards", () =>
    Effect.gen(function* () {
      const file = yield* Store.file
      const marks: Array<string> = []
      const below = Layer.scopedDiscard(
        Effect.addFinalizer(() => Effect.sync(() => void marks.push("database closed")))
      )
      const a = yield* Service.launch(
        file,
        "a",
        Service.writer(() =>
          Effect.zipRight(
            Effect.sleep("2 seconds"),
            Effect.sync(() => void marks.push("unit"))
          )
        ),
        { around: (leased) => Layer.provide(leased, below) }
      )
      yield* a.run.signal()
      yield* TestClock.adjust("2 seconds")
      yield* a.run.report
      assert.deepStrictEqual(marks, ["unit", "database closed"])
    })
  )
})

it.scoped("what runs under the lease still asks the service for a stop", () =>
  Effect.gen(function* () {
    const file = yield* Store.file
    const a = yield* Service.launch(file, "a", () =>
      Layer.scopedDiscard(
        Effect.flatMap(Lifecycle.Lifecycle, () =>
          Task.run({
            name: "failing",
            limit: Duration.seconds(1),
            next: Effect.sleep("1 second"),
            unit: () => Effect.fail("disk is gone")
          })
        )
      )
    )
    yield* TestClock.adjust("1 second")
    assert.include((yield* a.run.report).reason, "failing failed: disk is gone")
    assert.strictEqual((yield* a.store.row)?.expires_at, 0)
    assert.isTrue(Option.isSome(Option.fromNullable(yield* a.store.row)))
  })
)
