/** The table: who gets a lease, for how long, and what its fence lets pass. */
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import * as Fence from "../../src/lease/Fence.js"
import * as Keeper from "../../src/lease/Keeper.js"
import type * as Leases from "../../src/lease/Leases.js"
import * as Store from "./support/Store.js"

const ttl = Duration.seconds(10)

const two = Effect.gen(function* () {
  const file = yield* Store.file
  return [yield* Store.open(file), yield* Store.open(file)] as const
})

const taken = (leases: Leases.Shape, holder: string) =>
  Effect.map(leases.acquire("tasks", holder, ttl), Option.getOrNull)

/** What a lease-losing effect comes to: true when it passed, false when the lease was lost. */
const passes = <E extends { readonly _tag: string }>(effect: Effect.Effect<void, E>) =>
  Effect.map(Effect.either(effect), (result) => {
    if (Either.isLeft(result)) assert.strictEqual(result.left._tag, "LeaseLost")
    return Either.isRight(result)
  })

describe("a lease", () => {
  it.scoped(
    "is given to one, and to the next when it has ended, not a millisecond earlier, with a higher epoch",
    () =>
      Effect.gen(function* () {
        const [a, b] = yield* two
        assert.deepStrictEqual(yield* taken(a.leases, "a"), { name: "tasks", holder: "a", epoch: 1, ttl })
        assert.isNull(yield* taken(b.leases, "b"))
        yield* TestClock.adjust(9999)
        assert.isNull(yield* taken(b.leases, "b"))
        yield* TestClock.adjust(1)
        assert.strictEqual((yield* taken(b.leases, "b"))?.epoch, 2)
        assert.isNull(yield* taken(a.leases, "a"))
      })
  )

  it.scoped(
    "holds for its whole time again after each renewal, and cannot be renewed once it has ended",
    () =>
      Effect.gen(function* () {
        const [a, b] = yield* two
        const lease = (yield* taken(a.leases, "a"))!
        for (let i = 0; i < 3; i++) {
          yield* TestClock.adjust(9999)
          assert.isTrue(yield* passes(a.leases.renew(lease)))
        }
        yield* TestClock.adjust(9999)
        assert.isNull(yield* taken(b.leases, "b"))
        yield* TestClock.adjust(1)
        assert.isFalse(yield* passes(a.leases.renew(lease)), "it is over, though nobody has taken it")
      })
  )

  it.scoped("can be taken at once when it was given back; the epoch goes on from where it was", () =>
    Effect.gen(function* () {
      const [a, b] = yield* two
      const lease = (yield* taken(a.leases, "a"))!
      yield* b.leases.release({ ...lease, holder: "b" })
      yield* b.leases.release({ ...lease, epoch: 0 })
      assert.isNull(yield* taken(b.leases, "b"), "only its holder gives it back, in its own epoch")
      yield* a.leases.release(lease)
      assert.isFalse(yield* passes(a.leases.renew(lease)))
      assert.isFalse(yield* passes(a.transaction(a.leases.fence(lease))), "nothing passes after that")
      assert.strictEqual((yield* taken(b.leases, "b"))?.epoch, 2)
      yield* a.leases.release(lease)
      assert.isNull(yield* taken(a.leases, "a"), "and it cannot be given back again")
    })
  )

  it.scoped("is what a look says, which changes nothing", () =>
    Effect.gen(function* () {
      const [a, b] = yield* two
      const look = Effect.map(b.leases.look("tasks"), Option.getOrNull)
      assert.isNull(yield* look)
      yield* taken(a.leases, "a")
      yield* TestClock.adjust("4 seconds")
      assert.deepStrictEqual(yield* look, { holder: "a", epoch: 1, remaining: Duration.seconds(6) })
      yield* TestClock.adjust("6 seconds")
      assert.deepStrictEqual(yield* look, { holder: "a", epoch: 1, remaining: Duration.zero })
    })
  )

  it.scoped(
    "is given to its holder again, with the next epoch, whose fence then passes and not the old one",
    () =>
      Effect.gen(function* () {
        const [a] = yield* two
        const first = (yield* taken(a.leases, "a"))!
        const second = (yield* taken(a.leases, "a"))!
        assert.strictEqual(second.epoch, 2)
        assert.isFalse(yield* passes(a.transaction(a.leases.fence(first))))
        assert.isTrue(yield* passes(a.transaction(a.leases.fence(second))))
      })
  )

  it.scoped("whose end lies too far ahead, since the clock was set back, is not believed", () =>
    Effect.gen(function* () {
      const [a, b] = yield* two
      yield* TestClock.setTime(30_000)
      yield* taken(a.leases, "a")
      yield* TestClock.setTime(20_000)
      assert.isNull(yield* taken(b.leases, "b"), "two lengths ahead is believed")
      yield* TestClock.setTime(19_999)
      assert.deepStrictEqual(
        Option.getOrNull(yield* b.leases.look("tasks"))?.remaining,
        Duration.zero,
        "looking agrees with taking"
      )
      assert.strictEqual((yield* taken(b.leases, "b"))?.epoch, 2)
    })
  )

  it.scoped("is one of many, by name", () =>
    Effect.gen(function* () {
      const [a, b] = yield* two
      yield* taken(a.leases, "a")
      assert.isTrue(Option.isSome(yield* b.leases.acquire("others", "b", ttl)))
    })
  )
})

describe("the fence", () => {
  /** A keeper, and a transaction of whoever it looks after. */
  const kept = Effect.fnUntraced(function* (store: Store.Store) {
    const lease = (yield* taken(store.leases, "a"))!
    const keeper = yield* Keeper.make(store.leases, lease, yield* TestClock.currentTimeMillis)
    const run = <A, E>(body: Effect.Effect<A, E>) => Keeper.fenced(keeper)(store.transaction(body))
    return { keeper, lease, run }
  })

  it.scoped("lets transactions pass while the lease is held, and those of nobody's lease always", () =>
    Effect.gen(function* () {
      const [a, b] = yield* two
      const { run } = yield* kept(a)
      yield* run(a.write("a"))
      yield* b.transaction(b.write("free"))
      assert.deepStrictEqual(
        (yield* a.entries).map(({ writer }) => writer),
        ["a", "free"]
      )
    })
  )

  it.scoped("interrupts whoever has lost the lease before it wrote anything, and tells its keeper", () =>
    Effect.gen(function* () {
      const [a, b] = yield* two
      const { keeper, lease, run } = yield* kept(a)
      yield* a.leases.release(lease)
      yield* taken(b.leases, "b")
      let reached = false
      const exit = yield* Effect.exit(
        run(
          Effect.sync(() => {
            reached = true
          })
        )
      )
      assert.isTrue(Exit.isInterrupted(exit))
      assert.isFalse(reached)
      assert.include(yield* keeper.lost, "taken by another process")
    })
  )

  it.scoped(
    "rolls back a transaction that outlasts the lease, and keeps everybody else out as long as it lasts",
    () =>
      Effect.gen(function* () {
        const [a, b] = yield* two
        const { keeper, run } = yield* kept(a)
        // As if the process had been stopped here: nobody renews, and nothing interrupts.
        const stuck = yield* Effect.fork(
          Effect.uninterruptible(run(Effect.zipLeft(a.write("a"), Effect.sleep("25 seconds"))))
        )
        yield* TestClock.adjust("12 seconds")
        const other = yield* Effect.fork(taken(b.leases, "b"))
        yield* TestClock.adjust("1 second")
        assert.isTrue(Option.isNone(yield* Fiber.poll(other)), "the database is locked")
        yield* Fiber.interrupt(other)
        yield* TestClock.adjust("12 seconds")
        assert.isTrue(Exit.isInterrupted(yield* Fiber.await(stuck)))
        assert.isTrue(yield* keeper.isLost)
        assert.deepStrictEqual(yield* a.entries, [])
        assert.strictEqual((yield* taken(b.leases, "b"))?.epoch, 2)
      })
  )

  it.scoped("stands at the begin of the outermost transaction only", () =>
    Effect.gen(function* () {
      const [a] = yield* two
      yield* taken(a.leases, "a")
      const passed: Array<string> = []
      const mark = (text: string) => Effect.sync(() => void passed.push(text))
      const guard = Option.some({ begin: mark("begin"), end: mark("end") })
      yield* a
        .transaction(Effect.zipRight(mark("outer"), a.transaction(mark("inner"))))
        .pipe(Effect.provideService(Fence.Fence, guard))
      assert.deepStrictEqual(passed, ["begin", "outer", "inner", "end"])
    })
  )

  it.scoped("keeps what a fiber has started under it", () =>
    Effect.gen(function* () {
      const [a, b] = yield* two
      const { keeper, lease } = yield* kept(a)
      const later = yield* Effect.sleep("1 second").pipe(
        Effect.zipRight(a.transaction(a.write("a"))),
        Effect.forkScoped,
        Keeper.fenced(keeper)
      )
      yield* a.leases.release(lease)
      yield* taken(b.leases, "b")
      yield* TestClock.adjust("1 second")
      assert.isTrue(Exit.isInterrupted(yield* Fiber.await(later)))
      assert.deepStrictEqual(yield* a.entries, [])
    })
  )
})
