/** The tasks of processes on one database: they run in one of them, and in the next one when that is over. */
import { assert, describe, it } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as HealthDetails from "../../src/http/HealthDetails.js"
import * as Database from "../../src/insights/Database.js"
import * as LeaseBoard from "../../src/lease/LeaseBoard.js"
import * as TaskLease from "../../src/insights/TaskLease.js"
import * as Budget from "../../src/lifecycle/Budget.js"
import * as Lifecycle from "../../src/lifecycle/Lifecycle.js"
import * as OwnProcess from "../../src/lifecycle/OwnProcess.js"
import * as ShutdownConfig from "../../src/lifecycle/ShutdownConfig.js"
import * as Redis from "../../src/redis/Redis.js"
import { connect } from "../redis/support/Connected.js"
import * as RedisServer from "../support/RedisServer.js"
import * as Service from "./Service.js"

const { note, path } = RedisServer.tool

/** Who has tasks, and who had, in order. */
const make = (
  env: Record<string, string>,
  redis: () => Effect.Effect<Option.Option<Redis.Shape>, never, Scope.Scope>
) =>
  Effect.gen(function* () {
    const config = yield* Service.fresh
    const told: Array<string> = []
    let pid = 0
    const process = (name: string) =>
      Effect.gen(function* () {
        const tasks = Layer.scopedDiscard(
          Effect.acquireRelease(
            Effect.sync(() => void told.push(`${name} begins`)),
            () => Effect.sync(() => void told.push(`${name} ends`))
          )
        )
        const layer = TaskLease.layerConfig(tasks).pipe(
          Layer.provideMerge(HealthDetails.layer),
          Layer.provide(LeaseBoard.layer),
          Layer.provide([
            Database.layerFrom(config),
            Layer.succeed(Redis.Configured, yield* redis()),
            Layer.succeed(OwnProcess.OwnProcess, {
              pid: ++pid,
              hostname: "here",
              isAlive: () => Effect.succeed(true)
            }),
            Layer.succeed(Lifecycle.Lifecycle, yield* Service.ready),
            Layer.orDie(Budget.layer(ShutdownConfig.defaults))
          ])
        )
        const scope = yield* Effect.acquireRelease(Scope.make(), (scope) => Scope.close(scope, Exit.void))
        const context = yield* Layer.buildWithScope(layer, scope)
        const health = Context.get(context, HealthDetails.HealthDetails)
        return {
          close: Scope.close(scope, Exit.void),
          lease: Effect.map(health.all, ({ leases }) => {
            assert.lengthOf(leases as ReadonlyArray<unknown>, 1)
            return (leases as ReadonlyArray<Service.Json>)[0]
          })
        }
      }).pipe(
        Effect.withConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(env)))),
        Logger.withMinimumLogLevel(LogLevel.None)
      )
    const until = (what: string) =>
      Effect.repeat(Effect.sleep("2 millis"), { until: () => told.includes(what) }).pipe(
        Effect.timeoutFail({
          duration: "15 seconds",
          onTimeout: () => new Error(`${what} is not among ${told.join(", ")}`)
        }),
        Effect.orDie
      )
    return { process, told, until }
  })

const passedOn = (env: Record<string, string>, redis: Parameters<typeof make>[1]) =>
  Effect.gen(function* () {
    const { process, told, until } = yield* make(env, redis)
    const first = yield* process("first")
    const second = yield* process("second")
    assert.deepStrictEqual(told, ["first begins"])
    const held = yield* first.lease
    assert.deepInclude(held, { name: TaskLease.name, state: "held" })
    assert.deepInclude(yield* second.lease, { state: "standby", holder: held.holder, epoch: held.epoch })
    yield* first.close
    yield* until("second begins")
    assert.deepStrictEqual(told, ["first begins", "first ends", "second begins"])
    const next = yield* second.lease
    assert.strictEqual(next.state, "held")
    assert.isAbove(next.epoch, held.epoch)
    yield* second.close
    assert.strictEqual(told.at(-1), "second ends")
  })

describe("the lease of the tasks", () => {
  it.scopedLive(
    "without Redis it is looked for, and the next process has it when the first gives it back",
    () => passedOn({ LEASE_POLL_INTERVAL: "0.02" }, () => Effect.succeedNone)
  )

  it.scopedLive.skipIf(path === undefined)(`with Redis it is told that it can be had${note}`, () =>
    Effect.gen(function* () {
      const server = yield* RedisServer.run
      // Whoever looks comes too late.
      yield* passedOn({ LEASE_POLL_INTERVAL: "60", LEASE_TTL: "600" }, () =>
        Effect.orDie(Effect.map(connect(server), ({ redis }) => Option.some(redis)))
      )
    })
  )
})
