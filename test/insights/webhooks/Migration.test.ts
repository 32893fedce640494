/** The tables of webhooks come to a database of the version before, and to an empty one. */
import * as Reactivity from "@effect/experimental/Reactivity"
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Database from "../../../src/insights/Database.js"
import * as TableDump from "../../support/TableDump.js"
import * as Service from "../Service.js"
import * as Hooks from "./Hooks.js"

const schema = (filename: string) =>
  TableDump.reading(filename, (database) =>
    database.prepare("SELECT sql FROM sqlite_schema WHERE name LIKE 'webhook%' ORDER BY name").pluck().all()
  )

const before = Object.fromEntries(Object.entries(Hooks.migrations).filter(([name]) => name < "0007"))

it.scoped("the tables of webhooks come to a database of the version before, and to an empty one", () =>
  Effect.gen(function* () {
    const [one, other] = [yield* Service.fresh, yield* Service.fresh]
    const migrate = (file: typeof one, migrations: typeof before) =>
      Effect.scoped(Effect.asVoid(Database.make(file, migrations))).pipe(Effect.provide(Reactivity.layer))
    yield* migrate(one, before)
    assert.deepStrictEqual(schema(one.filename), [])
    yield* migrate(one, Hooks.migrations)
    yield* migrate(other, Hooks.migrations)
    assert.isAbove(schema(one.filename).length, 7)
    assert.deepStrictEqual(schema(one.filename), schema(other.filename))
  })
)
