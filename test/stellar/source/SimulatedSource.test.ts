import { assert, describe, it } from "@effect/vitest"
import { Networks, TransactionBuilder, xdr } from "@stellar/stellar-sdk"
import * as Chunk from "effect/Chunk"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Ref from "effect/Ref"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import * as LedgerFacts from "../../../src/stellar/LedgerFacts.js"
import * as SimulatedSource from "../../../src/stellar/source/SimulatedSource.js"

const take = (options: SimulatedSource.Options, start: number, count: number, previousHash?: string) =>
  SimulatedSource.make({ interval: 0, ...options })
    .ledgers(start, previousHash)
    .pipe(Stream.take(count), Stream.runCollect, Effect.map(Chunk.toReadonlyArray))

describe("SimulatedSource", () => {
  it.effect("gives ledgers that verify, chain, and charge what the fee pool gains", () =>
    Effect.gen(function* () {
      const ledgers = yield* take({ transactions: 60 }, 2, 12)
      const facts = ledgers.map((ledger) => LedgerFacts.extract(ledger.bytes))
      for (const [i, fact] of facts.entries()) {
        assert.strictEqual(fact.sequence, 2 + i)
        assert.strictEqual(ledgers[i]!.sequence, 2 + i)
        const before = facts[i - 1]
        assert.strictEqual(fact.txCount, 60)
        assert.isAbove(fact.successTx, 30)
        assert.isTrue(fact.totalFeeCharged > 6000n)
        if (before === undefined) continue
        assert.strictEqual(fact.previousHash, before.hash)
        assert.strictEqual(fact.feePool - before.feePool, fact.totalFeeCharged)
        assert.strictEqual(fact.closeTime - before.closeTime, 5)
      }
      assert.isAbove(
        facts.reduce((sum, fact) => sum + fact.failedTx, 0),
        0
      )
      assert.isAbove(facts[0]!.feeBumps, 0)
      assert.strictEqual(ledgers[0]!.object, "simulated:1")
    })
  )

  it.effect("gives the same bytes for the same seed, and others for another", () =>
    Effect.gen(function* () {
      const [one, again, other] = yield* Effect.all([
        take({ seed: "a" }, 2, 3),
        take({ seed: "a" }, 2, 3),
        take({ seed: "b" }, 2, 3)
      ])
      assert.deepStrictEqual(one, again)
      for (const [i, ledger] of other.entries()) assert.notDeepEqual(ledger.bytes, one[i]!.bytes)
    })
  )

  it.effect("goes on in the middle of a chain as if it had never stopped", () =>
    Effect.gen(function* () {
      const whole = yield* take({ transactions: 30 }, 2, 10)
      const cursor = LedgerFacts.extract(whole[4]!.bytes)
      const resumed = yield* take({ transactions: 30 }, cursor.sequence + 1, 5, cursor.hash)
      assert.deepStrictEqual(resumed, whole.slice(5))
    })
  )

  it.effect("begins anywhere at once", () =>
    Effect.gen(function* () {
      const far = yield* take({ transactions: 5 }, 4_000_000_000, 2)
      const facts = far.map((ledger) => LedgerFacts.extract(ledger.bytes))
      assert.strictEqual(facts[1]!.previousHash, facts[0]!.hash)
      assert.strictEqual(facts[0]!.sequence, 4_000_000_000)
      assert.deepStrictEqual(yield* take({ transactions: 5 }, 4_000_000_000, 2), far)
    })
  )

  it.effect(
    "is what the SDK reads too: the same hashes, and operations, fee bumps and failures of every kind",
    () =>
      Effect.gen(function* () {
        const kinds = new Set<string>()
        const assets = new Set<string>()
        for (const ledger of yield* take({ transactions: 120 }, 60, 4)) {
          const meta = xdr.LedgerCloseMeta.fromXDR(Buffer.from(ledger.bytes))
          assert.isTrue(Buffer.from(meta.toXDR()).equals(ledger.bytes))
          const { txProcessing, txSet } = (meta as xdr.LedgerCloseMeta & { type: "v2" }).v2
          const [plain, parallel] = txSet.v1TxSet.phases as unknown as [
            xdr.TransactionPhase & { type: "v0Components" },
            xdr.TransactionPhase & { type: "parallelTxsComponent" }
          ]
          const envelopes = [
            ...plain.v0Components[0]!.txsMaybeDiscountedFee.txs,
            ...parallel.parallelTxsComponent.executionStages.flat(2)
          ]
          assert.lengthOf(envelopes, 120)
          const mostOf = new Map<string, bigint>()
          for (const envelope of envelopes) {
            const transaction = TransactionBuilder.fromXDR(envelope, SimulatedSource.passphrase)
            const inner = "innerTransaction" in transaction ? transaction.innerTransaction : transaction
            if (inner !== transaction) kinds.add("fee bump")
            for (const operation of inner.operations) {
              kinds.add(operation.type)
              if (operation.type === "payment") assets.add(operation.asset.getCode())
            }
            mostOf.set(Buffer.from(transaction.hash()).toString("hex"), BigInt(transaction.fee))
          }
          for (const { result } of txProcessing) {
            const hash = Buffer.from(result.transactionHash.value).toString("hex")
            assert.isTrue(mostOf.get(hash)! >= BigInt(result.result.feeCharged))
            kinds.add(result.result.result.type)
          }
        }
        assert.includeMembers(Array.from(kinds), [
          "payment",
          "pathPaymentStrictSend",
          "pathPaymentStrictReceive",
          "fee bump",
          "txSuccess",
          "txFailed",
          "txFeeBumpInnerSuccess",
          "txFeeBumpInnerFailed",
          "txBadAuth",
          "createAccount",
          "accountMerge",
          "changeTrust",
          "allowTrust",
          "setTrustLineFlags",
          "manageSellOffer",
          "liquidityPoolDeposit",
          "liquidityPoolWithdraw",
          "invokeHostFunction"
        ])
        assert.includeMembers(Array.from(assets), ["XLM", "USDC", "EURC", "BRL", "NGNC", "AQUA", "yUSDC"])
      })
  )

  it.effect(
    "keeps its pace: the first ledger at once, then one an interval, and no row of them after a pause",
    () =>
      Effect.gen(function* () {
        const seen = yield* Ref.make<ReadonlyArray<number>>([])
        const gate = yield* Effect.makeSemaphore(1)
        const source = SimulatedSource.make({ interval: "5 seconds", transactions: 1 })
        yield* source.ledgers(2, undefined).pipe(
          Stream.runForEach((ledger) =>
            gate.withPermits(1)(Ref.update(seen, (all) => [...all, ledger.sequence]))
          ),
          Effect.fork
        )
        const settle = Effect.yieldNow().pipe(Effect.repeatN(50))
        const expect = (count: number) =>
          Effect.zipRight(
            settle,
            Effect.map(Ref.get(seen), (all) => assert.lengthOf(all, count))
          )
        yield* expect(1)
        yield* TestClock.adjust(Duration.millis(4999))
        yield* expect(1)
        yield* TestClock.adjust(Duration.millis(1))
        yield* expect(2)
        // The consumer is busy for a minute.
        yield* gate.take(1)
        yield* TestClock.adjust("1 minute")
        yield* gate.release(1)
        yield* expect(4)
        yield* TestClock.adjust(Duration.millis(4999))
        yield* expect(4)
        yield* TestClock.adjust(Duration.millis(1))
        yield* expect(5)
        assert.deepStrictEqual(yield* Ref.get(seen), [2, 3, 4, 5, 6])
      })
  )

  it.effect("gives empty ledgers when there are to be no transactions", () =>
    Effect.gen(function* () {
      const [one, two] = (yield* take({ transactions: 0 }, 2, 2)).map((ledger) =>
        LedgerFacts.extract(ledger.bytes)
      )
      assert.strictEqual(two!.previousHash, one!.hash)
    })
  )

  it.effect("reads its configuration with bounds", () =>
    Effect.gen(function* () {
      const read = (env: Record<string, string>) =>
        Effect.withConfigProvider(
          SimulatedSource.SimulatedConfig,
          ConfigProvider.fromMap(new Map(Object.entries(env)))
        )
      const defaults = yield* read({})
      assert.deepStrictEqual(
        [
          defaults.seed,
          Duration.toMillis(defaults.interval),
          defaults.transactions,
          defaults.networkPassphrase
        ],
        ["1", 5000, 100, SimulatedSource.passphrase]
      )
      const given = yield* read({
        STELLAR_SIMULATED_SEED: "7",
        STELLAR_SIMULATED_INTERVAL: "0.5",
        STELLAR_SIMULATED_TRANSACTIONS: "10000",
        STELLAR_NETWORK: "testnet"
      })
      assert.strictEqual(Duration.toMillis(given.interval), 500)
      assert.strictEqual(given.networkPassphrase, Networks.TESTNET)
      for (const [key, value] of [
        ["STELLAR_SIMULATED_SEED", ""],
        ["STELLAR_SIMULATED_INTERVAL", "-1"],
        ["STELLAR_SIMULATED_INTERVAL", ""],
        ["STELLAR_SIMULATED_INTERVAL", "2 hours"],
        ["STELLAR_SIMULATED_INTERVAL", "-1 seconds"],
        ["STELLAR_SIMULATED_TRANSACTIONS", ""],
        ["STELLAR_SIMULATED_TRANSACTIONS", "1e3"],
        ["STELLAR_SIMULATED_TRANSACTIONS", "10001"]
      ] as const) {
        const line = String(yield* Effect.flip(read({ [key]: value })))
        assert.include(line, `${key}=${JSON.stringify(value)} is not valid: it must be `)
        assert.notInclude(line, "\n")
      }
    })
  )
})
