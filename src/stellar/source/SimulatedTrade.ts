/** Exchanges on the simulated network: path payments through order books or a pool, and offers that are taken at once. */
import type { ClaimAtom, SimplePaymentResult } from "../xdr/generated/types.js"
import { inner, type Act, type Give } from "./SimulatedAct.js"
import * as SimulatedPool from "./SimulatedPool.js"
import type { SimulatedRandom } from "./SimulatedRandom.js"
import type { Account, Pool, Touch } from "./SimulatedState.js"
import { inUnits, type SimulatedAsset } from "./SimulatedWorld.js"

/** One exchange on the way, with somebody's offer or with a pool. */
interface Leg {
  readonly claim: ClaimAtom
  /** What it does to the other side. */
  readonly apply: (touch: Touch) => void
}

/** A way from one asset to another, with the amount at each stop. */
export interface Route {
  readonly stops: ReadonlyArray<{ readonly asset: SimulatedAsset; readonly amount: bigint }>
  readonly legs: ReadonlyArray<Leg>
}

/** A stretch of a way through the order books, which can be gone in both directions. */
interface Hop {
  readonly sellers: ReadonlyArray<{
    readonly maker: Account
    readonly offer: bigint
    readonly bought: bigint
    readonly sold: bigint
  }>
  readonly from: SimulatedAsset
  readonly to: SimulatedAsset
}

const orderBook = (give: Give, { from, sellers, to }: Hop): ReadonlyArray<Leg> =>
  sellers.map(({ bought, maker, offer, sold }) => ({
    claim: {
      type: "claimAtomTypeOrderBook",
      value: {
        sellerId: maker.id,
        offerId: offer,
        assetSold: to.asset,
        amountSold: sold,
        assetBought: from.asset,
        amountBought: bought
      }
    },
    apply: (touch) => {
      give(touch, maker, from, bought)
      give(touch, maker, to, -sold)
    }
  }))

/**
 * A way through the order books for about `lumens` stroops' worth, there and back: each way undoes what the other does, also to those whose offers are
 * taken. `assets` are its stops.
 */
export const roundWay = (
  give: Give,
  makers: ReadonlyArray<Account>,
  random: SimulatedRandom,
  assets: ReadonlyArray<SimulatedAsset>,
  lumens: bigint,
  sequence: number
): readonly [there: Route, back: Route] => {
  const first = assets[0]
  const stops = assets.map((asset, i) => ({
    asset,
    // Where the way ends where it began, nothing is gained.
    amount: inUnits(lumens, i > 0 && asset === first ? first : asset, sequence)
  }))
  // A circle must end with the one whom it began with, or somebody would be left with the difference.
  const circle = assets.length > 2 && assets.at(-1) === first
  const only = random.pick(makers)
  const hops = stops.slice(1).map((to, i): Hop => {
    const from = stops[i]!
    const split = !circle && from.amount > 1n && to.amount > 1n && random.chance(15)
    const parts = split
      ? [
          { bought: from.amount / 2n, sold: to.amount / 2n },
          { bought: from.amount - from.amount / 2n, sold: to.amount - to.amount / 2n }
        ]
      : [{ bought: from.amount, sold: to.amount }]
    const sellers = parts.map((part) => ({
      maker: circle ? only : random.pick(makers),
      offer: BigInt(1 + random.below(1_000_000_000)),
      ...part
    }))
    return { sellers, from: from.asset, to: to.asset }
  })
  const reversed = hops.toReversed().map(({ from, sellers, to }): Hop => ({
    from: to,
    to: from,
    sellers: sellers
      .toReversed()
      .map(({ bought, maker, offer, sold }) => ({ maker, offer: offer + 1n, bought: sold, sold: bought }))
  }))
  return [
    { stops, legs: hops.flatMap((hop) => orderBook(give, hop)) },
    { stops: stops.toReversed(), legs: reversed.flatMap((hop) => orderBook(give, hop)) }
  ]
}

/** An exchange with a pool: `amount` of A for B, or of B for A; undefined when nothing would come out. */
export const throughPool = (pool: Pool, aForB: boolean, amount: bigint): Route | undefined => {
  const [reserveIn, reserveOut] = aForB ? [pool.reserveA, pool.reserveB] : [pool.reserveB, pool.reserveA]
  const [from, to] = aForB ? [pool.assetA, pool.assetB] : [pool.assetB, pool.assetA]
  const out = SimulatedPool.outFor(reserveIn, reserveOut, amount)
  if (out === 0n) return undefined
  // What comes out may have cost less than was offered.
  const paid = SimulatedPool.inFor(reserveIn, reserveOut, out)
  return {
    stops: [
      { asset: from, amount: paid },
      { asset: to, amount: out }
    ],
    legs: [
      {
        claim: {
          type: "claimAtomTypeLiquidityPool",
          value: {
            liquidityPoolId: pool.id,
            assetSold: to.asset,
            amountSold: out,
            assetBought: from.asset,
            amountBought: paid
          }
        },
        apply: (touch) => {
          touch(pool)
          pool.reserveA += aForB ? paid : -out
          pool.reserveB += aForB ? -out : paid
        }
      }
    ]
  }
}

const ends = ({ stops }: Route) => ({ sent: stops[0]!, received: stops.at(-1)! })

const applied =
  (give: Give, { legs, stops }: Route, from: Account, to: Account) =>
  (touch: Touch) => {
    const { received, sent } = ends({ legs, stops })
    give(touch, from, sent.asset, -sent.amount)
    for (const leg of legs) leg.apply(touch)
    give(touch, to, received.asset, received.amount)
  }

/** A path payment: of exactly what is sent, or of exactly what is received. */
export const pathPayment = (
  give: Give,
  from: Account,
  to: Account,
  route: Route,
  strictSend: boolean
): Act => {
  const { received, sent } = ends(route)
  const path = route.stops.slice(1, -1).map(({ asset }) => asset.asset)
  const claims = route.legs.map(({ claim }) => claim)
  const shared = { sendAsset: sent.asset.asset, destAsset: received.asset.asset, path }
  const last: SimplePaymentResult = {
    destination: to.id,
    asset: received.asset.asset,
    amount: received.amount
  }
  return {
    source: from,
    to,
    body: (destination) =>
      strictSend
        ? {
            type: "pathPaymentStrictSend",
            value: {
              ...shared,
              destination,
              sendAmount: sent.amount,
              destMin: received.amount - received.amount / 100n
            }
          }
        : {
            type: "pathPaymentStrictReceive",
            value: {
              ...shared,
              destination,
              destAmount: received.amount,
              sendMax: sent.amount + sent.amount / 100n
            }
          },
    result: () =>
      strictSend
        ? inner({
            type: "pathPaymentStrictSend",
            value: { type: "pathPaymentStrictSendSuccess", value: { offers: claims, last } }
          })
        : inner({
            type: "pathPaymentStrictReceive",
            value: { type: "pathPaymentStrictReceiveSuccess", value: { offers: claims, last } }
          }),
    fails: false,
    apply: applied(give, route, from, to),
    moves: {
      to: to.id,
      sent: sent.asset,
      sentAmount: sent.amount,
      received: received.asset,
      receivedAmount: received.amount
    },
    claims
  }
}

/** An offer that is taken as soon as it is made, so that it never stands in the books. */
export const offer = (give: Give, from: Account, route: Route): Act => {
  const { received, sent } = ends(route)
  const claims = route.legs.map(({ claim }) => claim)
  const price =
    received.amount >= sent.amount
      ? { n: Number(received.amount / sent.amount), d: 1 }
      : { n: 1, d: Number(sent.amount / received.amount) + 1 }
  return {
    source: from,
    body: () => ({
      type: "manageSellOffer",
      value: {
        selling: sent.asset.asset,
        buying: received.asset.asset,
        amount: sent.amount,
        price: { n: Math.min(price.n, 2_147_483_647), d: Math.min(price.d, 2_147_483_647) },
        offerId: 0n
      }
    }),
    result: () =>
      inner({
        type: "manageSellOffer",
        value: {
          type: "manageSellOfferSuccess",
          value: { offersClaimed: claims, offer: { type: "manageOfferDeleted" } }
        }
      }),
    fails: false,
    apply: applied(give, route, from, from),
    claims
  }
}
