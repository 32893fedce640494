/** Taking over quickly: what a process does before it has the tasks, and what ingestion has for itself when it begins. */
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import * as HealthDetails from "../../src/http/HealthDetails.js"
import * as Ingestion from "../../src/insights/Ingestion.js"
import * as LedgerStore from "../../src/insights/LedgerStore.js"
import * as Rehearsal from "../../src/insights/Rehearsal.js"
import * as Lifecycle from "../../src/lifecycle/Lifecycle.js"
import * as TaskBoard from "../../src/lifecycle/TaskBoard.js"
import * as LedgerDetails from "../../src/stellar/facts/LedgerDetails.js"
import * as Network from "../../src/stellar/Network.js"
import { LedgerSource, LedgerSourceError, type Shape } from "../../src/stellar/source/LedgerSource.js"
import * as SimulatedSource from "../../src/stellar/source/SimulatedSource.js"
import * as Run from "../support/Run.js"
import * as Service from "./Service.js"

const network = SimulatedSource.make({ interval: 0, transactions: 2 })

/** The simulated network, as a source that notes what it is asked for and gives what `ledgers` says instead. */
const noted = (asked: Array<number>, ledgers: Shape["ledgers"] = network.ledgers): Shape => ({
  ...network,
  ledgers: (start, previousHash) => {
    asked.push(start)
    return ledgers(start, previousHash)
  }
})

/** A store with so many ledgers. */
const filled = (count: number) =>
  Effect.gen(function* () {
    const store = yield* LedgerStore.LedgerStore
    yield* store.claim(network.networkPassphrase)
    const first = yield* network.firstSequence
    const ledgers = yield* Stream.runCollect(Stream.take(network.ledgers(first, undefined), count))
    for (const { bytes } of ledgers) {
      const details = yield* LedgerDetails.fromBytes(bytes, Network.id(network.networkPassphrase))
      yield* store.commit(details)
    }
    return { store, last: first + count - 1 }
  })

const withStore = <A, E, R>(body: Effect.Effect<A, E, R>) =>
  Effect.flatMap(Service.fresh, (config) => Effect.provide(body, Service.storeOn(config)))

describe("a rehearsal", () => {
  it.scoped("gets the last ledger and verifies it, and stores nothing", () =>
    Effect.gen(function* () {
      const asked: Array<number> = []
      const lines: Array<Record<string, unknown>> = []
      yield* withStore(
        Effect.gen(function* () {
          const { last, store } = yield* filled(3)
          yield* Rehearsal.rehearse.pipe(
            Effect.provideService(LedgerSource, noted(asked)),
            Effect.provide(Run.collectLogs(lines))
          )
          assert.deepStrictEqual(asked, [last, last])
          assert.deepStrictEqual(Option.getOrNull(yield* store.range), { first: last - 2, last })
        })
      )
      assert.notInclude(JSON.stringify(lines), "could not")
    })
  )

  it.scoped("asks for nothing where nothing is stored, and fails in silence", () =>
    withStore(
      Effect.gen(function* () {
        const asked: Array<number> = []
        const away = noted(asked, () =>
          Stream.fail(new LedgerSourceError({ reason: "unreadable", object: "a lake", message: "gone" }))
        )
        const rehearse = Effect.provideService(Rehearsal.rehearse, LedgerSource, away)
        yield* rehearse
        assert.deepStrictEqual(asked, [])
        yield* filled(1)
        yield* rehearse
        assert.strictEqual(asked.length, 1)
      })
    )
  )

  it.scoped("ends with the wait, whatever the source is doing", () =>
    withStore(
      Effect.gen(function* () {
        const asked: Array<number> = []
        yield* filled(1)
        const waiting = noted(asked, () => Stream.never)
        yield* Effect.scoped(
          Effect.zipRight(
            Layer.build(
              Layer.provide(Rehearsal.layer, [Layer.succeed(LedgerSource, waiting), Rehearsal.shelf])
            ),
            Effect.repeat(TestClock.adjust(0), { until: () => asked.length === 1 })
          )
        )
      })
    )
  )
})

describe("the ledger at hand", () => {
  const at = (shelf: Rehearsal.Shelf["Type"]) =>
    Option.getOrNull(Option.map(shelf.next, ({ details }) => details.facts.sequence))
  /** Follows in the background; what is at hand is awaited without time passing. */
  const following = (asked: Array<number>, ledgers?: Shape["ledgers"]) =>
    Effect.gen(function* () {
      const shelf = yield* Rehearsal.Shelf
      yield* Effect.forkScoped(Effect.provideService(Rehearsal.follow, LedgerSource, noted(asked, ledgers)))
      const has = (sequence: number) =>
        Effect.repeat(TestClock.adjust(0), { until: () => at(shelf) === sequence })
      return { has, shelf }
    })
  const within = <A, E, R>(body: Effect.Effect<A, E, R>) => withStore(Effect.provide(body, Rehearsal.shelf))

  it.scoped("is the one after the last, goes on with what others store, and is stored once", () =>
    within(
      Effect.gen(function* () {
        const asked: Array<number> = []
        const { last, store } = yield* filled(2)
        const { has, shelf } = yield* following(asked)
        yield* has(last + 1)
        yield* store.commit(Option.getOrThrow(shelf.next).details)
        yield* has(last + 2)
        // One stream: the source is not asked anew for each.
        assert.deepStrictEqual(asked, [last + 1])
        yield* Rehearsal.begin
        assert.deepStrictEqual(Option.getOrNull(yield* store.range)?.last, last + 2)
        yield* Rehearsal.begin
        assert.deepStrictEqual(Option.getOrNull(yield* store.range)?.last, last + 2)
      })
    )
  )

  it.scoped("is nothing that has been stored meanwhile, and whoever cannot keep up begins again later", () =>
    within(
      Effect.gen(function* () {
        const asked: Array<number> = []
        const { last, store } = yield* filled(1)
        // After its first ledger the source is slower than those who store.
        const late = yield* Effect.makeLatch()
        const { has, shelf } = yield* following(asked, (start, previousHash) =>
          Stream.mapEffect(network.ledgers(start, previousHash), (raw) =>
            raw.sequence === start ? Effect.succeed(raw) : Effect.as(late.await, raw)
          )
        )
        yield* has(last + 1)
        const { hash } = Option.getOrThrow(yield* store.cursor)
        const more = yield* Stream.runCollect(Stream.take(network.ledgers(last + 1, hash), 5))
        for (const { bytes } of more) {
          yield* store.commit(yield* LedgerDetails.fromBytes(bytes, Network.id(network.networkPassphrase)))
        }
        yield* Rehearsal.begin
        assert.isNull(at(shelf))
        assert.deepStrictEqual(Option.getOrNull(yield* store.range)?.last, last + 5)
        yield* late.open
        yield* Effect.repeatN(TestClock.adjust(0), 20)
        assert.deepStrictEqual(asked, [last + 1])
        yield* TestClock.adjust("2 seconds")
        yield* has(last + 6)
        assert.deepStrictEqual(asked, [last + 1, last + 6])
      })
    )
  )
})

describe("the head start of ingestion", () => {
  /** Builds it; gives whether that is over. */
  const built = (ledgers: Shape["ledgers"]) =>
    Effect.gen(function* () {
      const over = yield* Deferred.make<void>()
      const lifecycle = yield* Service.ready
      const headStart = Duration.millis(100)
      yield* Layer.build(
        Ingestion.layer({ startLedger: Option.none(), limit: Duration.seconds(1), headStart })
      ).pipe(
        Effect.zipRight(Deferred.succeed(over, void 0)),
        Effect.zipRight(Effect.never),
        Effect.scoped,
        Effect.provideService(LedgerSource, noted([], ledgers)),
        Effect.provideService(Lifecycle.Lifecycle, lifecycle),
        Effect.provide([HealthDetails.layer, TaskBoard.layer]),
        Effect.forkScoped
      )
      return over
    })

  it.scoped("ends when there is no ledger for so long", () =>
    withStore(
      Effect.gen(function* () {
        const over = yield* built(() => Stream.never)
        yield* Effect.repeatN(TestClock.adjust(0), 5)
        yield* TestClock.adjust(99)
        assert.isFalse(yield* Deferred.isDone(over))
        yield* TestClock.adjust(1)
        yield* Deferred.await(over)
      })
    )
  )

  it.scoped.each([
    ["the first ledger begins", network.ledgers],
    [
      "something is in its way",
      () => Stream.fail(new LedgerSourceError({ reason: "missing", object: "a lake", message: "gone" }))
    ]
  ] as ReadonlyArray<readonly [string, Shape["ledgers"]]>)("ends at once when %s", ([, ledgers]) =>
    withStore(
      Effect.gen(function* () {
        const over = yield* built(ledgers)
        // No time passes.
        yield* Deferred.await(over)
      })
    )
  )
})
