import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Backfill from "../../src/insights/Backfill.js"
import * as LedgerStore from "../../src/insights/LedgerStore.js"
import * as Lifecycle from "../../src/lifecycle/Lifecycle.js"
import * as StopReason from "../../src/lifecycle/StopReason.js"
import * as LedgerSource from "../../src/stellar/source/LedgerSource.js"
import * as SimulatedSource from "../../src/stellar/source/SimulatedSource.js"
import * as Service from "./Service.js"

const network = SimulatedSource.make({ interval: 0, transactions: 3 })

/** Runs a backfill until it asks for a stop, and closes it. */
const fill = (
  config: { readonly url: string; readonly filename: string },
  stretch: Backfill.Stretch,
  source: LedgerSource.Shape = network
) =>
  Effect.gen(function* () {
    const lifecycle = yield* Service.ready
    const progress = yield* Ref.make(Option.none<Backfill.Progress>())
    const scope = yield* Scope.make()
    const store = yield* Layer.buildWithScope(Service.storeOn(config), scope)
    const made = yield* Backfill.make({ ...stretch, limit: Duration.seconds(10), progress }).pipe(
      Scope.extend(scope),
      Effect.provide(store),
      Effect.provideService(LedgerSource.LedgerSource, source),
      Effect.provideService(Lifecycle.Lifecycle, lifecycle),
      Effect.exit
    )
    const reason = Exit.isSuccess(made) ? yield* lifecycle.stopRequested : undefined
    const range = Option.getOrNull(yield* Context.get(store, LedgerStore.LedgerStore).range)
    const latest = Option.getOrNull(yield* Context.get(store, LedgerStore.LedgerStore).latest)
    yield* Scope.close(scope, Exit.void)
    return { made, reason, range, latest, progress: Option.getOrNull(yield* Ref.get(progress)) }
  }).pipe(Logger.withMinimumLogLevel(LogLevel.None))

const messageOf = (exit: Exit.Exit<unknown, { readonly message: string }>): string =>
  Exit.match(exit, {
    onSuccess: () => "it was begun",
    onFailure: (cause) => (cause._tag === "Fail" ? cause.error.message : cause._tag)
  })

describe("a backfill", () => {
  it.scoped("fills an empty database, asks for a stop, and goes on from the cursor the next time", () =>
    Effect.gen(function* () {
      const config = yield* Service.fresh
      const one = yield* fill(config, { from: 100, to: 109 })
      assert.deepStrictEqual(one.reason, StopReason.requested("the backfill is done"))
      assert.deepStrictEqual(one.range, { first: 100, last: 109 })
      assert.strictEqual(one.progress!.resumedAfter, null)
      assert.strictEqual(one.progress!.stored, 10)

      const two = yield* fill(config, { from: 100, to: 115 })
      assert.deepStrictEqual(two.range, { first: 100, last: 115 })
      assert.strictEqual(two.progress!.resumedAfter, 109)
      assert.strictEqual(two.progress!.stored, 6)

      // One that is whole already is done at once; so is one in the middle of what is stored.
      const three = yield* fill(config, { from: 104, to: 112 })
      assert.deepStrictEqual(three.reason, StopReason.requested("the backfill is done"))
      assert.strictEqual(three.progress!.stored, 0)

      const whole = yield* fill(yield* Service.fresh, { from: 100, to: 115 })
      assert.deepStrictEqual(two.latest, whole.latest)
    })
  )

  it.scoped(
    "refuses what would leave a gap or come before the first, and says what is stored and what is allowed",
    () =>
      Effect.gen(function* () {
        const config = yield* Service.fresh
        yield* fill(config, { from: 100, to: 102 })
        const before = yield* fill(config, { from: 90, to: 120 })
        assert.match(
          messageOf(before.made),
          /holds ledgers 100 to 102, and ledgers cannot be added before the first; allowed is --from 100 to 103/
        )
        const gap = yield* fill(config, { from: 105, to: 120 })
        assert.match(
          messageOf(gap.made),
          /ledgers 103 to 104 would be missing in between; allowed is --from 100 to 103/
        )
        assert.deepStrictEqual(gap.range, { first: 100, last: 102 })
        const turned = yield* fill(config, { from: 105, to: 104 })
        assert.strictEqual(messageOf(turned.made), "--to 104 is before --from 105")
        const next = yield* fill(config, { from: 103, to: 104 })
        assert.deepStrictEqual(next.range, { first: 100, last: 104 })
        const other = SimulatedSource.make({ interval: 0, networkPassphrase: "another" })
        assert.match(messageOf((yield* fill(config, { from: 105, to: 106 }, other)).made), /of the network/)
      })
  )

  it.scoped("ends in what it cannot pass, with everything before that stored", () =>
    Effect.gen(function* () {
      const broken: LedgerSource.Shape = {
        ...network,
        ledgers: (start, hash) =>
          network
            .ledgers(start, hash)
            .pipe(
              Stream.map((ledger) =>
                ledger.sequence === 14
                  ? { ...ledger, bytes: ledger.bytes.subarray(0, 500), object: "there" }
                  : ledger
              )
            )
      }
      const config = yield* Service.fresh
      const { range, reason } = yield* fill(config, { from: 10, to: 20 }, broken)
      assert.match(StopReason.describe(reason!), /^worker backfill failed: there: .*cannot be decoded/)
      assert.isTrue(StopReason.isFailure(reason!))
      assert.deepStrictEqual(range, { first: 10, last: 13 })
      const failing: LedgerSource.Shape = {
        ...network,
        ledgers: () =>
          Stream.fail(
            new LedgerSource.LedgerSourceError({
              reason: "missing",
              object: "x",
              message: "the lake has a gap"
            })
          )
      }
      assert.match(
        StopReason.describe((yield* fill(config, { from: 10, to: 20 }, failing)).reason!),
        /worker backfill failed: the lake has a gap/
      )
      const after = yield* fill(config, { from: 10, to: 20 })
      assert.deepStrictEqual(after.range, { first: 10, last: 20 })
      assert.strictEqual(after.progress!.stored, 7)
    })
  )
})
