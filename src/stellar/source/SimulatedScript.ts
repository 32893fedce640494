/**
 * What the stories of the simulated network are about.
 *
 * A script gives one act a turn, or nothing where the story rests. When it is over every balance, trustline and pool is as it was before, so that a
 * story can be entered at any of its rounds without knowing those before. Chance comes from a source of the round's own.
 */
import * as SimulatedAct from "./SimulatedAct.js"
import type { Act } from "./SimulatedAct.js"
import type { Moment, Stage } from "./SimulatedFiller.js"
import * as SimulatedFiller from "./SimulatedFiller.js"
import * as SimulatedPool from "./SimulatedPool.js"
import { account, lineOf, noLimit, shareLineOf, type Account, type Pool } from "./SimulatedState.js"
import * as SimulatedTrade from "./SimulatedTrade.js"
import * as SimulatedTrust from "./SimulatedTrust.js"
import { inUnits } from "./SimulatedWorld.js"

/** One act a turn; undefined where the story rests. */
export type Script = Generator<Act | undefined, void, void>

/** Who plays: every turn is the next one's, in this order, again and again. */
export type Cast = ReadonlyArray<Account>

/** Turns of {@link ring}. */
export const ringTurns = 3

/** Something goes round among three accounts and is exchanged on the way. */
export function* ring(stage: Stage, moment: Moment, cast: Cast): Script {
  const [a, b, c] = cast as [Account, Account, Account]
  const { give } = stage
  const { random, sequence } = moment
  if (!random.chance(72)) {
    for (let turn = 0; turn < ringTurns; turn++) yield
    return
  }
  const asset = SimulatedFiller.anAsset(stage, random)
  if (random.chance(40)) {
    const amount = inUnits(SimulatedFiller.worth(random), asset, sequence)
    yield SimulatedAct.payment(give, a, b, asset, amount)
    yield SimulatedAct.payment(give, b, c, asset, amount)
    yield SimulatedAct.payment(give, c, a, asset, amount)
    return
  }
  const [there, back] = SimulatedFiller.roundWay(stage, moment, asset)
  yield SimulatedAct.payment(give, a, b, asset, there.stops[0]!.amount)
  yield SimulatedTrade.pathPayment(give, b, c, there, random.chance(60))
  yield SimulatedTrade.pathPayment(give, c, a, back, random.chance(60))
}

/** Turns of {@link newcomer}. */
export const newcomerTurns = 16

/** The life of an account: it is made, holds an asset, receives and pays, is locked and unlocked, and ends in the one who made it. */
export function* newcomer(stage: Stage, moment: Moment, cast: Cast): Script {
  const { give, state, world } = stage
  const { random, sequence } = moment
  const sponsor = cast[0]!
  const friend = random.pick(state.residents.filter((resident) => resident !== sponsor))
  const self = account(random.bytes(32))
  const asset = random.pick(world.assets.slice(1))
  const issuer = state.issuers[asset.index]!
  const line = lineOf(self, asset, world.fad)
  // The issuer's payments make more of the asset, and less when they come back.
  const patron = random.chance(50) ? issuer : sponsor
  const amount = inUnits(SimulatedFiller.worth(random), asset, sequence)
  const part = amount / 2n + 1n > amount ? amount : amount / 2n + 1n
  const lumens = world.assets[0]!
  const steps: ReadonlyArray<() => Act> = [
    () => SimulatedAct.createAccount(lumens, sponsor, self, BigInt(5 + random.below(50)) * 10_000_000n),
    () => SimulatedTrust.change(line, noLimit),
    () =>
      asset.authorization
        ? SimulatedTrust.authorize(issuer, line, SimulatedTrust.authorized, random.chance(30))
        : SimulatedTrust.change(line, amount * 4n),
    () => SimulatedAct.payment(give, patron, self, asset, amount),
    () => SimulatedAct.payment(give, self, friend, asset, part),
    () => SimulatedTrust.authorize(issuer, line, SimulatedTrust.maintaining, false),
    () => SimulatedTrust.authorize(issuer, line, SimulatedTrust.authorized, false),
    () => SimulatedAct.payment(give, friend, self, asset, part),
    () => SimulatedTrust.change(line, amount * 2n),
    () => SimulatedAct.payment(give, self, patron, asset, amount),
    () => SimulatedTrust.change(line, 0n),
    () => SimulatedAct.merge(lumens, self, sponsor)
  ]
  const rests = new Set<number>()
  while (rests.size < newcomerTurns - steps.length) rests.add(random.below(newcomerTurns))
  let at = 0
  for (let turn = 0; turn < newcomerTurns; turn++) {
    if (rests.has(turn)) yield
    else yield steps[at++]!()
  }
}

/** Turns of {@link market}. */
export const marketTurns = 50

/**
 * A pool is filled, traded with, and emptied, after which the two who did so settle what one has gained from the other. `comesAndGoes` says whether the first
 * one's share, and with it the pool, stays when it is empty.
 */
export function* market(stage: Stage, moment: Moment, cast: Cast, pool: Pool, comesAndGoes: boolean): Script {
  const { give } = stage
  const { random, sequence } = moment
  const [provider, trader] = cast as [Account, Account]
  const { assetA, assetB } = pool
  const depth = BigInt(100_000 + random.below(900_000)) * 1_000_000n
  const gain = { a: 0n, b: 0n }
  /** Keeps count of what the trader gains. */
  const counted = (act: Act | undefined): Act | undefined =>
    act && {
      ...act,
      apply: (touch) => {
        const line = (asset: typeof assetA) =>
          asset.issuer === undefined ? trader : lineOf(trader, asset, stage.world.fad)
        const before = { a: line(assetA).balance, b: line(assetB).balance }
        act.apply(touch)
        gain.a += line(assetA).balance - before.a
        gain.b += line(assetB).balance - before.b
      }
    }
  const trade = (from: Account): Act | undefined => {
    const aForB = random.chance(50)
    const reserve = aForB ? pool.reserveA : pool.reserveB
    const amount = (reserve * BigInt(1 + random.below(120))) / 10_000n
    const route = amount === 0n ? undefined : SimulatedTrade.throughPool(pool, aForB, amount)
    const to = random.chance(40) ? from : from === trader ? provider : trader
    return route && counted(SimulatedTrade.pathPayment(give, from, to, route, random.chance(60)))
  }
  const fill = (from: Account, lumens: bigint) =>
    counted(
      SimulatedPool.deposit(
        give,
        from,
        pool,
        inUnits(lumens, assetA, sequence),
        inUnits(lumens, assetB, sequence)
      )
    )
  const empty = (to: Account, percent: bigint) =>
    counted(SimulatedPool.withdraw(give, to, pool, (shareLineOf(to, pool).balance * percent) / 100n))
  const settle = (asset: typeof assetA, amount: bigint) =>
    amount === 0n
      ? undefined
      : amount > 0n
        ? SimulatedAct.payment(give, trader, provider, asset, amount)
        : SimulatedAct.payment(give, provider, trader, asset, -amount)
  const share = (of: Account, limit: bigint) => SimulatedTrust.change(shareLineOf(of, pool), limit)

  // The pool that stays is there from the first round on, though nothing is in it.
  if (comesAndGoes) yield share(provider, noLimit)
  else yield
  yield
  yield fill(provider, depth)
  yield share(trader, noLimit)
  yield trade(provider)
  yield fill(trader, depth / 8n)
  for (let turn = 6; turn < 41; turn++) {
    const who = turn % 2 === 0 ? provider : trader
    const kind = random.below(100)
    if (kind < 15) yield
    else if (kind < 25) yield fill(who, depth / 10n)
    else if (kind < 35) yield empty(who, BigInt(5 + random.below(20)))
    else yield trade(who)
  }
  yield empty(trader, 100n)
  yield empty(provider, 100n)
  yield share(trader, 0n)
  yield settle(assetA, gain.a)
  yield
  yield settle(assetB, gain.b)
  yield
  if (comesAndGoes) yield share(provider, 0n)
  else yield
  yield
}

/** Readies a pool that stays: its first share is there before the first ledger. */
export const foundMarket = (pool: Pool, provider: Account): void => {
  const line = shareLineOf(provider, pool)
  SimulatedTrust.change(line, noLimit).apply(() => {})
}
