/** One operation of the simulated network: a payment or a path payment, with what came of it. */
import type {
  Asset,
  ClaimAtom,
  MuxedAccount,
  Operation,
  OperationResult,
  OperationResultTr,
  SimplePaymentResult
} from "../xdr/generated/types.js"
import type { SimulatedRandom } from "./SimulatedRandom.js"
import { sha256 } from "./SimulatedRandom.js"
import { publicKey, type SimulatedAsset, type SimulatedWorld } from "./SimulatedWorld.js"

/** An operation and its result. */
export interface SimulatedOperation {
  readonly operation: Operation
  readonly result: OperationResult
}

/** Where an operation happens. */
export interface Setting {
  readonly world: SimulatedWorld
  readonly random: SimulatedRandom
  /** The ledger's sequence: prices depend on it. */
  readonly sequence: number
}

/** An account as the source or destination of something. */
export const account = (value: Uint8Array): MuxedAccount => ({ type: "keyTypeEd25519", value })

const inner = (value: OperationResultTr): OperationResult => ({ type: "opInner", value })

// Small amounts often, large ones seldom: 0.001 to 10,000 lumens' worth in tenths of a millionth.
const worth = (random: SimulatedRandom): bigint =>
  BigInt(1000 + random.below(9000)) * 10n ** BigInt(1 + random.below(7))

const inUnits = (lumens: bigint, { price }: SimulatedAsset, sequence: number): bigint => {
  const units = (lumens * 1_000_000n) / price(sequence)
  return units > 0n ? units : 1n
}

/** A random operation that succeeds, or fails in one of the ways that its kind has. */
export const make = (setting: Setting, succeeds: boolean): SimulatedOperation => {
  const kind = setting.random.below(100)
  if (kind < 65) return payment(setting, succeeds)
  return pathPayment(setting, succeeds, kind < 82)
}

const payment = ({ random, sequence, world }: Setting, succeeds: boolean): SimulatedOperation => {
  const paid = random.chance(55) ? world.assets[0]! : random.pick(world.assets)
  const destination = account(random.pick(world.accounts))
  const amount = inUnits(worth(random), paid, sequence)
  const failure = random.pick(["paymentUnderfunded", "paymentNoTrust", "paymentNoDestination"] as const)
  return {
    operation: {
      sourceAccount: null,
      body: { type: "payment", value: { destination, asset: paid.asset, amount } }
    },
    result: inner({ type: "payment", value: { type: succeeds ? "paymentSuccess" : failure } })
  }
}

const pathPayment = (setting: Setting, succeeds: boolean, strictSend: boolean): SimulatedOperation => {
  const { random, sequence, world } = setting
  const sent = random.pick(world.assets)
  const others = world.assets.filter((other) => other !== sent)
  const received = random.pick(others)
  const middle = random.chance(40) ? others.filter((other) => other !== received).slice(0, 1) : []
  const hops = [sent, ...middle, received]
  const lumens = worth(random)
  const amounts = hops.map((hop) => inUnits(lumens, hop, sequence))
  const offers = hops.slice(1).map((sold, i) => claim(setting, sold, amounts[i + 1]!, hops[i]!, amounts[i]!))
  const key = random.pick(world.accounts)
  const destination = account(key)
  const path: ReadonlyArray<Asset> = middle.map((hop) => hop.asset)
  const last: SimplePaymentResult = {
    destination: publicKey(key),
    asset: received.asset,
    amount: amounts.at(-1)!
  }
  const sendAmount = amounts[0]!
  const destAmount = last.amount
  // A failed one asked for a better price than there was.
  if (strictSend) {
    const destMin = succeeds ? destAmount - destAmount / 100n : destAmount + destAmount / 50n + 1n
    const failure = {
      type: random.pick(["pathPaymentStrictSendUnderDestmin", "pathPaymentStrictSendTooFewOffers"] as const)
    }
    return {
      operation: {
        sourceAccount: null,
        body: {
          type: "pathPaymentStrictSend",
          value: { sendAsset: sent.asset, sendAmount, destination, destAsset: received.asset, destMin, path }
        }
      },
      result: inner({
        type: "pathPaymentStrictSend",
        value: succeeds ? { type: "pathPaymentStrictSendSuccess", value: { offers, last } } : failure
      })
    }
  }
  const sendMax = succeeds ? sendAmount + sendAmount / 100n : sendAmount - sendAmount / 50n
  const failure = {
    type: random.pick([
      "pathPaymentStrictReceiveOverSendmax",
      "pathPaymentStrictReceiveTooFewOffers"
    ] as const)
  }
  return {
    operation: {
      sourceAccount: null,
      body: {
        type: "pathPaymentStrictReceive",
        value: { sendAsset: sent.asset, sendMax, destination, destAsset: received.asset, destAmount, path }
      }
    },
    result: inner({
      type: "pathPaymentStrictReceive",
      value: succeeds ? { type: "pathPaymentStrictReceiveSuccess", value: { offers, last } } : failure
    })
  }
}

const claim = (
  { random, world }: Setting,
  sold: SimulatedAsset,
  amountSold: bigint,
  bought: SimulatedAsset,
  amountBought: bigint
): ClaimAtom => {
  const traded = { assetSold: sold.asset, amountSold, assetBought: bought.asset, amountBought }
  if (random.chance(50)) {
    const sides = [world.assets.indexOf(sold), world.assets.indexOf(bought)].sort((one, other) => one - other)
    const liquidityPoolId = sha256(Buffer.concat([world.validator.value, Buffer.from(sides)]))
    return { type: "claimAtomTypeLiquidityPool", value: { liquidityPoolId, ...traded } }
  }
  return {
    type: "claimAtomTypeOrderBook",
    value: {
      sellerId: publicKey(random.pick(world.accounts)),
      offerId: BigInt(1 + random.below(1_000_000_000)),
      ...traded
    }
  }
}
