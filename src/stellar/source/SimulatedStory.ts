/**
 * When what is played on the simulated network, by whom, and what it costs.
 *
 * Every transaction of a ledger is a turn of a story. A place in the ledger belongs to a few stories that take turns, so that which story is on, how far
 * it has come, who pays and how much are closed forms of the sequence. A story comes back to where it began after a fixed number of turns. So the state at
 * any ledger is: what there was in the beginning, less the fees so far, and the turns of every story's present round.
 */
import * as Effect from "effect/Effect"
import type { Act } from "./SimulatedAct.js"
import type { Stage } from "./SimulatedFiller.js"
import * as SimulatedPool from "./SimulatedPool.js"
import * as SimulatedRandom from "./SimulatedRandom.js"
import * as SimulatedScript from "./SimulatedScript.js"
import type { Account, Counter, Pool } from "./SimulatedState.js"

// One of so many calls of a contract fails, always the same one.
const calls = 10
const trapped = 7

/** Whether the call of a contract at that turn fails. */
export const isTrapped = (turn: number): boolean => turn % calls === trapped

/** What a transaction costs and holds; the same every time its story has a turn. */
export interface Terms {
  readonly operations: number
  /** What it is charged in the end, in stroops. */
  readonly fee: bigint
  /** What it bids for each operation, in stroops; for a contract's, the inclusion fee. */
  readonly bid: number
  readonly feeBump: boolean
  /** Whether it calls a contract. */
  readonly contract: boolean
}

/** A story. */
export interface Story {
  readonly terms: Terms
  /** Who is the source at a turn. */
  readonly sourceAt: (turn: number) => Account
  /** Who pays for it at a turn. */
  readonly payerAt: (turn: number) => Account
  /** Whom the source has to do with where the story rests. */
  readonly friend: Account
  /** The contract of a story about one. */
  readonly counter: Counter | undefined
  /** The turn that it has in the ledger of that sequence, which is one of its own, counted from its beginning. */
  readonly turnOf: (sequence: number) => number
  /** Plays that turn, the one after the last that was played; undefined where it rests. */
  readonly play: (turn: number) => Act | undefined
}

/** All stories of a simulation. */
export interface Stories {
  /** The story that has place `index` in the ledger of that sequence. */
  readonly at: (index: number, sequence: number) => Story
  /** The fees of all ledgers up to and with that one, in stroops. */
  readonly feesUntil: (sequence: number) => bigint
  /** Brings the state to the end of the ledger before that one. */
  readonly begin: (sequence: number) => Effect.Effect<void>
}

/** What the schedule depends on. */
export interface Options {
  readonly seed: string
  readonly transactions: number
  /** Operations of every transaction without a contract; a mixture where undefined. */
  readonly operations: number | undefined
}

/** Kinds are dealt out among so many stories. */
const deal = 40

/** Where there would be more stories than that, they have fewer to share a place with. */
const crowd = 8000

/** Stories in each place of a ledger: enough that every kind occurs in small ones, few in large ones, so that memory is bounded. */
const perPlace = (transactions: number): number =>
  Math.max(Math.ceil(deal / transactions), Math.min(8, Math.ceil(crowd / transactions)))

const bids = [100, 100, 100, 150, 100, 500, 100, 2000]

const termsOf = (
  { operations }: Options,
  index: number,
  kind: ReturnType<typeof kindOf>,
  number: number
): Terms => {
  if (kind === "contract") {
    const fee = BigInt(3000 + 111 * (number % 13))
    return { operations: 1, fee, bid: 100, feeBump: false, contract: true }
  }
  const count = operations ?? (index % 9 === 4 ? 3 : index % 31 === 30 ? 12 : 1)
  const bid = bids[index % bids.length]!
  const feeBump = index % 20 === 7
  return {
    operations: count,
    bid,
    feeBump,
    contract: false,
    fee: BigInt(bid) * BigInt(count + (feeBump ? 1 : 0))
  }
}

// Every ledger gets some of each kind, and so do the stories of every place.
const kindOf = (index: number, phase: number): "ring" | "newcomer" | "market" | "contract" => {
  const kind = (index + 5 * phase + Math.floor(phase / 8)) % deal
  return kind === 25
    ? "contract"
    : kind === 5 || kind === 22
      ? "newcomer"
      : kind === 11 || kind === 31
        ? "market"
        : "ring"
}

const turnsOf = {
  ring: SimulatedScript.ringTurns,
  newcomer: SimulatedScript.newcomerTurns,
  market: SimulatedScript.marketTurns,
  contract: calls
} as const

/** Everybody plays as often as anybody else in a round, or the last ones less: how many of `count` turns from `first` on are of player `who` of `players`. */
const share = (count: number, first: number, players: number, who: number): number => {
  const before = (until: number) => Math.floor((until - who + players - 1) / players)
  return before(first + count) - before(first)
}

/** All pairs of the world's assets, in the order of pools. */
const pairs = ({ world }: Stage) =>
  world.assets.flatMap((one, i) => world.assets.slice(i + 1).map((other) => [one, other] as const))

/** Four different residents. */
const four = (stage: Stage, random: SimulatedRandom.SimulatedRandom): Array<Account> => {
  const cast = new Set<Account>()
  while (cast.size < 4) cast.add(random.pick(stage.state.residents))
  return [...cast]
}

/** The stories of a seed, on that stage, all at their beginning. */
export const make = (options: Options, stage: Stage): Stories => {
  const { seed, transactions } = options
  const rhythm = transactions === 0 ? 1 : perPlace(transactions)
  const markets = pairs(stage)
  const text = `stellar-insights simulation ${seed}: story`
  let pools = 0

  const story = (index: number, phase: number) => {
    const number = index * rhythm + phase
    const wish = kindOf(index, phase)
    const pair = wish === "market" ? markets[(pools * 17) % markets.length] : undefined
    // Two stories in one pool would get in each other's way.
    const kind = wish === "market" && pools >= markets.length ? "ring" : wish
    const random = SimulatedRandom.make(`${text} ${number}`)
    const [a, b, c, payer] = four(stage, random) as [Account, Account, Account, Account]
    const turns = turnsOf[kind]
    const offset = random.below(turns)
    let pool: Pool | undefined
    if (kind === "market") {
      pool = SimulatedPool.make(...pair!)
      pools += 1
    }
    const comesAndGoes = random.chance(50)
    if (pool !== undefined && !comesAndGoes) SimulatedScript.foundMarket(pool, a)
    const cast = kind === "ring" ? [a, b, c] : kind === "market" ? [a, b] : [a]
    const terms = termsOf(options, index, kind, number)
    let script: SimulatedScript.Script | undefined
    const round = (turn: number): SimulatedScript.Script => {
      const moment = {
        random: SimulatedRandom.make(`${text} ${number}, round ${Math.floor(turn / turns)}`),
        // The prices of a round are those of its first ledger.
        sequence: Math.max(0, (turn - (turn % turns) - offset) * rhythm + phase)
      }
      if (kind === "market") return SimulatedScript.market(stage, moment, cast, pool!, comesAndGoes)
      return kind === "newcomer"
        ? SimulatedScript.newcomer(stage, moment, cast)
        : SimulatedScript.ring(stage, moment, cast)
    }
    const play = (turn: number): Act | undefined => {
      if (kind === "contract") return undefined
      if (turn % turns === 0 || script === undefined) script = round(turn)
      const { value } = script.next()
      return value ?? undefined
    }
    const counter: Counter | undefined =
      kind === "contract"
        ? { type: "counter", contract: random.bytes(32), exists: true, modified: 0, count: 0 }
        : undefined
    return {
      terms,
      friend: b,
      counter,
      sourceAt: (turn: number) => cast[turn % cast.length]!,
      payerAt: (turn: number) => (terms.feeBump ? payer : cast[turn % cast.length]!),
      turnOf: (sequence: number) => Math.floor(sequence / rhythm) + offset,
      play,
      /** Applies what is over of the round under way, and takes off the fees of all that was. */
      begin: (sequence: number) => {
        // Turns before this ledger: those at `phase`, `phase + rhythm` and so on.
        const count = Math.max(0, Math.ceil((sequence - phase) / rhythm))
        const next = count + offset
        cast.forEach((player, who) => {
          const played = BigInt(share(count, offset, cast.length, who))
          player.seqNum += played
          if (!terms.feeBump) player.balance -= played * terms.fee
        })
        if (terms.feeBump) payer.balance -= BigInt(count) * terms.fee
        // Before the first ledger of all, a round that began in the middle has had its first turns too.
        for (let turn = next - (next % turns); turn < next; turn++) play(turn)?.apply(() => {})
        if (counter !== undefined) counter.count = next - Math.floor((next + calls - 1 - trapped) / calls)
      }
    }
  }

  const stories = Array.from({ length: transactions }, (_, index) =>
    Array.from({ length: rhythm }, (_, phase) => story(index, phase))
  )
  const fees = Array.from({ length: rhythm }, (_, phase) =>
    stories.reduce((sum, place) => sum + place[phase]!.terms.fee, 0n)
  )
  const perRhythm = fees.reduce((sum, fee) => sum + fee, 0n)
  return {
    at: (index, sequence) => stories[index]![sequence % rhythm]!,
    feesUntil: (sequence) => {
      const rest = fees.slice(0, (sequence + 1) % rhythm).reduce((sum, fee) => sum + fee, 0n)
      return BigInt(Math.floor((sequence + 1) / rhythm)) * perRhythm + rest
    },
    begin: Effect.fnUntraced(function* (sequence: number) {
      for (const place of stories) {
        for (const one of place) one.begin(sequence)
        yield* Effect.yieldNow()
      }
    })
  }
}
