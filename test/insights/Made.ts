/** Ledgers in every detail, made up: for tests of what becomes of facts once they are known. */
import type { PoolFacts, TrustlineFacts } from "../../src/stellar/facts/EntryChanges.js"
import type { LedgerDetails } from "../../src/stellar/facts/LedgerDetails.js"
import type {
  AccountMerge,
  CorridorCount,
  FailedOutcome,
  FailedPayment,
  Payment
} from "../../src/stellar/facts/Payment.js"
import type { FeeBump } from "../../src/stellar/facts/Transactions.js"
import type { LedgerFacts } from "../../src/stellar/LedgerFacts.js"

const noChanges = { created: 0, updated: 0, removed: 0 }

/** A ledger of which nothing but its {@link LedgerFacts} is known. */
export const bare = (facts: LedgerFacts): LedgerDetails => ({
  facts,
  payments: [],
  failures: [],
  corridors: [],
  feeBumps: [],
  accountMerges: [],
  trustlines: { raw: noChanges, net: noChanges, poolShareNet: noChanges, assets: [] },
  pools: { raw: noChanges, net: noChanges, images: [], removed: [], activity: [] },
  operations: {},
  allOperations: {},
  failedByCode: {},
  claimAtoms: { v0: 0, orderBook: 0, liquidityPool: 0 },
  events: { events: 0, fee: 0n, transfer: 0, mint: 0, burn: 0, clawback: 0 },
  fees: null,
  metaVersions: {}
})

const base32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"

/** An account's address, or what looks like one. */
export const account = (index: number): string => {
  let text = ""
  for (let left = index; text.length < 55; left = Math.floor(left / 32)) text = base32[left % 32]! + text
  return `G${text}`
}

/** An asset; the first is the network's own coin. */
export const asset = (index: number): string =>
  index === 0 ? "native" : `AST${index}:${account(900_000 + index)}`

/** A pool's id, or a hash. */
export const hash = (index: number, salt = "0"): string => `${salt}${index.toString(16)}`.padStart(64, "0")

/** What is in a made-up ledger. */
export interface Contents {
  /** Successful payments, one for each transaction; 40 by default. */
  readonly payments?: number
  /** Failed payments; half as many by default. */
  readonly failures?: number
  /** How many accounts, assets and pools there are; 50, 12 and 8 by default. */
  readonly accounts?: number
  readonly assets?: number
  readonly pools?: number
}

const outcomes: ReadonlyArray<FailedOutcome> = ["failedOwn", "rolledBack", "noOpResult"]

/**
 * A ledger with something of everything, all of it a function of its sequence: among others payments of the largest amount that there is, so that the volumes of
 * an hour are more than 64 bits hold.
 */
export const full = (facts: LedgerFacts, contents: Contents = {}): LedgerDetails => {
  const { accounts = 50, assets = 12, payments: count = 40, pools: poolCount = 8 } = contents
  const { failures: failed = count >> 1 } = contents
  const { sequence } = facts
  let state = sequence * 2_654_435_761
  const next = (below: number): number => {
    state = (Math.imul(state ^ (state >>> 15), 2_246_822_519) ^ (state << 7)) >>> 0
    return state % below
  }
  const toid = (transaction: number, operation = 1) =>
    (BigInt(sequence) << 32n) | (BigInt(transaction) << 12n) | BigInt(operation)
  const attempt = (transaction: number) => {
    const from = next(accounts)
    const to = next(5) === 0 ? from : next(accounts)
    const srcAsset = asset(next(assets))
    const isPath = next(2) === 0
    return {
      toid: toid(transaction),
      txHash: hash(transaction, sequence.toString(16)),
      kind: isPath ? ("pathPaymentStrictSend" as const) : ("payment" as const),
      from: account(from),
      to: account(to),
      fromMuxedId: next(9) === 0 ? 2n ** 64n - 1n : null,
      toMuxedId: null,
      srcAsset,
      dstAsset: isPath ? asset(next(assets)) : srcAsset,
      self: from === to
    }
  }
  const payments: Array<Payment> = []
  for (let index = 1; index <= count; index++) {
    const amount = next(7) === 0 ? 2n ** 63n - 1n : BigInt(next(1_000_000_000))
    payments.push({ ...attempt(index), srcAmount: amount, dstAmount: amount / 3n })
  }
  const merges: Array<AccountMerge> = []
  if (count > 0) {
    const at = toid(count + 1)
    const [from, to] = [account(next(accounts)), account(accounts)]
    const merge = { toid: at, txHash: hash(count + 1, sequence.toString(16)), amount: 77n }
    merges.push({ ...merge, account: from, into: to })
    payments.push({
      toid: at,
      txHash: merge.txHash,
      kind: "accountMerge",
      from,
      to,
      fromMuxedId: null,
      toMuxedId: null,
      srcAsset: "native",
      dstAsset: "native",
      self: false,
      srcAmount: 77n,
      dstAmount: 77n
    })
  }
  const failures: Array<FailedPayment> = []
  for (let index = 0; index < failed; index++) {
    failures.push({ ...attempt(count + 2 + index), outcome: outcomes[next(3)]! })
  }
  const feeBumps = payments.slice(0, 5).map((payment, index): FeeBump => ({
    toid: payment.toid - 1n,
    hash: payment.txHash,
    innerHash: hash(index, `1${sequence.toString(16)}`),
    feeSource: account(index),
    innerSource: payment.from,
    feeCharged: 200n,
    maxFee: 1000n,
    operations: 1,
    success: index % 2 === 0
  }))
  return {
    ...bare(facts),
    payments,
    failures,
    corridors: corridors(payments, failures),
    feeBumps,
    accountMerges: merges,
    trustlines: trustlines(assets, next),
    pools: pools(poolCount, assets, sequence, next),
    operations: { payment: payments.length },
    allOperations: { payment: payments.length + failed },
    fees: { min: 100n, p50: 100n, p95: 200n, max: 1000n }
  }
}

const corridors = (
  payments: ReadonlyArray<Payment>,
  failures: ReadonlyArray<FailedPayment>
): ReadonlyArray<CorridorCount> => {
  const all = new Map<string, { -readonly [K in keyof CorridorCount]: CorridorCount[K] }>()
  const of = ({ dstAsset, srcAsset }: { readonly srcAsset: string; readonly dstAsset: string }) => {
    const key = `${srcAsset}~${dstAsset}`
    const zero = { success: 0, failedOwn: 0, rolledBack: 0, noOpResult: 0, selfSuccess: 0, selfFailed: 0 }
    const nothing = { srcVolume: 0n, dstVolume: 0n, selfSrcVolume: 0n, selfDstVolume: 0n }
    const found = all.get(key) ?? { srcAsset, dstAsset, ...zero, ...nothing }
    all.set(key, found)
    return found
  }
  for (const payment of payments.filter(({ kind }) => kind !== "accountMerge")) {
    const corridor = of(payment)
    corridor[payment.self ? "selfSuccess" : "success"] += 1
    corridor[payment.self ? "selfSrcVolume" : "srcVolume"] += payment.srcAmount
    corridor[payment.self ? "selfDstVolume" : "dstVolume"] += payment.dstAmount
  }
  for (const failure of failures) of(failure)[failure.self ? "selfFailed" : failure.outcome] += 1
  return [...all.values()]
}

const trustlines = (assets: number, next: (below: number) => number): TrustlineFacts => ({
  raw: { created: 1, updated: assets, removed: 0 },
  net: { created: 1, updated: assets, removed: 0 },
  poolShareNet: noChanges,
  assets: Array.from({ length: assets - 1 }, (_, index) => ({
    asset: asset(index + 1),
    created: index === 0 ? 1 : 0,
    removed: 0,
    updated: 1,
    authorizedDelta: next(3) - 1,
    maintainLiabilitiesDelta: 0,
    balanceDelta: next(2) === 0 ? -(2n ** 63n) + 1n : BigInt(next(1_000_000)),
    unknownBefore: 0
  }))
})

const pools = (
  count: number,
  assets: number,
  sequence: number,
  next: (below: number) => number
): PoolFacts => {
  const ids = Array.from({ length: count }, (_, index) => hash(index, "f"))
  // One of them goes with every seventh ledger and comes again with the next.
  const gone = sequence % 7 === 0 ? ids.slice(0, 1) : []
  const images = ids.filter((id) => !gone.includes(id))
  return {
    raw: { created: 0, updated: count, removed: gone.length },
    net: { created: 0, updated: images.length, removed: gone.length },
    images: images.map((id, index) => ({
      id,
      assetA: asset(index % (assets - 1)),
      assetB: asset((index % (assets - 1)) + 1),
      feeBp: 30,
      reserveA: 2n ** 62n + BigInt(sequence),
      reserveB: BigInt(next(1_000_000)),
      shares: 1000n,
      trustlines: 3n,
      created: id === ids[0] && sequence % 7 === 1
    })),
    removed: gone,
    activity: images.slice(0, 3).map((id) => ({
      id,
      trades: 2,
      volumeA: 2n ** 63n - 1n,
      volumeB: BigInt(next(1000)),
      deposits: 1,
      withdrawals: 0
    }))
  }
}
