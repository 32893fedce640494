/** The task: what it goes through, what it halts at and in which words, and what a stop does to the unit under way (law 8). */
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import { turn } from "../../src/http/EventLoop.js"
import * as HealthDetails from "../../src/http/HealthDetails.js"
import * as Ingestion from "../../src/insights/Ingestion.js"
import * as LedgerStore from "../../src/insights/LedgerStore.js"
import * as Lifecycle from "../../src/lifecycle/Lifecycle.js"
import * as TaskBoard from "../../src/lifecycle/TaskBoard.js"
import * as LedgerFacts from "../../src/stellar/LedgerFacts.js"
import {
  LedgerSource,
  LedgerSourceError,
  type RawLedger,
  type Shape
} from "../../src/stellar/source/LedgerSource.js"
import * as SimulatedSource from "../../src/stellar/source/SimulatedSource.js"
import * as Run from "../support/Run.js"
import * as Outside from "./Outside.js"
import * as Service from "./Service.js"

/** A small network that is there at once. */
const network = SimulatedSource.make({ interval: 0, transactions: 2 })

/** Its first ledgers. */
const made = (count: number) =>
  Effect.flatMap(network.firstSequence, (first) =>
    Effect.map(Stream.runCollect(Stream.take(network.ledgers(first, undefined), count)), (chunk) => [
      ...chunk
    ])
  )

/** A source that gives what is in a list that may change, and then waits. It counts how often it was asked. */
const listed = (ledgers: () => ReadonlyArray<RawLedger | LedgerSourceError>, asked: Array<number> = []) =>
  Layer.succeed(LedgerSource, {
    description: "a list",
    networkPassphrase: network.networkPassphrase,
    firstSequence: network.firstSequence,
    ledgers: (start) => {
      asked.push(start)
      return Stream.fromIterable(ledgers()).pipe(
        Stream.dropWhile((ledger) => "sequence" in ledger && ledger.sequence < start),
        Stream.mapEffect((ledger) =>
          ledger instanceof LedgerSourceError ? Effect.fail(ledger) : Effect.succeed(ledger)
        ),
        Stream.concat(Stream.never)
      )
    }
  } satisfies Shape)

/** Lets everything happen that is due, and SQLite's retries too. A ledger takes several turns of the event loop. */
const settle = Effect.repeatN(TestClock.adjust(0), 9)

/** The sequences that are stored, oldest first. */
const stored = (store: LedgerStore.Shape) =>
  Effect.map(store.page({ before: Option.none(), limit: 200 }), (page) =>
    page.map(({ sequence }) => sequence).toReversed()
  )

describe("ingestion", () => {
  it.scoped("begins where the source does, and goes on where the store ends", () =>
    Effect.gen(function* () {
      const config = yield* Service.fresh
      const ledgers = yield* made(6)
      const asked: Array<number> = []
      const first = ledgers[0]!.sequence
      for (const count of [3, 6]) {
        yield* Effect.scoped(
          Effect.gen(function* () {
            const service = yield* Service.run(
              config,
              listed(() => ledgers.slice(0, count), asked)
            )
            yield* Effect.repeat(Effect.zipRight(TestClock.adjust(0), stored(service.store)), {
              until: (sequences) => sequences.length === count
            })
            assert.deepStrictEqual(
              yield* stored(service.store),
              ledgers.slice(0, count).map(({ sequence }) => sequence)
            )
            for (const { bytes, sequence } of ledgers.slice(0, count)) {
              const found = yield* service.store.bySequence(sequence)
              assert.deepStrictEqual(Option.getOrNull(found), LedgerFacts.extract(bytes))
            }
          })
        )
      }
      assert.deepStrictEqual(asked, [first, first + 3])
    })
  )

  it.scoped("lets the port open first in a start, and goes first when it is taken over", () =>
    Effect.gen(function* () {
      for (const phase of ["starting", "ready"] as const) {
        const config = yield* Service.fresh
        const ledgers = yield* made(2)
        const lifecycle = yield* Lifecycle.make(Duration.minutes(1))
        yield* lifecycle.internal.advance(phase)
        const asked: Array<number> = []
        // With no clock that moves, an acquisition that gives the first ledger a head start ends when that ledger is begun, or never.
        const ingestion = Ingestion.layer({
          startLedger: Option.none(),
          limit: Duration.seconds(10),
          headStart: Duration.seconds(1)
        }).pipe(
          Layer.provideMerge(Service.storeOn(config)),
          Layer.provide(listed(() => ledgers, asked)),
          Layer.provide(Layer.succeed(Lifecycle.Lifecycle, lifecycle)),
          Layer.provide([HealthDetails.layer, TaskBoard.layer])
        )
        const store = Context.get(yield* Layer.build(ingestion), LedgerStore.LedgerStore)
        if (phase === "starting") {
          yield* settle
          assert.deepStrictEqual(asked, [])
          yield* lifecycle.internal.advance("ready")
          yield* TestClock.adjust(999)
          assert.deepStrictEqual(asked, [])
          yield* TestClock.adjust(1)
        }
        yield* settle
        assert.deepStrictEqual(asked, [ledgers[0]!.sequence])
        assert.strictEqual((yield* stored(store)).length, 2)
      }
    })
  )

  it.scoped("goes on with the chain of a simulated network after a restart", () =>
    Effect.gen(function* () {
      const config = yield* Service.fresh
      const source = Layer.sync(LedgerSource, () =>
        SimulatedSource.make({ interval: "5 seconds", transactions: 1 })
      )
      for (let run = 1; run <= 3; run++) {
        yield* Effect.scoped(
          Effect.gen(function* () {
            const service = yield* Service.run(config, source)
            yield* settle
            yield* TestClock.adjust("5 seconds")
            yield* settle
            assert.isNull((yield* service.status).halt)
            assert.lengthOf(yield* stored(service.store), 2 * run)
          })
        )
      }
    })
  )

  it.scoped("says whether it catches up or waits at the tip", () =>
    Effect.gen(function* () {
      const source = Layer.sync(LedgerSource, () =>
        SimulatedSource.make({ interval: "5 seconds", transactions: 1 })
      )
      const service = yield* Service.run(yield* Service.fresh, source)
      yield* settle
      const { ledgersSinceStart, state } = yield* service.status
      assert.deepStrictEqual({ ledgersSinceStart, state }, { ledgersSinceStart: 1, state: "catching-up" })
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* service.status).state, "at-tip")
      yield* TestClock.adjust("4 seconds")
      yield* settle
      const after = yield* service.status
      assert.strictEqual(after.state, "at-tip")
      assert.strictEqual(after.ledgersSinceStart, 2)
      assert.strictEqual(after.lastCommitAt, 5000)
      assert.isTrue((yield* service.lifecycle.readiness.status).ready)
      const shown: unknown = (yield* service.health.all)["ingestion"]
      assert.deepStrictEqual(shown, after)
    })
  )

  it.scoped("refuses a database of another network before it is ready", () =>
    Effect.gen(function* () {
      const config = yield* Service.fresh
      const ledgers = yield* made(1)
      yield* Effect.scoped(
        Effect.zipRight(
          Service.run(
            config,
            listed(() => ledgers)
          ),
          settle
        )
      )
      const other = Layer.sync(LedgerSource, () => SimulatedSource.make({ networkPassphrase: "another" }))
      const error = yield* Effect.flip(Service.run(config, other))
      assert.strictEqual((error as LedgerStore.NetworkMismatch)._tag, "NetworkMismatch")
    })
  )
})

describe("a halt", () => {
  const broken = (ledger: RawLedger): RawLedger => {
    const bytes = Uint8Array.from(ledger.bytes)
    // In the header; further on there are bytes that no hash covers.
    bytes[80]! ^= 1
    return { ...ledger, bytes, object: "the broken object" }
  }
  const failure = new LedgerSourceError({
    reason: "corrupt",
    object: "an object",
    message: "an object is corrupt"
  })
  const foreign = SimulatedSource.make({ seed: "another", interval: 0, transactions: 2 })

  const cases = (ledgers: ReadonlyArray<RawLedger>, others: ReadonlyArray<RawLedger>) =>
    ({
      "a ledger that does not verify": [broken(ledgers[2]!), "the broken object", /^the broken object: /],
      "a ledger of another sequence": [
        { ...ledgers[3]!, sequence: ledgers[2]!.sequence, object: "misnamed" },
        "misnamed",
        /^misnamed: holds ledger \d+, expected \d+$/
      ],
      "a ledger of another chain": [
        { ...others[2]!, object: "foreign" },
        "foreign",
        /^foreign: ledger \d+ names .* as the ledger before it/
      ],
      "a gap": [
        { ...ledgers[4]!, object: "too late" },
        "too late",
        /^too late: ledger \d+ does not follow the last one, \d+: expected/
      ],
      "a source that fails": [failure, "an object", /^an object is corrupt$/]
    }) as const

  for (const what of [
    "a ledger that does not verify",
    "a ledger of another sequence",
    "a ledger of another chain",
    "a gap",
    "a source that fails"
  ] as const) {
    it.scoped(`at ${what} is visible, stores nothing, and is passed once that is mended`, () =>
      Effect.gen(function* () {
        const ledgers = yield* made(5)
        const first = yield* foreign.firstSequence
        const others = [...(yield* Stream.runCollect(Stream.take(foreign.ledgers(first, undefined), 3)))]
        const [obstacle, object, message] = cases(ledgers, others)[what]
        let mended = false
        const source = listed(() => (mended ? ledgers : [...ledgers.slice(0, 2), obstacle]))
        const service = yield* Service.run(yield* Service.fresh, source)
        yield* settle
        const { halt, state } = yield* service.status
        assert.strictEqual(state, "halted")
        assert.strictEqual(halt!.object, object)
        assert.match(halt!.message, message)
        const { obstacles, ready } = yield* service.lifecycle.readiness.status
        assert.isFalse(ready)
        assert.deepStrictEqual(obstacles, [
          { name: "ledger-ingestion", reason: `ingestion is halted: ${halt!.message}` }
        ])
        assert.lengthOf(yield* stored(service.store), 2)
        assert.strictEqual((yield* service.ask("/api/ledgers/latest")).json.sequence, ledgers[1]!.sequence)

        yield* TestClock.adjust("10 minutes")
        const later = (yield* service.status).halt!
        assert.isAbove(later.attempts, 5)
        assert.isBelow(later.attempts, 25)
        assert.strictEqual(later.since, halt!.since)
        assert.lengthOf(yield* stored(service.store), 2)

        mended = true
        yield* TestClock.adjust("1 minute")
        yield* settle
        assert.isNull((yield* service.status).halt)
        assert.isTrue((yield* service.lifecycle.readiness.status).ready)
        assert.lengthOf(yield* stored(service.store), 5)
      })
    )
  }

  it.scoped("at a full disk leaves the file whole, and is passed once there is room", () =>
    Effect.gen(function* () {
      const ledgers = yield* made(60)
      const gate = yield* Deferred.make<void>()
      const source = Layer.map(
        listed(() => ledgers),
        (context) => {
          const inner = Context.get(context, LedgerSource)
          const ledgers: Shape["ledgers"] = (start, hash) =>
            Stream.unwrap(Effect.as(Deferred.await(gate), inner.ledgers(start, hash)))
          return Context.make(LedgerSource, { ...inner, ledgers })
        }
      )
      const service = yield* Service.run(yield* Service.fresh, source)
      const { write } = service.database
      const [pages] = yield* write<{ page_count: number }>`PRAGMA page_count`
      yield* write`PRAGMA max_page_count = ${write.literal(String(pages!.page_count))}`
      yield* Deferred.succeed(gate, undefined)
      yield* moved("1 second")
      const { halt } = yield* service.status
      assert.strictEqual(halt!.reason, "disk")
      assert.include(halt!.message, "database or disk is full")
      const before = yield* stored(service.store)
      assert.isBelow(before.length, 60)
      assert.strictEqual(Option.getOrThrow(yield* service.store.cursor).sequence, before.at(-1))
      assert.deepStrictEqual(yield* service.database.read`PRAGMA integrity_check`, [
        { integrity_check: "ok" }
      ])

      yield* write`PRAGMA max_page_count = 100000`
      yield* moved("1 minute")
      assert.isNull((yield* service.status).halt)
      assert.deepStrictEqual(
        yield* stored(service.store),
        ledgers.map(({ sequence }) => sequence)
      )
    })
  )
})

/** Lets time pass, and then ingestion its turns of the event loop, which no TestClock moves. */
const moved = (time: Duration.DurationInput) =>
  Effect.zipRight(TestClock.adjust(time), Effect.repeatN(turn, 500))

describe("law 8: a unit of work is finished or leaves no trace", () => {
  /** The service on a file whose lock somebody else holds, with its first unit waiting for it. */
  const held = (limit: Duration.DurationInput) =>
    Effect.gen(function* () {
      const config = yield* Service.fresh
      const ledgers = yield* made(2)
      // Brings the file into being, and gives it to the network, so that only the unit needs the lock.
      yield* Effect.scoped(
        Service.run(
          config,
          listed(() => [])
        )
      )
      const probe: { lock?: Scope.CloseableScope } = {}
      const source = Layer.effect(
        LedgerSource,
        Effect.gen(function* () {
          const inner = yield* LedgerSource
          return {
            ...inner,
            // The lock is taken when the first ledger is asked for: after the claim, before the unit.
            ledgers: (start, previous) =>
              Stream.unwrap(
                Effect.gen(function* () {
                  const scope = (probe.lock = yield* Scope.make())
                  yield* Scope.extend(Outside.lock(config.filename), scope)
                  return inner.ledgers(start, previous)
                })
              )
          } satisfies Shape
        })
      ).pipe(Layer.provide(listed(() => ledgers)))
      const app = Ingestion.layer({ startLedger: Option.none(), limit: Duration.decode(limit) }).pipe(
        Layer.provide([Service.storeOn(config), source, HealthDetails.layer, TaskBoard.layer])
      )
      const service = yield* Run.launch(app as Layer.Layer<unknown, unknown, never>)
      // Until the unit waits for the lock that somebody else has.
      while (probe.lock === undefined) yield* moved(0)
      yield* moved("100 millis")
      const release = Effect.suspend(() => Scope.close(probe.lock!, Exit.void))
      yield* Effect.addFinalizer(() => release)
      const found = Effect.scoped(
        Effect.flatMap(LedgerStore.LedgerStore, stored).pipe(Effect.provide(Service.storeOn(config)))
      )
      return { service, release, found, ledgers }
    })

  it.scoped("one that was under way at the signal is finished, and no other one is begun", () =>
    Effect.gen(function* () {
      // Far from the limit when it ends: the file is real, and takes its time while the clock does not wait for it.
      const { found, ledgers, release, service } = yield* held("8 seconds")
      yield* service.signal()
      yield* TestClock.adjust("2900 millis")
      assert.isFalse(yield* service.isOver)
      yield* release
      yield* TestClock.adjust("200 millis")
      const report = yield* service.report
      assert.strictEqual(report.exitCode, 0)
      assert.deepStrictEqual(Run.ended(service, "quiesce"), ["ledger-ingestion"])
      assert.deepStrictEqual(yield* found, [ledgers[0]!.sequence])
    })
  )

  it.scoped("one that outlasts its limit is cut, and the database is as before", () =>
    Effect.gen(function* () {
      const { found, release, service } = yield* held("3 seconds")
      yield* service.signal()
      yield* TestClock.adjust("2999 millis")
      assert.isFalse(yield* service.isOver)
      yield* TestClock.adjust("100 millis")
      const report = yield* service.report
      assert.strictEqual(report.exitCode, 3)
      assert.deepStrictEqual(Run.ended(service, "quiesce"), ["ledger-ingestion timed out"])
      yield* release
      assert.deepStrictEqual(yield* found, [])
    })
  )
})
