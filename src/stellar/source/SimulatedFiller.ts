/**
 * What happens on the simulated network beside its stories: acts that leave every balance as it was when their transaction is over, and acts that fail.
 *
 * They make up the rest of transactions with several operations, and whole transactions in which a story rests. So a start in the middle of the chain need
 * not know of any of them.
 */
import type { OperationResultTr } from "../xdr/generated/types.js"
import * as SimulatedAct from "./SimulatedAct.js"
import type { Act, Give } from "./SimulatedAct.js"
import type { SimulatedRandom } from "./SimulatedRandom.js"
import { lineOf, noLimit, type Account, type SimulatedState } from "./SimulatedState.js"
import * as SimulatedTrade from "./SimulatedTrade.js"
import * as SimulatedTrust from "./SimulatedTrust.js"
import { inUnits, type SimulatedAsset, type SimulatedWorld } from "./SimulatedWorld.js"

/** Where acts take place. */
export interface Stage {
  readonly world: SimulatedWorld
  readonly state: SimulatedState
  readonly give: Give
}

/** The moment of an act: what it takes from chance, and the ledger whose prices count. */
export interface Moment {
  readonly random: SimulatedRandom
  readonly sequence: number
}

/** Small amounts often, large ones seldom: 0.001 to 10,000 lumens' worth, in stroops. */
export const worth = (random: SimulatedRandom): bigint =>
  BigInt(1000 + random.below(9000)) * 10n ** BigInt(1 + random.below(7))

/** An asset that somebody would pay with: lumens as often as all others together. */
export const anAsset = ({ world }: Stage, random: SimulatedRandom): SimulatedAsset =>
  random.chance(50) ? world.assets[0]! : random.pick(world.assets)

const otherThan = (
  assets: ReadonlyArray<SimulatedAsset>,
  random: SimulatedRandom,
  ...taken: ReadonlyArray<SimulatedAsset>
): SimulatedAsset => {
  for (;;) {
    const asset = random.pick(assets)
    if (!taken.includes(asset)) return asset
  }
}

/** A way from one asset to another and back, straight or over a third one. */
export const roundWay = (
  { give, state, world }: Stage,
  { random, sequence }: Moment,
  first: SimulatedAsset
) => {
  const last = otherThan(world.assets, random, first)
  const stops = random.chance(35)
    ? [first, otherThan(world.assets, random, first, last), last]
    : [first, last]
  return SimulatedTrade.roundWay(give, state.makers, random, stops, worth(random), sequence)
}

/** One act that changes nobody's balance: a payment of an account to itself. */
const single = (stage: Stage, moment: Moment, a: Account): Act => {
  const { give, state, world } = stage
  const { random, sequence } = moment
  const asset = anAsset(stage, random)
  const lumens = worth(random)
  if (random.chance(30)) return SimulatedAct.payment(give, a, a, asset, inUnits(lumens, asset, sequence))
  const circle = [asset, otherThan(world.assets, random, asset), asset]
  const [there] = SimulatedTrade.roundWay(give, state.makers, random, circle, lumens, sequence)
  return SimulatedTrade.pathPayment(give, a, a, there, random.chance(60))
}

/** Two acts of which the second undoes the first. */
const pair = (stage: Stage, moment: Moment, a: Account, b: Account): readonly [Act, Act] => {
  const { give, state, world } = stage
  const { random, sequence } = moment
  const kind = random.below(100)
  if (kind < 40) {
    const asset = anAsset(stage, random)
    const amount = inUnits(worth(random), asset, sequence)
    return [SimulatedAct.payment(give, a, b, asset, amount), SimulatedAct.payment(give, b, a, asset, amount)]
  }
  if (kind < 75) {
    const [there, back] = roundWay(stage, moment, anAsset(stage, random))
    if (kind < 60 || there.stops.length > 2) {
      const strictSend = random.chance(60)
      return [
        SimulatedTrade.pathPayment(give, a, b, there, strictSend),
        SimulatedTrade.pathPayment(give, b, a, back, !strictSend)
      ]
    }
    return [SimulatedTrade.offer(give, a, there), SimulatedTrade.offer(give, a, back)]
  }
  if (kind < 88) {
    const line = lineOf(a, world.fad, world.fad)
    return [SimulatedTrust.change(line, noLimit), SimulatedTrust.change(line, 0n)]
  }
  const guarded = random.pick(world.assets.filter(({ authorization }) => authorization))
  const issuer = state.issuers[guarded.index]!
  const line = lineOf(b, guarded, world.fad)
  return [
    SimulatedTrust.authorize(issuer, line, random.chance(50) ? SimulatedTrust.maintaining : 0, false),
    SimulatedTrust.authorize(issuer, line, SimulatedTrust.authorized, random.chance(30))
  ]
}

/** `count` acts of `a`, some of `b`, that together change no balance. */
export const several = (
  stage: Stage,
  moment: Moment,
  a: Account,
  b: Account,
  count: number
): ReadonlyArray<Act> => {
  const acts: Array<Act> = []
  while (acts.length < count) {
    if (count - acts.length > 1 && moment.random.chance(70)) acts.push(...pair(stage, moment, a, b))
    else acts.push(single(stage, moment, a))
  }
  return acts
}

/** A payment that might have been, of `a` to `b`: what a refused transaction was about. */
export const attempt = (stage: Stage, moment: Moment, a: Account, b: Account): Act => {
  const { random, sequence } = moment
  const asset = anAsset(stage, random)
  if (random.chance(70))
    return SimulatedAct.payment(stage.give, a, b, asset, inUnits(worth(random), asset, sequence))
  const [there] = roundWay(stage, moment, asset)
  return SimulatedTrade.pathPayment(stage.give, a, random.chance(20) ? a : b, there, random.chance(50))
}

/** An act of `a` that fails, for a reason that is true. */
export const failing = (stage: Stage, moment: Moment, a: Account, b: Account): Act => {
  const { give, state, world } = stage
  const { random } = moment
  const kind = random.below(100)
  const lumens = world.assets[0]!
  if (kind < 45) {
    // The way is there; the price is not.
    const [there] = roundWay(stage, moment, anAsset(stage, random))
    const to = random.chance(30) ? a : b
    const strictSend = random.chance(60)
    const plan = SimulatedTrade.pathPayment(give, a, to, there, strictSend)
    const result: OperationResultTr = strictSend
      ? {
          type: "pathPaymentStrictSend",
          value: {
            type: random.pick([
              "pathPaymentStrictSendUnderDestmin",
              "pathPaymentStrictSendTooFewOffers"
            ] as const)
          }
        }
      : {
          type: "pathPaymentStrictReceive",
          value: {
            type: random.pick([
              "pathPaymentStrictReceiveOverSendmax",
              "pathPaymentStrictReceiveTooFewOffers"
            ] as const)
          }
        }
    return SimulatedAct.failure(a, to, plan.body, result, plan.moves)
  }
  if (kind < 80) {
    const [code, asset, to] = random.pick([
      ["paymentUnderfunded", anAsset(stage, random), b],
      ["paymentNoTrust", otherThan(world.assets, random, lumens), random.pick(state.hermits)],
      ["paymentSrcNoTrust", world.fad, b]
    ] as const)
    // More than anybody has: it can only be underfunded.
    const amount = code === "paymentUnderfunded" ? noLimit / 2n : inUnits(worth(random), asset, 0)
    return SimulatedAct.failure(
      a,
      to,
      SimulatedAct.payment(give, a, to, asset, amount).body,
      { type: "payment", value: { type: code } },
      { to: to.id, sent: asset, received: asset }
    )
  }
  if (kind < 88) {
    const value = { destination: b.id, startingBalance: 10_000_000n }
    return SimulatedAct.failure(
      a,
      undefined,
      () => ({ type: "createAccount", value }),
      { type: "createAccount", value: { type: "createAccountAlreadyExist" } },
      { to: b.id, sent: lumens, received: lumens }
    )
  }
  if (kind < 94) {
    return SimulatedAct.failure(
      a,
      b,
      (destination) => ({ type: "accountMerge", value: destination }),
      { type: "accountMerge", value: { type: "accountMergeHasSubEntries" } },
      { to: b.id, sent: lumens, received: lumens }
    )
  }
  const line = lineOf(a, otherThan(world.assets, random, lumens), world.fad)
  return SimulatedAct.failure(a, undefined, SimulatedTrust.change(line, 0n).body, {
    type: "changeTrust",
    value: { type: "changeTrustInvalidLimit" }
  })
}
