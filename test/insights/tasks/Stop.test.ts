/**
 * Law 8, task by task: on a signal each finishes the unit that it is in and begins no other; a unit that outlasts the limit is cut, and leaves the tables as they were
 * before the transaction that it was in. The next run comes to the same as if nothing had happened.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import * as Cache from "../../../src/cache/Cache.js"
import * as CacheConfig from "../../../src/cache/CacheConfig.js"
import * as HealthDetails from "../../../src/http/HealthDetails.js"
import * as AnchorStore from "../../../src/insights/anchors/AnchorStore.js"
import * as Database from "../../../src/insights/Database.js"
import * as Ingestion from "../../../src/insights/Ingestion.js"
import * as LedgerStore from "../../../src/insights/LedgerStore.js"
import * as Outbox from "../../../src/insights/Outbox.js"
import * as MetricsSync from "../../../src/insights/tasks/MetricsSync.js"
import * as PoolSnapshots from "../../../src/insights/tasks/PoolSnapshots.js"
import * as OutboxLog from "../../../src/insights/realtime/OutboxLog.js"
import * as RealtimeBroadcaster from "../../../src/insights/tasks/RealtimeBroadcaster.js"
import * as Retention from "../../../src/insights/tasks/Retention.js"
import * as SnapshotTask from "../../../src/insights/tasks/SnapshotTask.js"
import * as TrustlineSnapshots from "../../../src/insights/tasks/TrustlineSnapshots.js"
import * as WebhookDispatcher from "../../../src/insights/tasks/WebhookDispatcher.js"
import type * as Lifecycle from "../../../src/lifecycle/Lifecycle.js"
import * as FanOut from "../../../src/insights/webhooks/FanOut.js"
import * as Resource from "../../../src/lifecycle/Resource.js"
import * as TaskBoard from "../../../src/lifecycle/TaskBoard.js"
import * as LedgerSource from "../../../src/stellar/source/LedgerSource.js"
import * as SimulatedSource from "../../../src/stellar/source/SimulatedSource.js"
import * as Run from "../../support/Run.js"
import * as TableDump from "../../support/TableDump.js"
import * as WebhookBell from "../../../src/webhooks/Bell.js"
import * as FakeHub from "../FakeHub.js"
import * as Made from "../Made.js"
import * as Service from "../Service.js"

const limit = Duration.seconds(4)
const interval = Duration.hours(1)
const last = 109

type File = Effect.Effect.Success<typeof Service.fresh>

/**
 * Seven ledgers, an hour from one to the next, with more pairs of assets and more pools than go into one transaction; two anchors; a consumer of events. Made once, and
 * copied for who asks.
 */
const prepare = (beginning: Outbox.Beginning) => {
  let made: Uint8Array | undefined
  const fill = Effect.gen(function* () {
    const store = yield* LedgerStore.LedgerStore
    const anchors = yield* AnchorStore.AnchorStore
    const outbox = yield* Outbox.Outbox
    yield* store.claim(SimulatedSource.passphrase)
    for (const facts of Service.chain(last - 6, 7)) {
      const closeTime = 1_700_000_000 + (facts.sequence - last) * 3600
      const contents = { payments: 30, assets: 30, pools: 110, accounts: 30 }
      yield* store.commit(Made.full({ ...facts, closeTime }, contents))
    }
    for (const id of ["one", "two"]) {
      yield* anchors.put({ id, name: id, homeDomain: null, accounts: [Made.account(id.length)], assets: [] })
    }
    yield* outbox.register(WebhookDispatcher.name, beginning)
  })
  return Effect.gen(function* () {
    const config = yield* Service.fresh
    if (made === undefined) {
      const layer = Layer.provideMerge(AnchorStore.layer, Service.storeOn(config))
      yield* Effect.provide(fill, layer)
      made = readFileSync(config.filename)
    } else writeFileSync(config.filename, made)
    return config
  })
}

/** A file that nothing is in yet. */
const empty: Effect.Effect<File, unknown, Scope.Scope> = Service.fresh
const forTasks = prepare("newest")

/** A door inside every transaction from the n-th of the process on: after its statements, and before its COMMIT. */
const makeDoor = (from: number) =>
  Effect.map(
    Effect.all({ reached: Deferred.make<void>(), opened: Deferred.make<void>() }),
    ({ opened, reached }) => {
      let count = 0
      const pass = Effect.suspend(() => {
        count += 1
        return count < from
          ? Effect.void
          : Effect.zipRight(Deferred.succeed(reached, void 0), Deferred.await(opened))
      })
      return { pass, reached: Deferred.isDone(reached), open: Deferred.succeed(opened, void 0) }
    }
  )

const openDoor = makeDoor(Number.POSITIVE_INFINITY)

/** The database, with a door in it. */
const databaseOn = (config: { readonly url: string; readonly filename: string }, pass: Effect.Effect<void>) =>
  Layer.effect(
    Database.Database,
    Effect.map(Database.Database, (real) => ({
      ...real,
      transaction: <A, E, R>(body: Effect.Effect<A, E, R>) => real.transaction(Effect.tap(body, () => pass))
    }))
  ).pipe(Layer.provide(Database.layerFrom(config)))

const sourceOf = (count: number) =>
  Layer.effect(
    LedgerSource.LedgerSource,
    Effect.sync(() => {
      const source = SimulatedSource.make({ interval: 0, transactions: 20 })
      const ledgers: LedgerSource.Shape["ledgers"] = (start, hash) =>
        Stream.concat(
          Stream.takeWhile(source.ledgers(start, hash), ({ sequence }) => sequence < 50 + count),
          Stream.never
        )
      return { ...source, ledgers }
    })
  )

/** A number out of a file; undefined while it is not there. */
const one = (filename: string, statement: string): number | null | undefined => {
  if (!existsSync(filename)) return undefined
  return TableDump.reading(filename, (database) => {
    const tables = database.prepare("SELECT count(*) FROM sqlite_schema").pluck().get() as number
    return tables === 0 ? undefined : (database.prepare(statement).pluck().get() as number | null | undefined)
  })
}

const hasWorked = (task: string) => (filename: string) =>
  one(filename, `SELECT ledger FROM task_watermark WHERE task = '${task}'`) === last

const ingestion = (count: number) =>
  Layer.provide(Layer.discard(Ingestion.layer({ startLedger: Option.some(50), limit })), sourceOf(count))

const retention = { outbox: Duration.hours(2), payments: Duration.hours(5), limit, batch: 100_000 }

/** A task, and where in its work it is stopped. */
interface Case {
  readonly name: string
  /** The file that it finds. */
  readonly file: Effect.Effect<File, unknown, Scope.Scope>
  readonly task: Layer.Layer<never, unknown, Needs>
  readonly isDone: (filename: string) => boolean
  /** What one unit comes to, where that is not all: a task that has nothing more to do than that. */
  readonly unit?: { readonly task: Case["task"]; readonly isDone: Case["isDone"] }
  /** In which transactions of the process. */
  readonly stops: ReadonlyArray<number>
}

type Needs =
  | Lifecycle.Lifecycle
  | TaskBoard.TaskBoard
  | HealthDetails.HealthDetails
  | Database.Database
  | AnchorStore.AnchorStore
  | Cache.Cache
  | LedgerStore.LedgerStore
  | Outbox.Outbox

const cases: ReadonlyArray<Case> = [
  {
    name: Ingestion.name,
    file: empty,
    task: ingestion(3),
    unit: {
      task: ingestion(1),
      isDone: (file: string) => one(file, "SELECT sequence FROM ingestion_cursor") === 50
    },
    isDone: (file: string) => one(file, "SELECT sequence FROM ingestion_cursor") === 52,
    // The first transaction takes the database for a network.
    stops: [2]
  },
  {
    name: MetricsSync.name,
    file: forTasks,
    task: MetricsSync.layer({ interval, limit }),
    isDone: hasWorked(MetricsSync.name),
    stops: [1, 4]
  },
  {
    name: PoolSnapshots.kind.name,
    file: forTasks,
    task: SnapshotTask.layer(PoolSnapshots.kind, { interval, limit }),
    isDone: hasWorked(PoolSnapshots.kind.name),
    stops: [1, 3]
  },
  {
    name: TrustlineSnapshots.kind.name,
    file: forTasks,
    task: SnapshotTask.layer(TrustlineSnapshots.kind, { interval, limit }),
    isDone: hasWorked(TrustlineSnapshots.kind.name),
    stops: [1, 2]
  },
  {
    name: Retention.name,
    file: forTasks,
    task: Retention.layer(retention),
    // Events go first; the other tables are units of their own.
    unit: {
      task: Retention.layer({ ...retention, payments: Duration.zero }),
      isDone: (file: string) => one(file, "SELECT min(id >> 20) FROM outbox") === last - 2
    },
    isDone: (file: string) =>
      one(file, "SELECT min(id >> 20) FROM outbox") === last - 2 &&
      ["payment", "failed_attempt", "fee_bump"].every(
        (table) => (one(file, `SELECT min(toid >> 32) FROM ${table}`) ?? last) >= last - 5
      ),
    stops: [1]
  },
  {
    name: WebhookDispatcher.name,
    file: prepare("oldest"),
    task: Resource.named(WebhookDispatcher.name, { limit })(WebhookDispatcher.layer(limit)).pipe(
      Layer.provide(FanOut.layer({ maxWaiting: 1000 })),
      Layer.provide(WebhookBell.layer)
    ),
    isDone: (file: string) =>
      one(file, "SELECT last_id FROM outbox_consumer") === one(file, "SELECT max(id) FROM outbox"),
    // The first transaction registers it.
    stops: [2]
  }
]

const launch = (task: Case["task"], config: File, pass: Effect.Effect<void>) =>
  Run.launch(
    task.pipe(
      Layer.provide(Layer.provideMerge(AnchorStore.layer, LedgerStore.layer)),
      Layer.provide(databaseOn(config, pass)),
      Layer.provide([TaskBoard.layer, HealthDetails.layer, Cache.layerMemory(CacheConfig.defaults)])
    )
  )

/** Waits, in real time: the file is real. Meanwhile `tick` passes on the test's clock each time that it looks. */
const until = <E>(
  condition: Effect.Effect<boolean, E>,
  tick: Duration.DurationInput = 0
): Effect.Effect<void, E> => {
  const look = (tries: number): Effect.Effect<void, E> =>
    Effect.flatMap(Effect.zipRight(TestClock.adjust(tick), condition), (is) => {
      if (is) return Effect.void
      return tries === 0 ? Effect.dieMessage("it did not come to that") : look(tries - 1)
    })
  return look(500)
}

/** The tables after an undisturbed run. */
const undisturbed = ({ file, isDone, task }: Case, config?: File) =>
  Effect.gen(function* () {
    const at = config ?? (yield* file)
    const run = yield* launch(task, at, (yield* openDoor).pass)
    // Retention rests between its transactions.
    yield* until(
      Effect.sync(() => isDone(at.filename)),
      "100 millis"
    )
    yield* run.signal()
    yield* until(run.isOver)
    assert.deepStrictEqual(run.exitCodes, [0])
    return TableDump.dump(at.filename)
  })

/** Launches, and waits until the task is inside the n-th transaction. */
const stoppedInside = (task: Case, nth: number) =>
  Effect.gen(function* () {
    const config = yield* task.file
    const door = yield* makeDoor(nth)
    const run = yield* launch(task.task, config, door.pass)
    yield* until(door.reached, "100 millis")
    const before = TableDump.dump(config.filename)
    yield* run.signal()
    yield* TestClock.adjust("3999 millis")
    assert.isFalse(yield* run.isOver)
    return { before, config, door, run }
  })

for (const task of cases) {
  let known: TableDump.Tables | undefined
  /** The tables after all of its work. */
  const whole = Effect.gen(function* () {
    return (known ??= yield* undisturbed(task))
  })
  describe(task.name, () => {
    for (const nth of task.stops) {
      it.scoped(`finishes its unit on a signal (transaction ${nth}), and begins no other`, () =>
        Effect.gen(function* () {
          const { before, config, door, run } = yield* stoppedInside(task, nth)
          yield* door.open
          yield* until(run.isOver)
          assert.deepStrictEqual(run.exitCodes, [0])
          assert.include(Run.ended(run, "quiesce"), task.name)
          const after = TableDump.dump(config.filename)
          assert.notDeepEqual(after, before)
          TableDump.assertEqual(
            after,
            task.unit === undefined ? yield* whole : yield* undisturbed({ ...task, ...task.unit })
          )
        })
      )

      it.scoped(
        `is cut when its unit outlasts the limit (transaction ${nth}), and leaves nothing half done`,
        () =>
          Effect.gen(function* () {
            const { before, config, run } = yield* stoppedInside(task, nth)
            yield* TestClock.adjust("1 millis")
            // A consumer tries once more when it is released, and is given up.
            yield* until(run.isOver, "1 seconds")
            assert.deepStrictEqual(run.exitCodes, [3])
            assert.include(Run.ended(run, "quiesce"), `${task.name} timed out`)
            TableDump.assertEqual(TableDump.dump(config.filename), before)
            TableDump.assertEqual(yield* undisturbed(task, config), yield* whole)
          })
      )
    }
  })
}

describe(RealtimeBroadcaster.name, () => {
  /** A hub that stands still before it tells anybody, and a run of the broadcaster on it. */
  const start = Effect.gen(function* () {
    const config = yield* forTasks
    const door = yield* makeDoor(1)
    const head = Number(one(config.filename, "SELECT max(id) AS id FROM outbox"))
    const hub = yield* FakeHub.make(head, door.pass)
    const told = () => hub.published.map(({ id }) => id)
    const committed = yield* Queue.unbounded<Outbox.NewEvent>()
    // It passes on what is committed after its start, by a task that stands above it.
    const producer = Layer.scopedDiscard(
      Effect.flatMap(Outbox.Outbox, (outbox) =>
        Queue.take(committed).pipe(
          Effect.flatMap((event) => outbox.transaction(outbox.append([event]))),
          Effect.forever,
          Effect.forkScoped
        )
      )
    )
    const run = yield* Run.launch(
      producer.pipe(
        Layer.provide(Resource.named(RealtimeBroadcaster.name, { limit })(RealtimeBroadcaster.layer(limit))),
        Layer.provide([hub.layer, OutboxLog.layer]),
        Layer.provide(Layer.provideMerge(LedgerStore.layer, Database.layerFrom(config))),
        Layer.provide(TaskBoard.layer)
      )
    )
    const event = (key: string) => ({ kind: "health_alert" as const, key, ledger: last, payload: {} })
    yield* Queue.offer(committed, event("a"))
    yield* until(door.reached)
    yield* Queue.offer(committed, event("b"))
    const idOf = (key: string) => one(config.filename, `SELECT id FROM outbox WHERE key = '${key}'`)
    yield* until(Effect.sync(() => idOf("b") !== undefined))
    const before = TableDump.dump(config.filename)
    yield* run.signal()
    yield* TestClock.adjust("3999 millis")
    assert.isFalse(yield* run.isOver)
    return { before, config, door, ids: [idOf("a")!, idOf("b")!], run, told }
  })

  it.scoped("finishes its batch on a signal, and passes on what is left when it is released", () =>
    Effect.gen(function* () {
      const { door, ids, run, told } = yield* start
      yield* door.open
      yield* until(run.isOver)
      assert.deepStrictEqual(run.exitCodes, [0])
      assert.deepStrictEqual(told(), ids)
    })
  )

  it.scoped("is cut when its batch outlasts the limit, having told nobody of half of it", () =>
    Effect.gen(function* () {
      const { before, config, run, told } = yield* start
      yield* until(run.isOver, "1 seconds")
      assert.deepStrictEqual(run.exitCodes, [3])
      assert.include(Run.ended(run, "quiesce"), `${RealtimeBroadcaster.name} timed out`)
      assert.deepStrictEqual(told(), [])
      TableDump.assertEqual(TableDump.dump(config.filename), before)
    })
  )
})
