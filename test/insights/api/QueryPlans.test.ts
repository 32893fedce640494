/**
 * No statement goes through a table that grows. Every text that the API, the tasks, the outbox and ingestion hand to the driver is collected while all of them
 * work on made-up ledgers, and its plan is read: as SQLite makes it without knowing the tables, and as it makes it once it has looked at them.
 */
import { assert, describe, it } from "@effect/vitest"
import Driver from "better-sqlite3"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as SqlSessions from "../../../src/insights/realtime/SqlSessions.js"
import * as Retention from "../../../src/insights/tasks/Retention.js"
import * as Watermark from "../../../src/insights/tasks/Watermark.js"
import * as SqlLeases from "../../../src/lease/SqlLeases.js"
import * as Made from "../Made.js"
import * as Outside from "../Outside.js"
import * as Service from "../Service.js"
import * as Everything from "../webhooks/Everything.js"
import * as Serving from "./Serving.js"

/** Tables that nothing makes grow with the ledgers, and why. */
const tiny: Readonly<Record<string, string>> = {
  ingestion_cursor: "one row",
  outbox_consumer: "one row for each consumer of the service",
  task_watermark: "one row for each task",
  anchor: "one row for each anchor that the operator describes",
  anchor_account: "as many as an operator describes",
  anchor_asset: "as many as an operator describes",
  anchor_window: "four rows for each anchor",
  migration: "one row for each version",
  lease: "one row for each lease",
  webhook_subscription: "as many as an operator makes, which are limited",
  sqlite_master: "the schema",
  json_each: "the statement's own list"
}

/** Statements that begin at one end of a table, along its key, and stop at the first row. */
const ends: ReadonlyArray<RegExp> = [
  /^SELECT [\w ]+ FROM ledger ORDER BY sequence DESC LIMIT 1$/,
  /^SELECT (\(SELECT sequence FROM ledger ORDER BY sequence (DESC )?LIMIT 1\) AS (first|last),? ?)+$/
]

/** Statements that may sort what they have found, and why that is little. */
const sorting: Readonly<Record<string, RegExp>> = {
  "the corridors of a window": /FROM corridor_window/,
  "a page from each side of an account or asset": /UNION ALL/,
  "what was touched in a few hours": /SELECT DISTINCT (pool|asset)/,
  "webhooks, or the next few deliveries of each": /FROM webhook_subscription/
}

/** Collects what is prepared, until the scope closes. */
const collected = Effect.acquireRelease(
  Effect.sync(() => {
    const texts = new Set<string>()
    const { prepare } = Driver.prototype
    Driver.prototype.prepare = function (this: Driver.Database, text: string) {
      texts.add(text)
      return prepare.call(this, text)
    } as typeof prepare
    return { texts, prepare }
  }),
  ({ prepare }) =>
    Effect.sync(() => {
      Driver.prototype.prepare = prepare
    })
)

const isData = (text: string): boolean => /^\s*(SELECT|INSERT|UPDATE|DELETE|WITH)\b/i.test(text)

/** What the names in a plan stand for: tables, under their alias where they have one. */
const namesIn = (text: string): ReadonlyMap<string, string> =>
  new Map(
    Array.from(text.matchAll(/\b(?:FROM|JOIN|UPDATE|INTO)\s+"?(\w+)"?(?:\s+AS\s+"?(\w+)"?)?/gi), (match) => [
      match[2] ?? match[1]!,
      match[1]!
    ])
  )

interface Step {
  readonly detail: string
}

const planOf = (database: Outside.Connection, text: string): ReadonlyArray<string> => {
  const parameters = (text.match(/\?/g) ?? []).map(() => null)
  const steps = database.prepare(`EXPLAIN QUERY PLAN ${text}`).all(...parameters) as ReadonlyArray<Step>
  return steps.map(({ detail }) => detail)
}

/** The steps of a statement that go through all of a table that grows. */
const scans = (database: Outside.Connection, tables: ReadonlySet<string>, text: string) => {
  if (ends.some((one) => one.test(text.replace(/\s+/g, " ").trim()))) return []
  const names = namesIn(text)
  return planOf(database, text).filter((detail) => {
    const [, name] = /^SCAN (\S+)/.exec(detail) ?? []
    const table = name === undefined ? undefined : (names.get(name) ?? name)
    return table !== undefined && tables.has(table) && !(table in tiny)
  })
}

/** The steps that look like searches and go through much all the same. */
const longWalks = (database: Outside.Connection, text: string) => {
  const isLeast = /\b(min|max)\(\w+\)[^()]* FROM \w+\s+WHERE/i.test(text)
  const isDistinct = /SELECT DISTINCT/i.test(text)
  const maySort = Object.values(sorting).some((one) => one.test(text))
  return planOf(database, text).filter(
    (detail) =>
      // The least of those that a condition holds for, looked for from the first row of all.
      (isLeast && /^SEARCH \w+$/.test(detail)) ||
      // All keys of an index, for the few that differ.
      (isDistinct && /^SEARCH (pool|asset)_hour /.test(detail) && !detail.includes("=?")) ||
      (!maySort && /^USE TEMP B-TREE FOR (LAST TERM OF )?ORDER BY/.test(detail))
  )
}

/** Everything that the service does to its database, at least once. */
const everything = Effect.gen(function* () {
  const file = yield* Service.fresh
  const { anchors, ask, context, database, outbox, snapshot, store, sync } = yield* Serving.make(
    [Service.key],
    file
  )
  yield* store.claim("a network")
  const { makeUnit } = Retention
  const retention = yield* Effect.provide(
    makeUnit({
      outbox: Duration.hours(30),
      payments: Duration.hours(40),
      limit: Duration.seconds(1),
      batch: 100
    }),
    context
  )
  const description = {
    name: "One",
    accounts: [Serving.account(1)],
    assets: [Serving.asset(2)]
  }
  const headers = { authorization: `Bearer ${Service.key}`, "content-type": "application/json" }
  const put = ask("/api/anchors/one", { method: "PUT", headers, body: JSON.stringify(description) })
  assert.strictEqual((yield* put).status, 201)
  yield* outbox.register("a-consumer", "newest")
  for (const ledger of Serving.ledgers(25, { hoursApart: 3 })) {
    yield* store.commit(ledger)
    yield* sync
    yield* snapshot
  }
  const events = yield* outbox.readAfter(0, 100)
  yield* outbox.advance("a-consumer", (yield* outbox.head) - 1)
  yield* outbox.position("a-consumer")
  for (let i = 0; i < 30; i++) yield* retention
  assert.isAbove((yield* outbox.readAfter(0, 1))[0]!.id, events[0]!.id, "something was removed")
  // As by a process that starts on all of this.
  const again = yield* Serving.make([], file)
  yield* again.sync
  yield* again.snapshot
  yield* Effect.provide(Watermark.lag("metrics-sync"), context).pipe(Effect.flatten)

  const [native, asset, other] = ["native", Serving.asset(1), Serving.asset(2)]
  const pool = Made.hash(0, "f")
  const windows = ["1h", "24h", "7d", "30d"]
  const filters = [
    "",
    `source=${asset}`,
    `destination=${asset}`,
    `source=${native}&destination=${native}`
  ].flatMap((assets) => [
    assets,
    `${assets}&minAttempts=2`,
    `${assets}&minSuccessRate=0.1&maxSuccessRate=0.9`
  ])
  const lists = [
    ...["attempts", "successRate", "score"].flatMap((sort) =>
      filters.map((filter) => `/api/corridors?window=30d&limit=2&sort=${sort}&${filter}`)
    ),
    ...[
      "",
      `account=${Serving.account(3)}`,
      `asset=${asset}`,
      `corridor=${native}~${native}`,
      "ledger=120"
    ].map((filter) => `/api/payments?limit=2&${filter}`),
    ...["", `account=${Serving.account(3)}`].map((filter) => `/api/account-merges?limit=2&${filter}`),
    ...["", `asset=${asset}`].map((filter) => `/api/liquidity-pools?limit=2&${filter}`),
    `/api/liquidity-pools/${pool}/snapshots?limit=2`
  ]
  const paths = [
    ...windows.flatMap((window) => [
      `/api/network?window=${window}`,
      `/api/fee-bumps/stats?window=${window}`
    ]),
    `/api/corridors/${native}~${native}`,
    `/api/corridors/${asset}~${other}`,
    "/api/anchors",
    "/api/anchors/one",
    `/api/liquidity-pools/${pool}`,
    `/api/trustlines/${asset}`,
    "/api/ledgers",
    "/api/ledgers?before=110",
    "/api/ledgers/latest",
    "/api/ledgers/110",
    "/api/ledgers/next?after=110",
    "/api/ledgers/7",
    "/api/tasks"
  ]
  let continued = 0
  for (const path of lists) {
    const first = yield* ask(path)
    assert.strictEqual(first.status, 200, `${path}: ${first.text}`)
    if (first.json.next === null) continue
    continued += 1
    assert.strictEqual((yield* ask(`${path}&cursor=${encodeURIComponent(first.json.next)}`)).status, 200)
  }
  assert.isAbove(continued, 20)
  for (const path of paths) assert.include([200, 404], (yield* ask(path)).status, path)
  yield* put
  yield* anchors.remove("one")
  yield* store.range
  yield* store.factsSince
  yield* outbox.oldest
  const sessions = SqlSessions.make(database)
  const session = { id: "one", tokenHash: "a hash", epoch: 0, total: 0, channels: [], lastEventId: 0 }
  yield* sessions.save([{ ...session, expiresAt: 1000 }])
  yield* sessions.claim(session.tokenHash, 0)
  yield* sessions.sweep(2000)
  yield* database.read`SELECT 1`
  yield* Everything.run(file)
  const leases = SqlLeases.make(database)
  const lease = Option.getOrThrow(yield* leases.acquire("tasks", "one", Duration.seconds(10)))
  yield* leases.renew(lease)
  yield* leases.look("tasks")
  yield* leases.release(lease)
  return file.filename
})

describe("query plans", () => {
  it.scoped("have no scan of a table that grows, whether or not SQLite knows the tables' contents", () =>
    Effect.gen(function* () {
      const { texts } = yield* collected
      const filename = yield* everything
      const statements = [...texts].filter(isData)
      assert.isAbove(statements.length, 100, "the scenario reaches the statements")
      const database = yield* Effect.acquireRelease(
        Effect.sync(() => Outside.connect(filename)),
        (connection) => Effect.sync(() => connection.close())
      )
      const names = database.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").all()
      const tables = new Set((names as ReadonlyArray<{ name: string }>).map(({ name }) => name))
      for (const name of tables) {
        if (name.startsWith("sqlite_") || name in tiny) continue
        assert.isTrue(
          statements.some((text) => [...namesIn(text).values()].includes(name)),
          `no statement is about ${name}`
        )
      }
      const check = () =>
        statements.flatMap((text) =>
          [...scans(database, tables, text), ...longWalks(database, text)].map((step) => `${step}: ${text}`)
        )
      assert.deepStrictEqual(check(), [], "without statistics")
      database.exec("ANALYZE")
      assert.deepStrictEqual(check(), [], "with statistics")
      // The test can fail: this is what it looks for.
      assert.lengthOf(scans(database, tables, "SELECT * FROM payment AS one WHERE kind = ?"), 1)
      for (const text of [
        "SELECT min(sequence) AS sequence FROM ledger WHERE closed_at >= ?",
        "SELECT DISTINCT pool FROM pool_hour WHERE hour >= ? AND pool > ? ORDER BY pool LIMIT ?",
        "SELECT CAST(toid AS TEXT) AS toid FROM payment WHERE src = ? ORDER BY toid LIMIT ?"
      ]) {
        assert.lengthOf(longWalks(database, text), 1, text)
      }
    })
  )
})
