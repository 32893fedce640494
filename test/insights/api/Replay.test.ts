/** Recorded stretches of the real networks, from the lake and from RPC, as the API tells of them: everything that there is to count is as the oracle has it. */
import { assert, describe, it } from "@effect/vitest"
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import * as LedgerFacts from "../../../src/stellar/LedgerFacts.js"
import * as Network from "../../../src/stellar/Network.js"
import * as RpcSource from "../../../src/stellar/source/RpcSource.js"
import * as RpcUrl from "../../../src/stellar/source/RpcUrl.js"
import * as Recorded from "../../stellar/xdr/RecordedLedgers.js"
import * as RpcServer from "../../support/RpcServer.js"
import * as Service from "../Service.js"
import * as Serving from "./Serving.js"

const recorded = Recorded.available
const stretches: ReadonlyArray<Service.Json> = recorded
  ? JSON.parse(readFileSync(join(Recorded.folder, "replay-oracle.json"), "utf8"))
  : []
const perLedger: ReadonlyArray<Service.Json> = recorded ? Recorded.oracle() : []

const fromLake = (network: "pubnet" | "testnet") =>
  Effect.succeed(Service.lake(join(Recorded.folder, `lake-${network}`), Network.passphrases[network]))

const fromRpc = (network: "pubnet" | "testnet", { first, last }: { first: number; last: number }) =>
  Effect.gen(function* () {
    const networkPassphrase = Network.passphrases[network]
    const ledgers = (network === "pubnet" ? Recorded.pubnet() : Recorded.testnet())
      .map(({ bytes }) => ({ sequence: LedgerFacts.extract(bytes).sequence, bytes }))
      .filter(({ sequence }, i, all) => all.findIndex((one) => one.sequence === sequence) === i)
      .filter(({ sequence }) => sequence >= first && sequence <= last)
      .sort((a, b) => a.sequence - b.sequence)
    const { url } = yield* RpcServer.make({ ledgers, networkPassphrase })
    const endpoint = RpcUrl.parse(url)!
    return RpcSource.layer({ endpoint, networkPassphrase, pageSize: 4, pollInterval: "50 millis" }).pipe(
      Layer.provide(FetchHttpClient.layer)
    )
  })

type Source =
  Effect.Effect.Success<ReturnType<typeof fromLake>> | Effect.Effect.Success<ReturnType<typeof fromRpc>>

/** Ingests a stretch, scores it, and gives the API over it. */
const replayed = (oracle: Service.Json, source: Source) =>
  Effect.gen(function* () {
    const file = yield* Service.fresh
    yield* Effect.scoped(
      Effect.gen(function* () {
        const service = yield* Service.run<unknown>(file, source, oracle.first)
        const { lastLedger } = yield* Service.until(
          service,
          (status) => status.lastLedger === oracle.last || status.state === "halted"
        )
        assert.strictEqual(lastLedger, oracle.last)
      })
    )
    const { ask, sync } = yield* Serving.make([], file)
    yield* sync
    return ask
  })

const network = (ask: Service.Ask, oracle: Service.Json) =>
  Effect.gen(function* () {
    const { json } = yield* ask("/api/network?window=30d")
    const feeBumps = (yield* ask("/api/fee-bumps/stats?window=30d")).json
    const ledgers = (yield* ask("/api/ledgers?limit=200")).json.ledgers
    const [newest, oldest] = [ledgers[0], ledgers.at(-1)]
    const given = {
      ledgers: json.ledgers,
      tx: json.transactions,
      success: json.successful,
      failed: json.failed,
      ops: json.operations,
      txSetOps: json.allOperations,
      fees: json.feeCharged,
      feeBumps: feeBumps.feeBumps,
      merges: json.accountMerges,
      createAccounts: json.createdAccounts,
      paymentRows: json.payments,
      feePoolDelta: String(BigInt(newest.feePool) - BigInt(oldest.feePool) + BigInt(oldest.totalFeeCharged))
    }
    assert.deepStrictEqual(
      given,
      Object.fromEntries(Object.keys(given).map((name) => [name, oracle[name]])) as typeof given
    )
    assert.strictEqual(json.successRate, oracle.success / oracle.tx)
    assert.strictEqual(json.lastLedger, oracle.last)
    assert.strictEqual(feeBumps.share, oracle.feeBumps / oracle.tx)
  })

/** Every payment and merge, as the oracle has them ledger by ledger. */
const payments = (ask: Service.Ask, oracle: Service.Json) =>
  Effect.gen(function* () {
    const { found } = yield* Serving.walk(ask, "/api/payments?limit=200", "payments")
    const merges = (yield* Serving.walk(ask, "/api/account-merges?limit=200", "merges")).found
    assert.strictEqual(found.length, oracle.paymentRows)
    assert.strictEqual(merges.length, oracle.merges)
    const toid = (sequence: number, { opIndex, txIndex }: Service.Json) =>
      String((BigInt(sequence) << 32n) | (BigInt(txIndex) << 12n) | BigInt(opIndex + 1))
    const facts = perLedger.filter(
      (one) => one.network === oracle.network && one.sequence >= oracle.first && one.sequence <= oracle.last
    )
    assert.strictEqual(facts.length, oracle.ledgers)
    for (const { accountMerges, closeTime, payments, sequence } of facts) {
      const here = { ledger: sequence, closedAt: closeTime }
      const expected = payments.map((one: Service.Json) => ({
        ...here,
        toid: toid(sequence, one),
        txHash: one.tx,
        kind: one.type,
        from: one.from,
        to: one.to,
        fromMuxedId: one.fromMuxedId ?? null,
        toMuxedId: one.toMuxedId ?? null,
        sourceAsset: one.srcAsset,
        sourceAmount: one.srcAmount,
        destinationAsset: one.dstAsset,
        destinationAmount: one.dstAmount
      }))
      const given = yield* Serving.walk(ask, `/api/payments?ledger=${sequence}&limit=77`, "payments")
      assert.deepStrictEqual(given.found, expected.toReversed())
      assert.deepStrictEqual(
        found.filter(({ ledger }) => ledger === sequence),
        given.found
      )
      assert.deepStrictEqual(
        merges
          .filter(({ ledger }) => ledger === sequence)
          .map(({ account, amount, into, txHash }) => ({ tx: txHash, from: account, into, amount }))
          .toReversed(),
        accountMerges.map(({ opIndex: _opIndex, ...one }: Service.Json) => one)
      )
    }
    return found
  })

const corridors = (ask: Service.Ask, oracle: Service.Json, paid: ReadonlyArray<Service.Json>) =>
  Effect.gen(function* () {
    const { found } = yield* Serving.walk(ask, "/api/corridors?window=30d&limit=50", "corridors")
    const totals = { self_failed: 0, self_ok: 0, success: 0, rolledBack: 0, failedOwn: 0, noOpResult: 0 }
    const others: Record<string, unknown> = {}
    const all: Record<string, unknown> = {}
    const volumes = new Map<string, { src: bigint; dst: bigint }>()
    for (const one of paid.filter(({ kind }) => kind === "payment" || kind.startsWith("pathPayment"))) {
      const key = `${one.sourceAsset}>${one.destinationAsset}`
      const { dst, src } = volumes.get(key) ?? { src: 0n, dst: 0n }
      volumes.set(key, { src: src + BigInt(one.sourceAmount), dst: dst + BigInt(one.destinationAmount) })
    }
    for (const one of found) {
      const key = `${one.source}>${one.destination}`
      const { failed: failedOwn, rejected: noOpResult, rolledBack, selfFailed, selfSuccess, success } = one
      assert.strictEqual(one.attempts, success + failedOwn)
      totals.self_failed += selfFailed
      totals.self_ok += selfSuccess
      totals.success += success
      totals.rolledBack += rolledBack
      totals.failedOwn += failedOwn
      totals.noOpResult += noOpResult
      const failed = failedOwn + rolledBack + noOpResult + selfFailed
      const { dst, src } = volumes.get(key) ?? { src: 0n, dst: 0n }
      all[key] = {
        attempts: success + selfSuccess + failed,
        success: success + selfSuccess,
        failed,
        // Volumes with those of accounts with themselves are not in this answer: they are the sums of the payments.
        srcVolume: String(src),
        dstVolume: String(dst)
      }
      if (success + failedOwn + rolledBack + noOpResult === 0) continue
      const [srcVolume, dstVolume] = [one.sourceVolume, one.destinationVolume]
      others[key] = { success, failedOwn, rolledBack, noOpResult, srcVolume, dstVolume }
    }
    assert.deepStrictEqual(others, oracle.corridorsExSelf)
    assert.deepStrictEqual(all, oracle.corridors)
    const nothing = { self_failed: 0, self_ok: 0, success: 0, rolledBack: 0, failedOwn: 0, noOpResult: 0 }
    assert.deepStrictEqual(totals, { ...nothing, ...oracle.paymentTotals })
  })

const trustlines = (ask: Service.Ask, oracle: Service.Json) =>
  Effect.gen(function* () {
    for (const [asset, expected] of Object.entries<Service.Json>(oracle.assets)) {
      const { json } = yield* ask(`/api/trustlines/${asset}`)
      const { authorized, balance, created, removed, unknownBefore, updated } = json.total
      const given = { created, removed, updated, authorizedDelta: authorized, balanceDelta: balance }
      assert.deepStrictEqual(given, expected, asset)
      assert.strictEqual(unknownBefore, 0)
      assert.strictEqual(json.sinceLedger, oracle.first)
    }
  })

const pools = (ask: Service.Ask, oracle: Service.Json) =>
  Effect.gen(function* () {
    const { found } = yield* Serving.walk(ask, "/api/liquidity-pools?limit=100", "pools")
    const given: Record<string, unknown> = {}
    for (const { id, price: _price, removedLedger, trustlines, ...pool } of found) {
      const { windows } = (yield* ask(`/api/liquidity-pools/${id}`)).json
      const { ledgers: touchedLedgers, trades, volumeA, volumeB } = windows["30d"]
      given[id] = { ...pool, trustlines: String(trustlines), touchedLedgers, trades, volumeA, volumeB }
      assert.isNull(removedLedger)
    }
    assert.deepStrictEqual(given, oracle.pools)
  })

describe.skipIf(!recorded)(`a replay through the API${Recorded.note}`, () => {
  if (!recorded) return it("needs the folder ../shared/stellar with recorded ledgers", () => {})
  for (const oracle of stretches) {
    for (const from of ["lake", "RPC"] as const) {
      it.live(`of ${oracle.network} ${oracle.first} to ${oracle.last}, from ${from}`, () =>
        Effect.gen(function* () {
          const source = yield* from === "lake" ? fromLake(oracle.network) : fromRpc(oracle.network, oracle)
          const ask = yield* replayed(oracle, source)
          yield* network(ask, oracle)
          yield* corridors(ask, oracle, yield* payments(ask, oracle))
          yield* trustlines(ask, oracle)
          yield* pools(ask, oracle)
        }).pipe(Effect.scoped)
      )
    }
  }
})
