/**
 * Making one ledger of the simulated network: real `LedgerCloseMeta` XDR in the shape of protocol 25, with every hash true.
 *
 * All of it is a function of the seed, the network, the number of transactions and the sequence, except the hash of the ledger before, which it takes
 * and passes on: a chain cannot be entered in the middle without it. Fee pool and close time are closed forms of the sequence.
 */
import * as Effect from "effect/Effect"
import * as Network from "../Network.js"
import {
  encodeGeneralizedTransactionSet,
  encodeLedgerCloseMeta,
  encodeLedgerHeader,
  encodeTransactionResultSet
} from "../xdr/generated/encode.js"
import type { GeneralizedTransactionSet, LedgerHeader } from "../xdr/generated/types.js"
import * as SimulatedRandom from "./SimulatedRandom.js"
import { sha256 } from "./SimulatedRandom.js"
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
}

/** A ledger that was made. */
export interface SimulatedLedger {
  /** SHA-256 of its header: the next ledger's previous hash. */
  readonly hash: Uint8Array
  /** XDR of its `LedgerCloseMeta`. */
  readonly bytes: Uint8Array
}

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

// What makes 10,000 transactions takes some hundred milliseconds: others get their turn in between.
const betweenTurns = 100

/** A maker of ledgers: given a sequence and the hash of the ledger before, the ledger. It never fails; interrupting it leaves nothing behind. */
export const make = (options: Options) => {
  const { networkPassphrase, seed, transactions } = options
  const world = SimulatedWorld.make(seed)
  const networkId = Network.id(networkPassphrase)
  let feesPerLedger = 0n
  for (let i = 0; i < transactions; i++) feesPerLedger += SimulatedTransaction.feeOf(i)

  const ledger = Effect.fnUntraced(function* (sequence: number, previousHash: Uint8Array) {
    const random = SimulatedRandom.make(`stellar-insights simulation ${seed}: ledger ${sequence}`)
    const closeTime = epoch + closeInterval * BigInt(sequence)
    const setting = { world, random, sequence, networkId, closeTime }
    const made: Array<SimulatedTransaction.SimulatedTransaction> = []
    for (let i = 0; i < transactions; i++) {
      made.push(SimulatedTransaction.make(setting, i))
      if (i % betweenTurns === betweenTurns - 1) yield* Effect.yieldNow()
    }
    // Sets are sorted by hash, and applied in another order.
    const byHash = Array.from(made).sort((one, other) => Buffer.compare(one.hash, other.hash))
    const applied = shuffled(made, random)
    const txSet: GeneralizedTransactionSet = {
      type: "v1TxSet",
      value: {
        previousLedgerHash: previousHash,
        phases: [
          {
            type: "v0Components",
            value:
              transactions === 0
                ? []
                : [
                    {
                      type: "txsetCompTxsMaybeDiscountedFee",
                      value: { baseFee: null, txs: byHash.map(({ envelope }) => envelope) }
                    }
                  ]
          },
          { type: "parallelTxsComponent", value: { baseFee: null, executionStages: [] } }
        ]
      }
    }
    const results = applied.map(({ processing }) => processing.result)
    const header: LedgerHeader = {
      ledgerVersion: protocol,
      previousLedgerHash: previousHash,
      scpValue: {
        txSetHash: sha256(encodeGeneralizedTransactionSet(txSet)),
        closeTime,
        upgrades: [],
        ext: { type: "stellarValueSigned", value: { nodeId: world.validator, signature: random.bytes(64) } }
      },
      txSetResultHash: sha256(encodeTransactionResultSet({ results })),
      // There is no state to take the hash of: anything that looks like one.
      bucketListHash: random.bytes(32),
      ledgerSeq: sequence,
      totalCoins,
      feePool: initialFeePool + feesPerLedger * BigInt(sequence),
      inflationSeq: 0,
      idPool: 1_000_000_000n + BigInt(sequence),
      baseFee: 100,
      baseReserve: 5_000_000,
      maxTxSetSize: Math.max(1000, transactions),
      skipList: [none, none, none, none],
      ext: extension
    }
    const hash = sha256(encodeLedgerHeader(header))
    const bytes = encodeLedgerCloseMeta({
      type: "v2",
      value: {
        ext: extension,
        ledgerHeader: { hash, header, ext: extension },
        txSet,
        txProcessing: applied.map(({ processing }) => processing),
        upgradesProcessing: [],
        scpInfo: [],
        totalByteSizeOfLiveSorobanState: 0n,
        evictedKeys: []
      }
    })
    return { hash, bytes } satisfies SimulatedLedger as SimulatedLedger
  })

  return {
    ledger,
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
