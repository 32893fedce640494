/** What the simulation makes is a ledger like any other. */
import { assert, describe, it } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as LedgerDetails from "../../../src/stellar/facts/LedgerDetails.js"
import * as Network from "../../../src/stellar/Network.js"
import * as SimulatedSource from "../../../src/stellar/source/SimulatedSource.js"

describe("details of simulated ledgers", () => {
  it.effect("add up to their facts", () =>
    Effect.gen(function* () {
      const source = SimulatedSource.make({ interval: 0, transactions: 300 })
      const ledgers = yield* source.ledgers(100, undefined).pipe(Stream.take(4), Stream.runCollect)
      for (const { bytes } of Chunk.toReadonlyArray(ledgers)) {
        const details = yield* LedgerDetails.fromBytes(bytes, Network.id(source.networkPassphrase))
        const { allOperations, corridors, facts, failures, feeBumps, operations, payments } = details
        const sum = (counts: Readonly<Record<string, number>>) =>
          Object.values(counts).reduce((a, b) => a + b, 0)
        assert.strictEqual(sum(operations), facts.opCount)
        assert.strictEqual(sum(allOperations), facts.txSetOpCount)
        assert.strictEqual(feeBumps.length, facts.feeBumps)
        assert.strictEqual(sum(details.failedByCode), facts.failedTx)
        const inCorridors = payments.filter(({ kind }) => kind !== "createAccount" && kind !== "accountMerge")
        const attempts = corridors.map(
          ({ failedOwn, noOpResult, rolledBack, selfFailed, selfSuccess, success }) =>
            success + failedOwn + rolledBack + noOpResult + selfSuccess + selfFailed
        )
        assert.strictEqual(
          attempts.reduce((a, b) => a + b, 0),
          inCorridors.length + failures.length
        )
        assert.isAbove(inCorridors.length, 50)
        assert.isAbove(failures.length, 3)
        const toids = [...payments, ...failures].map(({ toid }) => toid)
        assert.strictEqual(new Set(toids).size, toids.length)
        for (const asset of details.trustlines.assets) assert.strictEqual(asset.unknownBefore, 0)
      }
    })
  )
})
