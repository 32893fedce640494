/** Liquidity pools of the simulated network: the constant product, in whole stroops and never in the trader's favour. */
import { encode } from "../xdr/XdrWriter.js"
import { writeLiquidityPoolParameters } from "../xdr/generated/encode.js"
import { inner, type Act, type Give } from "./SimulatedAct.js"
import * as SimulatedEntry from "./SimulatedEntry.js"
import { sha256 } from "./SimulatedRandom.js"
import { shareLineOf, type Account, type Pool } from "./SimulatedState.js"
import type { SimulatedAsset } from "./SimulatedWorld.js"

const whole = 10_000n
const kept = whole - BigInt(SimulatedEntry.poolFee)

/** The pool of two assets, which are in the network's order; nobody has a share in it yet. */
export const make = (assetA: SimulatedAsset, assetB: SimulatedAsset): Pool => ({
  type: "pool",
  id: sha256(
    encode(writeLiquidityPoolParameters, {
      type: "liquidityPoolConstantProduct",
      value: SimulatedEntry.parameters({ assetA, assetB })
    })
  ),
  assetA,
  assetB,
  shareLines: new Map(),
  exists: false,
  modified: 0,
  reserveA: 0n,
  reserveB: 0n,
  shares: 0n,
  lines: 0n
})

const up = (amount: bigint, by: bigint): bigint => (amount + by - 1n) / by

/** What comes out for `amount` put in, given what the pool has of either; 0 when that is nothing. */
export const outFor = (reserveIn: bigint, reserveOut: bigint, amount: bigint): bigint =>
  (reserveOut * amount * kept) / (reserveIn * whole + amount * kept)

/** What must be put in for `amount` out; `amount` is less than what the pool has. */
export const inFor = (reserveIn: bigint, reserveOut: bigint, amount: bigint): bigint =>
  up(reserveIn * amount * whole, (reserveOut - amount) * kept)

/** The largest number whose square is not above `value`, which is not negative. */
export const root = (value: bigint): bigint => {
  if (value < 2n) return value
  let x = 1n << BigInt(up(BigInt(value.toString(2).length), 2n))
  for (;;) {
    const next = (x + value / x) / 2n
    if (next >= x) return x
    x = next
  }
}

const widest = 2_147_483_647

/** A deposit of at most that much; undefined when it would come to nothing. */
export const deposit = (
  give: Give,
  from: Account,
  pool: Pool,
  maxAmountA: bigint,
  maxAmountB: bigint
): Act | undefined => {
  const { reserveA, reserveB, shares: all } = pool
  const smaller = (one: bigint, other: bigint) => (one < other ? one : other)
  const shares =
    all === 0n
      ? root(maxAmountA * maxAmountB)
      : smaller((all * maxAmountA) / reserveA, (all * maxAmountB) / reserveB)
  const amountA = all === 0n ? maxAmountA : up(shares * reserveA, all)
  const amountB = all === 0n ? maxAmountB : up(shares * reserveB, all)
  if (shares === 0n) return undefined
  return {
    source: from,
    body: () => ({
      type: "liquidityPoolDeposit",
      value: {
        liquidityPoolId: pool.id,
        maxAmountA,
        maxAmountB,
        minPrice: { n: 1, d: widest },
        maxPrice: { n: widest, d: 1 }
      }
    }),
    result: () => inner({ type: "liquidityPoolDeposit", value: { type: "liquidityPoolDepositSuccess" } }),
    fails: false,
    apply: (touch) => {
      const line = shareLineOf(from, pool)
      give(touch, from, pool.assetA, -amountA)
      give(touch, from, pool.assetB, -amountB)
      touch(line)
      touch(pool)
      line.balance += shares
      pool.reserveA += amountA
      pool.reserveB += amountB
      pool.shares += shares
    },
    pool
  }
}

/** A withdrawal of that many shares; undefined when it would come to nothing. */
export const withdraw = (give: Give, to: Account, pool: Pool, shares: bigint): Act | undefined => {
  if (shares === 0n) return undefined
  const amountA = (shares * pool.reserveA) / pool.shares
  const amountB = (shares * pool.reserveB) / pool.shares
  return {
    source: to,
    body: () => ({
      type: "liquidityPoolWithdraw",
      value: { liquidityPoolId: pool.id, amount: shares, minAmountA: amountA, minAmountB: amountB }
    }),
    result: () => inner({ type: "liquidityPoolWithdraw", value: { type: "liquidityPoolWithdrawSuccess" } }),
    fails: false,
    apply: (touch) => {
      const line = shareLineOf(to, pool)
      give(touch, to, pool.assetA, amountA)
      give(touch, to, pool.assetB, amountB)
      touch(line)
      touch(pool)
      line.balance -= shares
      pool.reserveA -= amountA
      pool.reserveB -= amountB
      pool.shares -= shares
    },
    pool
  }
}
