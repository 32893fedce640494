import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Database from "../../../src/insights/Database.js"
import * as SqlSessions from "../../../src/insights/realtime/SqlSessions.js"
import { sessionStoreSuite } from "../../realtime/support/SessionStoreSuite.js"
import * as Service from "../Service.js"

sessionStoreSuite(
  "the store in SQLite",
  Effect.gen(function* () {
    const context = yield* Layer.build(Database.layerFrom(yield* Service.fresh))
    return SqlSessions.make(Context.get(context, Database.Database))
  })
)
