/** What docs/upgrade.md promises of an old and a new version on one database. */
import { assert, describe, it } from "@effect/vitest"
import * as Reactivity from "@effect/experimental/Reactivity"
import * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Database from "../../src/insights/Database.js"
import * as LedgerStore from "../../src/insights/LedgerStore.js"
import * as Migrations from "../../src/insights/Migrations.js"
import * as Made from "../insights/Made.js"
import * as Service from "../insights/Service.js"

/** A version that comes after this one, and adds a table. */
const later = {
  ...Migrations.all,
  "0099_later": Effect.flatMap(
    SqlClient.SqlClient,
    (sql) => sql`CREATE TABLE later (id INTEGER PRIMARY KEY) STRICT`
  )
}

describe("blue and green on one database", () => {
  it.scoped("after green's migration blue goes on writing, and does not start again", () =>
    Effect.gen(function* () {
      const config = yield* Service.fresh
      const ledgers = Service.chain(100, 4).map(Made.bare)
      const newer = yield* Effect.scoped(
        Effect.gen(function* () {
          const blue = yield* Layer.build(Service.storeOn(config))
          const store = yield* Effect.provide(LedgerStore.LedgerStore, blue)
          yield* store.claim("a network")
          for (const ledger of ledgers.slice(0, 2)) yield* store.commit(ledger)

          const green = yield* Effect.provide(Database.make(config, later), Reactivity.layer)
          for (const ledger of ledgers.slice(2)) yield* store.commit(ledger)
          const seen = yield* green.read<{ n: number }>`SELECT count(*) AS n FROM ledger`
          const cursor = Option.getOrNull(yield* store.cursor)
          assert.deepStrictEqual([seen[0]?.n, cursor?.sequence], [4, 103])
          return yield* green.read`SELECT * FROM later`
        })
      )
      assert.deepStrictEqual(newer, [])
      const again = yield* Effect.flip(Effect.scoped(Layer.build(Service.storeOn(config))))
      assert.include(String(again), "was written by a newer version of this program (schema 99")
    })
  )
})
