/**
 * Making the ledgers of the simulated network: real `LedgerCloseMeta` XDR in the shape of protocol 25, with every hash true and every change of state in it.
 *
 * All of it is a function of the options and the sequence, except the hash of the ledger before, which it takes and passes on: a chain cannot be entered in
 * the middle without it. Fee pool and close time are closed forms of the sequence, and the state at any ledger is found in a bounded number of steps.
 */
import * as Effect from "effect/Effect"
import * as Network from "../Network.js"
import { encodeLedgerHeader, encodeTransactionResultSet } from "../xdr/generated/encode.js"
import type { LedgerHeader } from "../xdr/generated/types.js"
import { giver } from "./SimulatedAct.js"
import * as SimulatedContract from "./SimulatedContract.js"
import * as SimulatedEnvelope from "./SimulatedEnvelope.js"
import * as SimulatedRandom from "./SimulatedRandom.js"
import { sha256 } from "./SimulatedRandom.js"
import * as SimulatedState from "./SimulatedState.js"
import * as SimulatedStory from "./SimulatedStory.js"
import type { ToldLedger } from "./SimulatedTold.js"
import * as SimulatedTransaction from "./SimulatedTransaction.js"
import * as SimulatedWorld from "./SimulatedWorld.js"

/** What makes one simulated network different from another. */
export interface Options {
  /** Any text; the same one gives the same network. */
  readonly seed: string
  /** The network that transactions are hashed for. */
  readonly networkPassphrase: string
  /** Transactions in every ledger, 0 and more. */
  readonly transactions: number
  /** Operations in every transaction that calls no contract, 1 to 100. Default: 1 in most, 3 or 12 in some. */
  readonly operations?: number | undefined
}

/** A ledger that was made. */
export interface SimulatedLedger {
  /** SHA-256 of its header: the next ledger's previous hash. */
  readonly hash: Uint8Array
  /** XDR of its `LedgerCloseMeta`. */
  readonly bytes: Uint8Array
  /** What happened in it. */
  readonly told: ToldLedger
}

/** Makes ledgers one after the other; a sequence that is not the next one costs as much as beginning there. Never fails; may be interrupted at any time. */
export type Walk = (sequence: number, previousHash: Uint8Array) => Effect.Effect<SimulatedLedger>

/** The first sequence of a simulation; as in real lakes, ledger 1 is never seen. */
export const firstSequence = 2

/** Unix seconds at which ledger 0 would have closed: 2026-01-01T00:00:00Z. */
export const epoch = 1_767_225_600n

/** Seconds between the close times of two ledgers, whatever their pace is: what they hold may not depend on it. */
export const closeInterval = 5n

const protocol = 25
const totalCoins = 500_018_068_120_000_000n
const initialFeePool = 100_000_000_000n
const none = new Uint8Array(32)
const extension = { type: "v0" } as const

// What makes 10,000 transactions takes some hundred milliseconds, and 100 of them ten: others get their turn in between, sockets too.
const betweenTurns = 40

/** Ends in the next turn of the event loop, which a fiber that merely yields need not leave. */
const turn: Effect.Effect<void> = Effect.async((resume) => {
  const immediate = setImmediate(() => resume(Effect.void))
  return Effect.sync(() => clearImmediate(immediate))
})

/** The simulated network of those options. */
export const make = (options: Options) => {
  const { networkPassphrase, seed, transactions } = options
  const world = SimulatedWorld.make(seed)
  const networkId = Network.id(networkPassphrase)
  const lumens = SimulatedContract.lumensContract(networkId)

  /** The state at the end of the ledger before `sequence`, with those who will change it. */
  const enter = Effect.fnUntraced(function* (sequence: number) {
    const stage = { world, state: SimulatedState.make(world), give: giver(world.fad) }
    const stories = SimulatedStory.make({ seed, transactions, operations: options.operations }, stage)
    yield* stories.begin(sequence)
    return { stage, stories }
  })
  type Position = Effect.Effect.Success<ReturnType<typeof enter>>

  const close = Effect.fnUntraced(function* (
    { stage, stories }: Position,
    sequence: number,
    previousHash: Uint8Array
  ) {
    const random = SimulatedRandom.make(`stellar-insights simulation ${seed}: ledger ${sequence}`)
    const closeTime = epoch + closeInterval * BigInt(sequence)
    const journal = SimulatedState.journal(sequence)
    const setting = { stage, random, sequence, journal, networkId, lumens, closeTime }
    // Sets are sorted by hash, and applied in another order: contracts last.
    const places = shuffled(
      Array.from({ length: transactions }, (_, index) => stories.at(index, sequence)),
      random
    )
    const order = [
      ...places.filter(({ terms }) => !terms.contract),
      ...places.filter(({ terms }) => terms.contract)
    ]
    const charged = order.map((story) => SimulatedTransaction.charge(setting, story))
    const applied: Array<SimulatedTransaction.SimulatedTransaction> = []
    for (const one of charged) {
      applied.push(SimulatedTransaction.apply(setting, one))
      if (applied.length % betweenTurns === 0) yield* turn
    }
    const made = applied.map((one, i) => SimulatedTransaction.refund(setting, charged[i]!, one))
    const told: ToldLedger = {
      sequence,
      transactions: made.map((one) => one.told),
      touched: journal.before,
      records: journal.records
    }
    const envelopes = (contract: boolean) =>
      made.filter((one) => one.told.contract === contract).map(({ envelope }) => envelope)
    const txSet = SimulatedEnvelope.set(previousHash, envelopes(false), envelopes(true))
    const results = made.map(({ processing }) => processing.result)
    const header: LedgerHeader = {
      ledgerVersion: protocol,
      previousLedgerHash: previousHash,
      scpValue: {
        txSetHash: sha256(txSet),
        closeTime,
        upgrades: [],
        ext: { type: "stellarValueSigned", value: { nodeId: world.validator, signature: random.bytes(64) } }
      },
      txSetResultHash: sha256(encodeTransactionResultSet({ results })),
      // There are no buckets to take the hash of: anything that looks like one.
      bucketListHash: random.bytes(32),
      ledgerSeq: sequence,
      totalCoins,
      feePool: initialFeePool + stories.feesUntil(sequence),
      inflationSeq: 0,
      idPool: 1_000_000_000n + BigInt(sequence),
      baseFee: 100,
      baseReserve: 5_000_000,
      maxTxSetSize: Math.max(1000, transactions * (options.operations ?? 1)),
      skipList: [none, none, none, none],
      ext: extension
    }
    const hash = sha256(encodeLedgerHeader(header))
    yield* transactions < betweenTurns ? Effect.yieldNow() : turn
    const bytes = SimulatedEnvelope.ledger(
      { hash, header, ext: extension },
      txSet,
      made.map(({ processing }) => processing)
    )
    return { hash, bytes, told } satisfies SimulatedLedger as SimulatedLedger
  })

  return {
    /** One who makes ledgers, with a state of its own. */
    walk: (): Walk => {
      let at: { readonly next: number; readonly position: Position } | undefined
      return Effect.fnUntraced(function* (sequence, previousHash) {
        const position = at?.next === sequence ? at.position : yield* enter(sequence)
        // Until the ledger is whole its state is nowhere: whoever is interrupted begins anew.
        at = undefined
        const ledger = yield* close(position, sequence, previousHash)
        at = { next: sequence + 1, position }
        return ledger
      })
    },
    /** The previous hash of a chain that begins at `sequence`, for when there is none to go on from: made up, always the same. */
    originBefore: (sequence: number): Uint8Array =>
      sha256(`stellar-insights simulation ${seed}: before ${sequence}`)
  }
}

const shuffled = <A>(items: ReadonlyArray<A>, random: SimulatedRandom.SimulatedRandom): Array<A> => {
  const order = Array.from(items)
  for (let i = order.length - 1; i > 0; i--) {
    const j = random.below(i + 1)
    const kept = order[i]!
    order[i] = order[j]!
    order[j] = kept
  }
  return order
}
