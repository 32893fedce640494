/**
 * What facts of simulated ledgers must come to, counted from what the simulation says it did and never from what it encoded.
 *
 * `ledgers` gives each ledger with its expected facts. Names of accounts come from the SDK, so that nothing of the extraction is trusted here.
 */
import { StrKey } from "@stellar/stellar-sdk"
import * as Effect from "effect/Effect"
import type {
  ChangeCounts,
  PoolActivity,
  PoolFacts,
  TrustlineFacts
} from "../../src/stellar/facts/EntryChanges.js"
import type { LedgerDetails } from "../../src/stellar/facts/LedgerDetails.js"
import type { CorridorCount, FailedPayment, Payment } from "../../src/stellar/facts/Payment.js"
import * as SimulatedLedger from "../../src/stellar/source/SimulatedLedger.js"
import * as SimulatedSource from "../../src/stellar/source/SimulatedSource.js"
import type { Line, Pool } from "../../src/stellar/source/SimulatedState.js"
import type { ToldLedger, ToldOperation, ToldTransaction } from "../../src/stellar/source/SimulatedTold.js"
import type { Asset, ClaimAtom, MuxedAccount } from "../../src/stellar/xdr/generated/types.js"

/** Everything but the header's own fields. */
export interface Expected extends Omit<LedgerDetails, "facts"> {
  readonly facts: Pick<
    LedgerDetails["facts"],
    | "sequence"
    | "txCount"
    | "successTx"
    | "failedTx"
    | "opCount"
    | "txSetOpCount"
    | "totalFeeCharged"
    | "feeBumps"
    | "sorobanTx"
  >
}

/** A simulated ledger, and what is to be found in it. */
export interface Told {
  readonly sequence: number
  readonly bytes: Uint8Array
  /** Hash of the ledger, in hex. */
  readonly hash: string
  readonly expected: Expected
}

/** `count` ledgers from `start` on, as `SimulatedSource` gives them. */
export const ledgers = (
  options: Omit<SimulatedSource.Options, "interval">,
  start: number,
  count: number
): Effect.Effect<ReadonlyArray<Told>> =>
  Effect.gen(function* () {
    const simulation = SimulatedLedger.make({
      seed: options.seed ?? "1",
      networkPassphrase: options.networkPassphrase ?? SimulatedSource.passphrase,
      transactions: options.transactions ?? 100,
      operations: options.operations
    })
    const walk = simulation.walk()
    const made: Array<Told> = []
    let previous = simulation.originBefore(start)
    for (let sequence = start; sequence < start + count; sequence++) {
      const { bytes, hash, told } = yield* walk(sequence, previous)
      made.push({ sequence, bytes, hash: hex(hash), expected: expected(told) })
      previous = hash
    }
    return made
  })

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex")
const names = new WeakMap<Uint8Array, string>()

const nameOf = (key: Uint8Array): string => {
  const known = names.get(key)
  if (known !== undefined) return known
  const name = StrKey.encodeEd25519PublicKey(Buffer.from(key))
  names.set(key, name)
  return name
}

const accountOf = (account: MuxedAccount) =>
  nameOf(account.type === "keyTypeEd25519" ? account.value : account.value.ed25519)

const muxedId = (account: MuxedAccount) => (account.type === "keyTypeEd25519" ? null : account.value.id)

const assetName = (asset: Asset): string =>
  asset.type === "assetTypeNative"
    ? "native"
    : `${Buffer.from(asset.value.assetCode).toString("latin1").replaceAll("\0", "")}:${nameOf(asset.value.issuer.value)}`

/** What is expected of a ledger that was just told; its entries must not have changed since. */
export const expected = (told: ToldLedger): Expected => {
  const { transactions } = told
  const succeeded = transactions.filter(({ code }) => code === "txSuccess")
  const sum = (of: ReadonlyArray<ToldTransaction>) => of.reduce((all, tx) => all + tx.operations.length, 0)
  const calls = transactions.filter(({ contract }) => contract)
  const feeSum = transactions.reduce((all, tx) => all + tx.feeCharged, 0n)
  const claims = succeeded.flatMap((tx) => tx.operations.flatMap((operation) => operation.claims))
  const byType = (of: ReadonlyArray<ToldTransaction>) =>
    counted(of.flatMap((tx) => tx.operations.map(({ type }) => type)))
  return {
    facts: {
      sequence: told.sequence,
      txCount: transactions.length,
      successTx: succeeded.length,
      failedTx: transactions.length - succeeded.length,
      opCount: sum(succeeded),
      txSetOpCount: sum(transactions),
      totalFeeCharged: feeSum,
      feeBumps: transactions.filter(({ feeBump }) => feeBump !== undefined).length,
      sorobanTx: calls.length
    },
    ...payments(told),
    feeBumps: transactions.flatMap(({ code, feeBump, feeCharged, hash, operations }, i) =>
      feeBump === undefined
        ? []
        : [
            {
              toid: toid(told, i),
              hash: hex(hash),
              innerHash: hex(feeBump.innerHash),
              feeSource: accountOf(feeBump.payer),
              innerSource: accountOf(feeBump.source),
              feeCharged,
              maxFee: feeBump.maxFee,
              operations: operations.length,
              success: code === "txSuccess"
            }
          ]
    ),
    trustlines: trustlines(told),
    pools: { ...pools(told), activity: activity(succeeded) },
    operations: byType(succeeded),
    allOperations: byType(transactions),
    failedByCode: counted(transactions.map(({ code }) => code).filter((code) => code !== "txSuccess")),
    claimAtoms: {
      v0: 0,
      orderBook: claims.filter(({ type }) => type === "claimAtomTypeOrderBook").length,
      liquidityPool: claims.filter(({ type }) => type === "claimAtomTypeLiquidityPool").length
    },
    // Every transaction tells its fee, a contract's call what it gets back as well, and when it succeeds what it moved.
    events: {
      events: transactions.length + calls.length + calls.filter(({ code }) => code === "txSuccess").length,
      fee: feeSum,
      transfer: calls.filter(({ code }) => code === "txSuccess").length,
      mint: 0,
      burn: 0,
      clawback: 0
    },
    fees: fees(transactions),
    metaVersions: transactions.length === 0 ? {} : { v4: transactions.length }
  }
}

const counted = (names: ReadonlyArray<string>): Record<string, number> => {
  const counts: Record<string, number> = {}
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1
  return counts
}

const toid = ({ sequence }: ToldLedger, transaction: number, operation = -1): bigint =>
  BigInt(sequence) * 2n ** 32n + BigInt(transaction + 1) * 2n ** 12n + BigInt(operation + 1)

const fees = (transactions: ReadonlyArray<ToldTransaction>): LedgerDetails["fees"] => {
  const bids = transactions
    .filter(({ contract }) => !contract)
    .map(
      ({ feeBump, feeCharged, operations }) =>
        feeCharged / BigInt(operations.length + (feeBump === undefined ? 0 : 1))
    )
    .sort((one, other) => Number(one - other))
  if (bids.length === 0) return null
  const at = (share: number) => bids[Math.max(0, Math.ceil(bids.length * share) - 1)]!
  return { min: at(0), p50: at(0.5), p95: at(0.95), max: at(1) }
}

type Counters = { -readonly [K in keyof CorridorCount]: CorridorCount[K] }

const empty = (srcAsset: string, dstAsset: string): Counters => ({
  srcAsset,
  dstAsset,
  success: 0,
  failedOwn: 0,
  rolledBack: 0,
  noOpResult: 0,
  selfSuccess: 0,
  selfFailed: 0,
  srcVolume: 0n,
  dstVolume: 0n,
  selfSrcVolume: 0n,
  selfDstVolume: 0n
})

const whyNot = ({ outcome }: ToldOperation): FailedPayment["outcome"] =>
  outcome === "untried" ? "noOpResult" : outcome === "failed" ? "failedOwn" : "rolledBack"

const payments = (
  told: ToldLedger
): Pick<Expected, "payments" | "failures" | "corridors" | "accountMerges"> => {
  const done: Array<Payment> = []
  const failures: Array<FailedPayment> = []
  const corridors = new Map<string, Counters>()
  told.transactions.forEach((transaction, i) => {
    const success = transaction.code === "txSuccess"
    transaction.operations.forEach((operation, j) => {
      const { from, payment, type } = operation
      if (payment === undefined) return
      const attempt = {
        toid: toid(told, i, j),
        txHash: hex(transaction.hash),
        kind: type as Payment["kind"],
        from: accountOf(from),
        to: accountOf(payment.to),
        fromMuxedId: muxedId(from),
        toMuxedId: muxedId(payment.to),
        srcAsset: assetName(payment.sent),
        dstAsset: assetName(payment.received),
        self: accountOf(from) === accountOf(payment.to)
      }
      const { receivedAmount, sentAmount } = payment
      if (success) done.push({ ...attempt, srcAmount: sentAmount, dstAmount: receivedAmount })
      if (type === "createAccount" || type === "accountMerge") return
      const outcome = whyNot(operation)
      if (!success) failures.push({ ...attempt, kind: type as FailedPayment["kind"], outcome })
      const key = `${attempt.srcAsset}>${attempt.dstAsset}`
      const corridor = corridors.get(key) ?? empty(attempt.srcAsset, attempt.dstAsset)
      corridors.set(key, corridor)
      if (attempt.self) {
        if (!success) corridor.selfFailed += 1
        else {
          corridor.selfSuccess += 1
          corridor.selfSrcVolume += sentAmount
          corridor.selfDstVolume += receivedAmount
        }
      } else if (success) {
        corridor.success += 1
        corridor.srcVolume += sentAmount
        corridor.dstVolume += receivedAmount
      } else corridor[outcome] += 1
    })
  })
  return {
    payments: done,
    failures,
    corridors: [...corridors.values()],
    accountMerges: done.flatMap(({ from, kind, srcAmount, to, toid, txHash }) =>
      kind === "accountMerge" ? [{ toid, txHash, account: from, into: to, amount: srcAmount }] : []
    )
  }
}

const isShare = (line: Line) => "reserveA" in line.of

type Tally = { -readonly [K in keyof ChangeCounts]: ChangeCounts[K] }

const net = (fates: ReadonlyArray<{ readonly was: boolean; readonly is: boolean }>): ChangeCounts => {
  const tally: Tally = { created: 0, updated: 0, removed: 0 }
  for (const { is, was } of fates) {
    if (was && is) tally.updated += 1
    else if (is) tally.created += 1
    else if (was) tally.removed += 1
  }
  return tally
}

const trustlines = ({ records, touched }: ToldLedger): TrustlineFacts => {
  // What came and went within the ledger counts nothing.
  const lines = [...touched].flatMap(([entry, before]) =>
    entry.type === "line" && (entry.exists || before.exists) ? [{ entry, before }] : []
  )
  const fates = (of: typeof lines) =>
    of.map(({ before, entry }) => ({ was: before.exists, is: entry.exists }))
  const byAsset = new Map<string, typeof lines>()
  for (const line of lines) {
    if (isShare(line.entry)) continue
    const name = assetName((line.entry.of as Exclude<Line["of"], Pool>).asset)
    byAsset.set(name, [...(byAsset.get(name) ?? []), line])
  }
  const flag = (bit: number, of: typeof lines) =>
    of.reduce(
      (all, { before, entry }) =>
        all +
        (entry.exists && (entry.flags & bit) > 0 ? 1 : 0) -
        (before.exists && (before.flags & bit) > 0 ? 1 : 0),
      0
    )
  return {
    raw: { ...records.line },
    net: net(fates(lines.filter(({ entry }) => !isShare(entry)))),
    poolShareNet: net(fates(lines.filter(({ entry }) => isShare(entry)))),
    assets: [...byAsset].map(([asset, of]) => ({
      asset,
      ...net(fates(of)),
      authorizedDelta: flag(1, of),
      maintainLiabilitiesDelta: flag(2, of),
      balanceDelta: of.reduce(
        (all, { before, entry }) =>
          all + (entry.exists ? entry.balance : 0n) - (before.exists ? before.balance : 0n),
        0n
      ),
      unknownBefore: 0
    }))
  }
}

const pools = ({ records, touched }: ToldLedger): Omit<PoolFacts, "activity"> => {
  const all = [...touched].flatMap(([entry, before]) => (entry.type === "pool" ? [{ entry, before }] : []))
  return {
    raw: { ...records.pool },
    net: net(all.map(({ before, entry }) => ({ was: before.exists, is: entry.exists }))),
    images: all.flatMap(({ before, entry }) =>
      entry.exists
        ? [
            {
              id: hex(entry.id),
              assetA: assetName(entry.assetA.asset),
              assetB: assetName(entry.assetB.asset),
              feeBp: 30,
              reserveA: entry.reserveA,
              reserveB: entry.reserveB,
              shares: entry.shares,
              trustlines: entry.lines,
              created: !before.exists
            }
          ]
        : []
    ),
    removed: all.flatMap(({ before, entry }) => (before.exists && !entry.exists ? [hex(entry.id)] : []))
  }
}

type Active = { -readonly [K in keyof PoolActivity]: PoolActivity[K] }

const activity = (succeeded: ReadonlyArray<ToldTransaction>): ReadonlyArray<PoolActivity> => {
  const all = new Map<string, Active>()
  const of = (id: Uint8Array): Active => {
    const key = hex(id)
    const known = all.get(key) ?? {
      id: key,
      trades: 0,
      volumeA: 0n,
      volumeB: 0n,
      deposits: 0,
      withdrawals: 0
    }
    all.set(key, known)
    return known
  }
  const traded = (atom: ClaimAtom) => {
    if (atom.type !== "claimAtomTypeLiquidityPool") return
    const { amountBought, amountSold, assetBought, assetSold, liquidityPoolId } = atom.value
    const pool = of(liquidityPoolId)
    // Lumens come first, then short codes, then long ones, each by code and issuer.
    const rank = (asset: Asset) =>
      asset.type === "assetTypeNative"
        ? ""
        : `${asset.type === "assetTypeCreditAlphanum4" ? 1 : 2}${hex(asset.value.assetCode)}${hex(asset.value.issuer.value)}`
    const boughtIsA = rank(assetBought) < rank(assetSold)
    pool.trades += 1
    pool.volumeA += boughtIsA ? amountBought : amountSold
    pool.volumeB += boughtIsA ? amountSold : amountBought
  }
  for (const { operations } of succeeded) {
    for (const { claims, pool, type } of operations) {
      claims.forEach(traded)
      if (pool !== undefined) of(pool)[type === "liquidityPoolDeposit" ? "deposits" : "withdrawals"] += 1
    }
  }
  return [...all.values()]
}
