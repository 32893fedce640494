import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import * as LedgerDetails from "../../../src/stellar/facts/LedgerDetails.js"
import * as Network from "../../../src/stellar/Network.js"
import * as Recorded from "../xdr/RecordedLedgers.js"

const networkIds = {
  pubnet: Network.id(Network.passphrases.pubnet),
  testnet: Network.id(Network.passphrases.testnet)
}

type Json = null | boolean | number | string | ReadonlyArray<Json> | { readonly [key: string]: Json }
type Counts = Readonly<Record<string, Json>>

/** A value as the oracle writes it: amounts as text, and fields in no order. */
const json = (value: unknown): Json =>
  JSON.parse(JSON.stringify(value, (_, item: unknown) => (typeof item === "bigint" ? String(item) : item)))

const operationOf = (toid: bigint) => ({
  txIndex: Number((toid >> 12n) & 0xfffffn),
  opIndex: Number(toid & 0xfffn) - 1
})

const byId = <A extends { readonly id: string }>(pools: ReadonlyArray<A>): ReadonlyArray<A> =>
  pools.toSorted((a, b) => (a.id < b.id ? -1 : 1))

/** Everything of a ledger under the oracle's names, but for what `facts` has. */
const named = (details: LedgerDetails.LedgerDetails) => ({
  metaVersions: details.metaVersions,
  opsByType: details.operations,
  opsByTypeAll: details.allOperations,
  failedByCode: details.failedByCode,
  feeBumps: details.feeBumps.map(({ feeCharged, feeSource, hash, innerHash, success }) => ({
    hash,
    innerHash,
    feeSource,
    feeCharged,
    success
  })),
  payments: details.payments.map(({ fromMuxedId, kind, self: _self, toMuxedId, toid, txHash, ...moved }) => ({
    ...moved,
    ...operationOf(toid),
    tx: txHash,
    type: kind,
    ...(fromMuxedId === null ? {} : { fromMuxedId }),
    ...(toMuxedId === null ? {} : { toMuxedId })
  })),
  accountMerges: details.accountMerges.map(({ account, amount, into, toid, txHash }) => ({
    tx: txHash,
    opIndex: operationOf(toid).opIndex,
    from: account,
    into,
    amount
  })),
  createAccounts: details.payments.filter(({ kind }) => kind === "createAccount").length,
  claimAtoms: details.claimAtoms,
  corridorAttempts: Object.fromEntries(
    details.corridors.map((corridor) => {
      const { attempts, failed, success } = all(corridor)
      return [`${corridor.srcAsset}>${corridor.dstAsset}`, { attempts, success, failed }]
    })
  ),
  trustlines: {
    raw: details.trustlines.raw,
    net: details.trustlines.net,
    poolShareNet: details.trustlines.poolShareNet
  },
  pools: {
    raw: details.pools.raw,
    net: details.pools.net,
    final: byId(details.pools.images).map(({ created: _created, ...pool }) => pool)
  },
  cap67: details.events
})

const all = (corridor: LedgerDetails.LedgerDetails["corridors"][number]) => {
  const success = corridor.success + corridor.selfSuccess
  const failed = corridor.failedOwn + corridor.rolledBack + corridor.noOpResult + corridor.selfFailed
  return {
    attempts: success + failed,
    success,
    failed,
    srcVolume: corridor.srcVolume + corridor.selfSrcVolume,
    dstVolume: corridor.dstVolume + corridor.selfDstVolume
  }
}

type Summand = number | bigint
type Sums = Map<string, Record<string, Summand>>

/** Adds up counters under a key. */
const add = (sums: Sums, key: string, counters: Readonly<Record<string, Summand>>): void => {
  const sum = sums.get(key) ?? {}
  for (const [name, value] of Object.entries(counters)) {
    const before = sum[name]
    sum[name] = typeof value === "bigint" ? value + BigInt(before ?? 0) : value + Number(before ?? 0)
  }
  sums.set(key, sum)
}

describe.skipIf(!Recorded.available)(`details of recorded ledgers${Recorded.note}`, () => {
  it("are those of the oracle, for every ledger and fact that it knows", () => {
    const seen = new Set<number>()
    const entries = Recorded.oracle()
    const own = [...Recorded.pubnet(), ...Recorded.singles()].map(
      (ledger) => ({ ...ledger, network: "pubnet" }) as const
    )
    const test = Recorded.testnet().map((ledger) => ({ ...ledger, network: "testnet" }) as const)
    for (const { bytes, network } of [...own, ...test]) {
      const details = LedgerDetails.extract(bytes, networkIds[network])
      const entry = entries.find(({ hash }) => hash === details.facts.hash)!
      const actual = named(details)
      const { pools, ...wanted } = Object.fromEntries(Object.keys(actual).map((key) => [key, entry[key]]))
      const { final, ...counts } = pools as { readonly final: ReadonlyArray<{ readonly id: string }> }
      assert.deepStrictEqual(json(actual), json({ ...wanted, pools: { ...counts, final: byId(final) } }))
      seen.add(details.facts.sequence)
    }
    assert.strictEqual(seen.size, entries.length)
  })

  it("add up to the oracle's totals of every replay", () => {
    const replays = JSON.parse(
      readFileSync(join(Recorded.folder, "replay-oracle.json"), "utf8")
    ) as ReadonlyArray<Record<string, Json>>
    assert.strictEqual(replays.length, 3)
    for (const replay of replays) {
      const network = replay["network"] as keyof typeof networkIds
      const recorded = network === "pubnet" ? Recorded.pubnet() : Recorded.testnet().slice(0, 3)
      const ledgers = recorded
        .map(({ bytes }) => LedgerDetails.extract(bytes, networkIds[network]))
        .filter(
          ({ facts }) => facts.sequence >= Number(replay["first"]) && facts.sequence <= Number(replay["last"])
        )
        .sort((a, b) => a.facts.sequence - b.facts.sequence)
      assert.deepStrictEqual(json(replayed(ledgers)), expected(replay))
    }
  })

  const replayed = (ledgers: ReadonlyArray<LedgerDetails.LedgerDetails>) => {
    const [assets, corridors, corridorsExSelf, traded]: [Sums, Sums, Sums, Sums] = [
      new Map(),
      new Map(),
      new Map(),
      new Map()
    ]
    const pools = new Map<string, object>()
    const paymentTotals = { failedOwn: 0, rolledBack: 0, self_failed: 0, self_ok: 0, success: 0 }
    for (const {
      corridors: some,
      facts,
      pools: { activity, images },
      trustlines
    } of ledgers) {
      for (const { asset, maintainLiabilitiesDelta: _delta, unknownBefore, ...delta } of trustlines.assets) {
        assert.strictEqual(unknownBefore, 0)
        add(assets, asset, delta)
      }
      for (const corridor of some) {
        const key = `${corridor.srcAsset}>${corridor.dstAsset}`
        add(corridors, key, all(corridor))
        const { dstVolume, failedOwn, noOpResult, rolledBack, srcVolume, success } = corridor
        const counters = { success, failedOwn, rolledBack, noOpResult, srcVolume, dstVolume }
        if (success + failedOwn + rolledBack + noOpResult > 0) add(corridorsExSelf, key, counters)
        paymentTotals.success += success
        paymentTotals.failedOwn += failedOwn
        paymentTotals.rolledBack += rolledBack
        paymentTotals.self_ok += corridor.selfSuccess
        paymentTotals.self_failed += corridor.selfFailed
      }
      for (const { created: _created, id, ...image } of images) {
        add(traded, id, { touchedLedgers: 1, trades: 0, volumeA: 0n, volumeB: 0n })
        pools.set(id, { ...image, lastLedger: facts.sequence })
      }
      for (const { id, trades, volumeA, volumeB } of activity) {
        assert.isTrue(pools.has(id), "a pool was traded with and has no image")
        add(traded, id, { trades, volumeA, volumeB })
      }
    }
    return {
      assets: Object.fromEntries(assets),
      corridors: Object.fromEntries(corridors),
      corridorsExSelf: Object.fromEntries(corridorsExSelf),
      pools: Object.fromEntries([...pools].map(([id, image]) => [id, { ...image, ...traded.get(id) }])),
      paymentTotals,
      paymentRows: ledgers.flatMap(({ payments }) => payments).length,
      merges: ledgers.flatMap(({ accountMerges }) => accountMerges).length,
      feeBumps: ledgers.flatMap(({ feeBumps }) => feeBumps).length
    }
  }

  const expected = (replay: Record<string, Json>) => {
    const { assets, corridors, corridorsExSelf, feeBumps, merges, paymentRows, paymentTotals, pools } = replay
    // The oracle leaves out totals that are zero.
    const none = { failedOwn: 0, rolledBack: 0, self_failed: 0, self_ok: 0, success: 0 }
    const totals = { ...none, ...(paymentTotals as Counts) }
    return {
      assets,
      corridors,
      corridorsExSelf,
      feeBumps,
      merges,
      paymentRows,
      paymentTotals: totals,
      pools
    } as Json
  }

  it("agree with themselves: what fee events add up to is what was charged", () => {
    for (const { bytes } of Recorded.pubnet()) {
      const { events, facts, fees } = LedgerDetails.extract(bytes, networkIds.pubnet)
      assert.strictEqual(events.fee, facts.totalFeeCharged)
      assert.isTrue(
        fees!.min >= 100n && fees!.min <= fees!.p50 && fees!.p50 <= fees!.p95 && fees!.p95 <= fees!.max
      )
    }
  })

  it("come out of the ledgers of load tests and of stellar-core's own tests, under their passphrases", () => {
    const load = Network.id("Apply Load")
    for (const { bytes } of Recorded.load())
      assert.strictEqual(LedgerDetails.extract(bytes, load).facts.failedTx, 0)
    const core = Network.id("(V) (;,,;) (V)")
    for (const { bytes } of Recorded.core()) {
      const { allOperations, facts } = LedgerDetails.extract(bytes, core)
      assert.strictEqual(
        Object.values(allOperations).reduce((a, b) => a + b, 0),
        facts.txSetOpCount
      )
    }
  })
})
