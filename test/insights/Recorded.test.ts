/** Recorded ledgers of the real networks, from the lake to the answer of the API. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { resolve } from "node:path"
import * as LedgerFacts from "../../src/stellar/LedgerFacts.js"
import * as Network from "../../src/stellar/Network.js"
import * as Recorded from "../stellar/xdr/RecordedLedgers.js"
import * as Lake from "../support/Lake.js"
import * as Service from "./Service.js"

const oracle = new Map(
  (Recorded.available ? Recorded.oracle() : []).map((ledger) => [
    `${ledger["network"]} ${ledger["sequence"]}`,
    ledger
  ])
)
const same = [
  "sequence",
  "hash",
  "prevHash",
  "closeTime",
  "protocol",
  "lcmVersion",
  "txCount",
  "successTx",
  "failedTx",
  "opCount",
  "txSetOpCount",
  "totalFeeCharged",
  "feePool",
  "totalCoins",
  "baseFee",
  "baseReserve",
  "maxTxSetSize",
  "sorobanTx"
]

/** The oracle's entry in the API's fields. */
const expected = (network: string, sequence: number) => {
  const entry = oracle.get(`${network} ${sequence}`)!
  return {
    ...Object.fromEntries(same.map((field) => [field, entry[field]])),
    feeBumps: (entry["feeBumps"] as ReadonlyArray<unknown>).length,
    closedAt: new Date((entry["closeTime"] as number) * 1000).toISOString()
  }
}
const range = (first: number, last: number) => Array.from({ length: last - first + 1 }, (_, i) => first + i)

const served = (network: "pubnet" | "testnet", folder: string, first: number, last: number) =>
  Effect.gen(function* () {
    const source = Service.lake(folder, Network.passphrases[network])
    const service = yield* Service.run(yield* Service.fresh, source, first)
    yield* Service.until(service, (status) => status.lastLedger === last || status.state === "halted")
    const { json } = yield* service.ask("/api/ledgers?limit=200")
    assert.deepStrictEqual(json, {
      ledgers: range(first, last)
        .toReversed()
        .map((sequence) => expected(network, sequence)),
      next: null
    })
    const latest = yield* service.ask("/api/ledgers/latest")
    assert.deepStrictEqual(latest.json, expected(network, last))
    return service
  })

describe.skipIf(!Recorded.available)(`recorded ledgers${Recorded.note}`, () => {
  const pubnet = resolve(Recorded.folder, "lake-pubnet")

  it.scopedLive("serves the ten of protocol 26 as the oracle has them", () =>
    served("pubnet", pubnet, 63_092_982, 63_092_991)
  )

  it.scopedLive("serves the eleven of protocol 13, and halts at the gap after them", () =>
    Effect.gen(function* () {
      const service = yield* served("pubnet", pubnet, 30_822_015, 30_822_025)
      const { halt } = yield* Service.until(service, (status) => status.state === "halted")
      assert.strictEqual(halt!.reason, "missing")
      assert.include(halt!.object!, "30822026")
      const { obstacles, ready } = yield* service.lifecycle.readiness.status
      assert.isFalse(ready)
      assert.include(obstacles[0]!.reason, "the lake has a gap at 30822026")
      const cursor = yield* service.store.cursor
      assert.strictEqual(Option.getOrThrow(cursor).sequence, 30_822_025)
    })
  )

  it.scopedLive("halts when it is told to go on behind the gap", () =>
    Effect.gen(function* () {
      const config = yield* Service.fresh
      const source = Service.lake(pubnet, Network.passphrases.pubnet)
      const before = yield* Effect.scoped(
        Effect.gen(function* () {
          const service = yield* Service.run(config, source, 30_822_015)
          yield* Service.until(service, (status) => status.lastLedger === 30_822_025)
          return yield* service.store.cursor
        })
      )
      const service = yield* Service.run(config, source, 63_092_982)
      const { halt } = yield* Service.until(service, (status) => status.state === "halted")
      assert.strictEqual(halt!.reason, "gap")
      const { obstacles, ready } = yield* service.lifecycle.readiness.status
      assert.isFalse(ready)
      assert.include(obstacles[0]!.reason, "30822025")
      assert.deepStrictEqual(yield* service.store.cursor, before)
    })
  )

  for (const folder of ["lake-testnet", "lake-testnet-zstd-suffix"]) {
    it.scopedLive(`serves the test network's three from ${folder}`, () =>
      served("testnet", resolve(Recorded.folder, folder), 997, 999)
    )
  }

  it.scopedLive("serves the singles from lakes of one object", () =>
    Effect.gen(function* () {
      for (const { bytes } of Recorded.singles()) {
        const { sequence } = LedgerFacts.extract(bytes)
        const folder = yield* Service.folder
        const networkPassphrase = Network.passphrases.pubnet
        Lake.write(folder, Lake.pack([{ sequence, bytes }], { networkPassphrase }))
        yield* Effect.scoped(served("pubnet", folder, sequence, sequence))
      }
    })
  )
})
