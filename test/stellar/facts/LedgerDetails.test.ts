import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { StrKey } from "@stellar/stellar-sdk"
import * as LedgerDetails from "../../../src/stellar/facts/LedgerDetails.js"
import * as LedgerFacts from "../../../src/stellar/LedgerFacts.js"
import * as Network from "../../../src/stellar/Network.js"
import type * as T from "../../../src/stellar/xdr/generated/types.js"
import * as SelfMadeLedger from "../xdr/SelfMadeLedger.js"
import * as Making from "./Making.js"
import { asset, muxed, native, operation, payment, plain, pooled, transaction } from "./Making.js"

const networkId = Network.id(Network.passphrases.pubnet)
const extract = (options: SelfMadeLedger.Options) =>
  LedgerDetails.extract(SelfMadeLedger.bytes(options), networkId)
const of = (...raw: ReadonlyArray<SelfMadeLedger.Raw>) => extract({ raw })

const rejection = (options: SelfMadeLedger.Options): LedgerFacts.LedgerRejected => {
  try {
    extract(options)
  } catch (error) {
    if (error instanceof LedgerFacts.LedgerRejected) return error
    throw error
  }
  return assert.fail("the ledger was accepted")
}

const G = (byte: number): string => StrKey.encodeEd25519PublicKey(Buffer.from(Making.key(byte)) as never)
const usd = asset("USD", 9)
const euro = asset("EUROTOKEN", 9)
const USD = `USD:${G(9)}`
const EURO = `EUROTOKEN:${G(9)}`

const toid = (tx: number, op: number): bigint => (77n << 32n) | BigInt((tx << 12) | op)

describe("payments", () => {
  it("have who, whom, what and how much, and are numbered in the order of application", () => {
    const two = [payment(plain(2), usd, 5n), payment(plain(3), native, 6n, "paymentSuccess", plain(4))]
    const raw = transaction(two)
    const txHash = Buffer.from(SelfMadeLedger.hashOf(raw.envelope, Network.passphrases.pubnet)).toString(
      "hex"
    )
    const common = { txHash, kind: "payment", fromMuxedId: null, toMuxedId: null, self: false } as const
    assert.deepStrictEqual(of(transaction([]), raw).payments, [
      {
        ...common,
        toid: toid(2, 1),
        from: G(1),
        to: G(2),
        srcAsset: USD,
        dstAsset: USD,
        srcAmount: 5n,
        dstAmount: 5n
      },
      {
        ...common,
        toid: toid(2, 2),
        from: G(4),
        to: G(3),
        srcAsset: "native",
        dstAsset: "native",
        srcAmount: 6n,
        dstAmount: 6n
      }
    ])
  })

  it("of muxed accounts are those of the account inside, with its id", () => {
    const max = (1n << 64n) - 1n
    const done = [
      payment(muxed(2, max), native, 1n),
      payment(plain(2), native, 2n, "paymentSuccess", muxed(4, 0n)),
      payment(muxed(1, 8n), native, 3n)
    ]
    const { corridors, payments } = of(transaction(done, { source: muxed(1, 7n) }))
    assert.deepStrictEqual(
      payments.map(({ from, fromMuxedId, self, to, toMuxedId }) => [from, fromMuxedId, to, toMuxedId, self]),
      [
        [G(1), 7n, G(2), max, false],
        [G(4), 0n, G(2), null, false],
        [G(1), 7n, G(1), 8n, true]
      ]
    )
    assert.deepInclude(corridors[0], { success: 2, selfSuccess: 1, srcVolume: 3n, selfSrcVolume: 3n })
  })

  it("along a path to a fixed amount took what the first exchanges took", () => {
    const direct = Making.strictReceive(usd, [usd, 40n], plain(2), [])
    const hops = Making.strictReceive(usd, [native, 40n], plain(2), [
      pooled(5, [euro, 11n], [usd, 21n]),
      Making.offered([euro, 1n], [usd, 2n]),
      pooled(6, [native, 40n], [euro, 12n])
    ])
    const { claimAtoms, payments } = of(transaction([direct, hops]))
    assert.deepStrictEqual(
      payments.map(({ dstAmount, dstAsset, kind, srcAmount, srcAsset }) => [
        kind,
        srcAsset,
        srcAmount,
        dstAsset,
        dstAmount
      ]),
      [
        ["pathPaymentStrictReceive", USD, 40n, USD, 40n],
        ["pathPaymentStrictReceive", USD, 23n, "native", 40n]
      ]
    )
    assert.deepStrictEqual(claimAtoms, { v0: 0, orderBook: 1, liquidityPool: 2 })
  })

  it("along a path from a fixed amount brought what the result says", () => {
    const done = Making.strictSend([usd, 30n], [euro, 9n], muxed(2, 1n), [pooled(5, [euro, 9n], [usd, 30n])])
    const { corridors, payments } = of(transaction([done]))
    assert.deepInclude(payments[0], {
      kind: "pathPaymentStrictSend",
      srcAsset: USD,
      srcAmount: 30n,
      dstAsset: EURO,
      dstAmount: 9n,
      toMuxedId: 1n
    })
    assert.deepInclude(corridors[0], {
      srcAsset: USD,
      dstAsset: EURO,
      success: 1,
      srcVolume: 30n,
      dstVolume: 9n
    })
  })

  it("include new accounts and merged ones, which are in no corridor", () => {
    const create: Making.Done = [
      operation({ type: "createAccount", value: { destination: Making.publicKey(2), startingBalance: 50n } }),
      Making.inner({ type: "createAccount", value: { type: "createAccountSuccess" } })
    ]
    const merge: Making.Done = [
      operation({ type: "accountMerge", value: muxed(3, 4n) }, plain(2)),
      Making.inner({ type: "accountMerge", value: { type: "accountMergeSuccess", value: 49n } })
    ]
    const { accountMerges, corridors, payments } = of(
      transaction([create, merge]),
      transaction([create], { result: "txBadSeq" })
    )
    assert.deepStrictEqual(
      payments.map(({ dstAmount, from, kind, srcAmount, to, toMuxedId }) => [
        kind,
        from,
        to,
        toMuxedId,
        srcAmount,
        dstAmount
      ]),
      [
        ["createAccount", G(1), G(2), null, 50n, 50n],
        ["accountMerge", G(2), G(3), 4n, 49n, 49n]
      ]
    )
    assert.deepStrictEqual(
      accountMerges.map(({ txHash: _hash, ...merge }) => merge),
      [{ toid: toid(1, 2), account: G(2), into: G(3), amount: 49n }]
    )
    assert.deepStrictEqual(corridors, [])
  })
})

describe("failures", () => {
  const fine = payment(plain(2), usd, 1n)
  const short = payment(plain(3), usd, 1n, "paymentUnderfunded")
  const own = payment(plain(1), usd, 1n)

  it("tell what failed by itself from what was undone and what was never tried", () => {
    const { corridors, failures, payments } = of(
      transaction([fine, short, own], { result: "txFailed" }),
      transaction([fine, own], { result: "txBadSeq" }),
      transaction([fine])
    )
    assert.deepStrictEqual(
      failures.map(({ outcome, self, to, toid }) => [toid, to, outcome, self]),
      [
        [toid(1, 1), G(2), "rolledBack", false],
        [toid(1, 2), G(3), "failedOwn", false],
        [toid(1, 3), G(1), "rolledBack", true],
        [toid(2, 1), G(2), "noOpResult", false],
        [toid(2, 2), G(1), "noOpResult", true]
      ]
    )
    assert.strictEqual(payments.length, 1)
    assert.deepStrictEqual(corridors, [
      {
        srcAsset: USD,
        dstAsset: USD,
        success: 1,
        failedOwn: 1,
        rolledBack: 1,
        noOpResult: 1,
        selfSuccess: 0,
        selfFailed: 2,
        srcVolume: 1n,
        dstVolume: 1n,
        selfSrcVolume: 0n,
        selfDstVolume: 0n
      }
    ])
  })

  it("include operations that had no account to act for, and are counted by the transaction's code", () => {
    const absent: Making.Done = [fine[0], { type: "opNoAccount" }]
    const details = of(
      transaction([absent, fine], { result: "txFailed" }),
      transaction([fine], { result: "txInternalError", feeBump: { source: plain(8), fee: 400n } })
    )
    assert.deepStrictEqual(
      details.failures.map(({ outcome }) => outcome),
      ["failedOwn", "rolledBack", "noOpResult"]
    )
    assert.deepStrictEqual(details.failedByCode, { txFailed: 1, txInternalError: 1 })
    assert.deepStrictEqual([details.operations, details.allOperations], [{}, { payment: 3 }])
  })
})

describe("fee bumps", () => {
  it("have who paid, for whom, and how much", () => {
    const feeBump = { source: muxed(8, 3n), fee: 400n }
    const good = transaction([payment(plain(2), usd, 1n)], {
      feeBump,
      feeCharged: 200n,
      source: muxed(1, 2n)
    })
    const bad = transaction([payment(plain(2), usd, 1n, "paymentNoTrust")], {
      feeBump,
      feeCharged: 399n,
      result: "txFailed"
    })
    const refused: SelfMadeLedger.Raw = {
      ...transaction([payment(plain(2), usd, 1n)], { feeBump }),
      result: { feeCharged: 100n, result: { type: "txInsufficientBalance" }, ext: { type: "v0" } }
    }
    const { facts, failures, feeBumps, fees, payments } = of(good, bad, refused)
    const hash = (envelope: T.TransactionEnvelope) =>
      Buffer.from(SelfMadeLedger.hashOf(envelope, Network.passphrases.pubnet)).toString("hex")
    const inside = (raw: SelfMadeLedger.Raw) =>
      raw.envelope.type === "envelopeTypeTxFeeBump" ? hash(raw.envelope.value.tx.innerTx) : ""
    const common = { feeSource: G(8), innerSource: G(1), maxFee: 400n, operations: 1 }
    assert.deepStrictEqual(feeBumps, [
      {
        ...common,
        toid: toid(1, 0),
        hash: hash(good.envelope),
        innerHash: inside(good),
        feeCharged: 200n,
        success: true
      },
      {
        ...common,
        toid: toid(2, 0),
        hash: hash(bad.envelope),
        innerHash: inside(bad),
        feeCharged: 399n,
        success: false
      }
    ])
    assert.strictEqual(facts.feeBumps, feeBumps.length)
    assert.strictEqual(payments[0]!.txHash, hash(good.envelope))
    assert.deepStrictEqual(
      failures.map(({ outcome }) => outcome),
      ["failedOwn", "noOpResult"]
    )
    assert.deepStrictEqual(fees, { min: 50n, p50: 100n, p95: 200n, max: 200n })
  })
})

describe("fees", () => {
  it("are spread over operations, contracts apart", () => {
    const pay = payment(plain(2), usd, 1n)
    const many = Array.from({ length: 20 }, (_, i) =>
      transaction([pay, pay], { feeCharged: BigInt(2 * (i + 1) - 1) })
    )
    assert.deepStrictEqual(of(...many).fees, { min: 1n, p50: 10n, p95: 19n, max: 20n })
    const contracts = extract({ transactions: [{ operations: 1, outcome: "success", soroban: true }] })
    assert.isNull(contracts.fees)
    assert.isNull(extract({ transactions: [] }).fees)
  })
})

describe("exchanges", () => {
  const sell: T.Operation = operation({
    type: "manageSellOffer",
    value: { selling: usd, buying: native, amount: 5n, price: { n: 1, d: 1 }, offerId: 0n }
  })
  const claimed = (offersClaimed: ReadonlyArray<T.ClaimAtom>): T.ManageSellOfferResult => ({
    type: "manageSellOfferSuccess",
    value: { offersClaimed, offer: { type: "manageOfferDeleted" } }
  })

  it("with pools are counted for each pool, whichever of its assets was sold", () => {
    const done: Making.Done = [
      sell,
      Making.inner({
        type: "manageSellOffer",
        value: claimed([
          pooled(5, [native, 3n], [usd, 4n]),
          pooled(5, [usd, 10n], [native, 20n]),
          pooled(6, [euro, 1n], [usd, 2n]),
          Making.offered([native, 1n], [usd, 1n])
        ])
      })
    ]
    const { claimAtoms, pools } = of(
      transaction([done]),
      transaction([done, payment(plain(2), usd, 1n, "paymentNoTrust")], { result: "txFailed" })
    )
    const none = { deposits: 0, withdrawals: 0 }
    const id = (byte: number) => Buffer.from(Making.key(byte)).toString("hex")
    assert.deepStrictEqual(pools.activity, [
      { ...none, id: id(5), trades: 2, volumeA: 23n, volumeB: 14n },
      { ...none, id: id(6), trades: 1, volumeA: 2n, volumeB: 1n }
    ])
    assert.deepStrictEqual(claimAtoms, { v0: 0, orderBook: 1, liquidityPool: 3 })
  })

  it("of passive offers are found under the name of active ones, where stellar-core once put them", () => {
    const passive = operation({
      type: "createPassiveSellOffer",
      value: { selling: usd, buying: native, amount: 5n, price: { n: 1, d: 1 } }
    })
    const atoms: ReadonlyArray<T.ClaimAtom> = [
      {
        type: "claimAtomTypeV0",
        value: {
          sellerEd25519: Making.key(3),
          offerId: 1n,
          assetSold: native,
          amountSold: 1n,
          assetBought: usd,
          amountBought: 1n
        }
      }
    ]
    for (const type of ["manageSellOffer", "createPassiveSellOffer"] as const) {
      const details = of(
        transaction([[passive, Making.inner({ type, value: claimed(atoms) })]], { old: true })
      )
      assert.deepStrictEqual(details.claimAtoms, { v0: 1, orderBook: 0, liquidityPool: 0 })
      assert.deepStrictEqual(details.operations, { createPassiveSellOffer: 1 })
    }
  })

  it("are not deposits and withdrawals, which are counted for themselves", () => {
    const price = { n: 1, d: 1 }
    const deposit: Making.Done = [
      operation({
        type: "liquidityPoolDeposit",
        value: {
          liquidityPoolId: Making.key(5),
          maxAmountA: 1n,
          maxAmountB: 1n,
          minPrice: price,
          maxPrice: price
        }
      }),
      Making.inner({ type: "liquidityPoolDeposit", value: { type: "liquidityPoolDepositSuccess" } })
    ]
    const withdraw: Making.Done = [
      operation({
        type: "liquidityPoolWithdraw",
        value: { liquidityPoolId: Making.key(5), amount: 1n, minAmountA: 1n, minAmountB: 1n }
      }),
      Making.inner({ type: "liquidityPoolWithdraw", value: { type: "liquidityPoolWithdrawSuccess" } })
    ]
    const { pools } = of(
      transaction([deposit, deposit, withdraw]),
      transaction([deposit], { result: "txBadAuth" })
    )
    assert.deepInclude(pools.activity[0], { trades: 0, deposits: 2, withdrawals: 1 })
    assert.strictEqual(pools.activity.length, 1)
  })
})

describe("a ledger is rejected", () => {
  const pay = payment(plain(2), usd, 1n)

  it("when its transactions were hashed for another network", () => {
    const error = rejection({ raw: [transaction([pay])], networkPassphrase: Network.passphrases.testnet })
    assert.deepInclude(error, { reason: "tx_hash", sequence: 77 })
    assert.match(
      error.message,
      /^ledger 77 has a result for transaction [0-9a-f]{64}, which is not in its set under this network's passphrase$/
    )
  })

  it("when a transaction has two results and another one none", () => {
    const [one, other] = [transaction([pay]), transaction([pay])]
    const twice = SelfMadeLedger.make({ raw: [one, one] }).value
    const bytes = {
      raw: [one, other],
      header: (header: T.LedgerHeader) => ({
        ...header,
        txSetResultHash: twice.ledgerHeader.header.txSetResultHash
      }),
      tamper: (ledger: T.LedgerCloseMeta) =>
        ({ ...ledger, value: { ...ledger.value, txProcessing: twice.txProcessing } }) as T.LedgerCloseMeta
    }
    assert.strictEqual(rejection(bytes).reason, "tx_hash")
  })

  it("when results are not those of the operations", () => {
    const raw = transaction([pay])
    const bump = transaction([pay], { feeBump: { source: plain(8), fee: 1n } })
    const create = Making.inner({ type: "createAccount", value: { type: "createAccountSuccess" } })
    const wrong: ReadonlyArray<SelfMadeLedger.Raw> = [
      { ...raw, result: transaction([pay, pay]).result },
      { ...raw, result: transaction([[pay[0], create]]).result },
      { ...raw, result: transaction([[pay[0], { type: "opBadAuth" }]]).result },
      { ...raw, result: bump.result },
      { ...bump, result: raw.result },
      {
        ...bump,
        result: {
          ...bump.result,
          result: { ...bump.result.result, type: "txFeeBumpInnerFailed" } as T.TransactionResultResult
        }
      }
    ]
    assert.deepStrictEqual(
      wrong.map((one) => rejection({ raw: [one] }).reason),
      wrong.map(() => "operations")
    )
  })
})

describe("fromBytes", () => {
  it.effect("succeeds with what extract gives, and fails with LedgerRejected", () =>
    Effect.gen(function* () {
      const bytes = SelfMadeLedger.bytes()
      const details = yield* LedgerDetails.fromBytes(bytes, networkId)
      assert.deepStrictEqual(details, LedgerDetails.extract(bytes, networkId))
      assert.deepStrictEqual(details.facts, LedgerFacts.extract(bytes))
      const error = yield* Effect.flip(LedgerDetails.fromBytes(bytes, Network.id("another")))
      assert.deepInclude(error, { _tag: "LedgerRejected", reason: "tx_hash" })
    })
  )
})
