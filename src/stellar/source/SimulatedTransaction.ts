/**
 * One transaction of the simulated network: its envelope, its result, and what it changed.
 *
 * As on the real network it happens in three steps, each for all transactions of the ledger before the next: it is charged, it is applied, and what it did
 * not use is given back.
 */
import type {
  InnerTransactionResult,
  LedgerEntryChange,
  Memo,
  MuxedAccount,
  OperationBody,
  OperationMetaV2,
  OperationResult,
  Transaction,
  TransactionEvent,
  TransactionResultMetaV1,
  TransactionResultPair
} from "../xdr/generated/types.js"
import type { Act } from "./SimulatedAct.js"
import { nobody } from "./SimulatedAct.js"
import * as SimulatedContract from "./SimulatedContract.js"
import * as SimulatedEnvelope from "./SimulatedEnvelope.js"
import * as SimulatedFiller from "./SimulatedFiller.js"
import type { SimulatedRandom } from "./SimulatedRandom.js"
import type { Account, Journal } from "./SimulatedState.js"
import { isTrapped, type Story } from "./SimulatedStory.js"
import type { ToldOperation, ToldTransaction } from "./SimulatedTold.js"

/** A transaction and what came of it. */
export interface SimulatedTransaction {
  readonly envelope: SimulatedEnvelope.Envelope
  /** What the meta says of it; `refund` completes it. */
  readonly processing: TransactionResultMetaV1
  readonly told: ToldTransaction
}

/** Where a transaction happens. */
export interface Setting {
  readonly stage: SimulatedFiller.Stage
  readonly random: SimulatedRandom
  readonly sequence: number
  readonly journal: Journal
  /** SHA-256 of the network's passphrase. */
  readonly networkId: Uint8Array
  /** The contract that stands for lumens. */
  readonly lumens: Uint8Array
  /** Unix seconds at which the ledger closes. */
  readonly closeTime: bigint
}

/** A transaction that was charged. */
export interface Charged {
  readonly story: Story
  readonly turn: number
  readonly source: Account
  readonly payer: Account
  /** What it will get back, in stroops. */
  readonly back: bigint
  readonly changes: ReadonlyArray<LedgerEntryChange>
}

const extension = { type: "v0" } as const
const nothing: ReadonlyArray<never> = []

/** First step: the fee is taken, for a contract's call more than it will need. */
export const charge = ({ journal, random, sequence }: Setting, story: Story): Charged => {
  const turn = story.turnOf(sequence)
  const payer = story.payerAt(turn)
  const back = story.terms.contract ? BigInt(100 + random.below(2000)) : 0n
  journal.touch(payer)
  payer.balance -= story.terms.fee + back
  return { story, turn, source: story.sourceAt(turn), payer, back, changes: journal.take() }
}

/** What is done, and what comes of it as a whole. */
interface Plan {
  readonly acts: ReadonlyArray<Act>
  readonly code: "txSuccess" | "txFailed" | "txBadAuth" | "txBadAuthExtra" | "txInsufficientBalance"
}

const plan = ({ random, sequence, stage }: Setting, { source, story, turn }: Charged): Plan => {
  const act = story.play(turn)
  const count = story.terms.operations
  const moment = { random, sequence }
  const fill = (some: number) => SimulatedFiller.several(stage, moment, source, story.friend, some)
  if (act !== undefined) return { acts: [act, ...fill(count - 1)], code: "txSuccess" }
  // The story rests: nothing that this transaction does may last.
  const outcome = random.below(100)
  if (outcome < 40) {
    const at = random.below(count)
    const fails = SimulatedFiller.failing(stage, moment, source, story.friend)
    return { acts: [...fill(at), fails, ...fill(count - 1 - at)], code: "txFailed" }
  }
  if (outcome < 50) {
    const acts = Array.from({ length: count }, () =>
      SimulatedFiller.attempt(stage, moment, source, story.friend)
    )
    return { acts, code: random.pick(["txBadAuth", "txBadAuthExtra", "txInsufficientBalance"] as const) }
  }
  return { acts: fill(count), code: "txSuccess" }
}

const changedBy = (journal: Journal, act: Act): OperationMetaV2 => {
  act.apply(journal.touch)
  return { ext: extension, changes: journal.take(), events: nothing }
}

const memo = ({ random }: Setting): Memo => {
  const kind = random.below(10)
  if (kind < 6) return { type: "memoNone" }
  if (kind < 8) return { type: "memoId", value: BigInt(random.below(1_000_000)) }
  return { type: "memoText", value: Buffer.from(`order ${random.below(100_000)}`, "latin1") }
}

const told = (
  act: Act,
  type: OperationBody["type"],
  from: MuxedAccount,
  to: MuxedAccount,
  code: Plan["code"]
): ToldOperation => {
  const tried = code === "txSuccess" || code === "txFailed"
  const operation: ToldOperation = {
    type,
    outcome: tried ? (act.fails ? "failed" : "success") : "untried",
    from,
    claims: tried ? (act.claims ?? nothing) : nothing,
    ...(act.pool === undefined ? {} : { pool: act.pool.id })
  }
  if (act.moves === undefined) return operation
  const { received, receivedAmount, sent, sentAmount, to: paid } = act.moves
  return {
    ...operation,
    payment: {
      to: act.to === undefined ? { type: "keyTypeEd25519", value: paid.value } : to,
      sent: sent.asset,
      sentAmount,
      received: received.asset,
      receivedAmount
    }
  }
}

/** Second step: the operations, all or none of them. */
export const apply = (setting: Setting, charged: Charged): SimulatedTransaction => {
  const { journal, random } = setting
  const { back, changes, payer, source, story, turn } = charged
  const { bid, fee, feeBump } = story.terms
  journal.touch(source)
  source.seqNum += 1n
  const txChangesBefore = journal.take()
  const { counter } = story
  const isCalled = counter !== undefined && !isTrapped(turn)
  const { acts, code } =
    counter === undefined
      ? plan(setting, charged)
      : ({ acts: nothing, code: isCalled ? "txSuccess" : "txFailed" } satisfies Plan as Plan)
  const signers = [...new Set([source, ...acts.map((act) => act.source)])]
  const sender = SimulatedEnvelope.muxed(random, source, 4)
  const operations: Array<Transaction["operations"][number]> = []
  const toldOperations: Array<ToldOperation> = []
  for (const act of acts) {
    const own =
      act.source === source && !random.chance(4) ? null : SimulatedEnvelope.muxed(random, act.source, 3)
    const to = act.to === undefined ? nobody : SimulatedEnvelope.muxed(random, act.to, 8)
    const body = act.body(to)
    operations.push({ sourceAccount: own, body })
    toldOperations.push(told(act, body.type, own ?? sender, to, code))
  }
  const results: Array<OperationResult> =
    code === "txSuccess" || code === "txFailed" ? acts.map((act) => act.result()) : []
  const metas = code === "txSuccess" ? acts.map((act) => changedBy(journal, act)) : []
  if (counter !== undefined) {
    operations.push({ sourceAccount: null, body: SimulatedContract.body(counter) })
    if (isCalled) {
      journal.touch(counter)
      counter.count += 1
      const moved = SimulatedContract.transferEvent(setting.lumens, source, story.friend, fee)
      metas.push({ ext: extension, changes: journal.take(), events: [moved] })
    }
    results.push(SimulatedContract.result(counter, isCalled))
    toldOperations.push({
      type: "invokeHostFunction",
      outcome: isCalled ? "success" : "failed",
      from: sender,
      claims: nothing
    })
  }
  const result: InnerTransactionResult["result"] =
    code === "txSuccess" || code === "txFailed" ? { type: code, value: results } : { type: code }

  const tx: Transaction = {
    sourceAccount: sender,
    fee: feeBump ? bid * acts.length : Number(fee + back),
    seqNum: source.seqNum,
    cond: { type: "precondTime", value: { minTime: 0n, maxTime: setting.closeTime + 300n } },
    memo: counter === undefined ? memo(setting) : { type: "memoNone" },
    operations,
    ext:
      counter === undefined
        ? extension
        : { type: "sorobanData", value: SimulatedContract.resources(counter, fee + back - BigInt(bid)) }
  }
  const plain = SimulatedEnvelope.transaction(setting.networkId, tx, random, signers)
  const events: Array<TransactionEvent> = [
    SimulatedContract.feeEvent(setting.lumens, payer, fee + back),
    ...(back > 0n ? [SimulatedContract.feeEvent(setting.lumens, payer, -back)] : [])
  ]
  const finish = (
    envelope: SimulatedEnvelope.Envelope,
    of: TransactionResultPair["result"],
    more: Partial<ToldTransaction> = {}
  ): SimulatedTransaction => ({
    envelope,
    processing: {
      ext: extension,
      result: { transactionHash: envelope.hash, result: of },
      feeProcessing: changes,
      txApplyProcessing: {
        type: "v4",
        value: {
          ext: extension,
          txChangesBefore,
          operations: metas,
          txChangesAfter: nothing,
          sorobanMeta:
            counter === undefined ? null : SimulatedContract.meta(counter, isCalled, fee - BigInt(bid)),
          events,
          diagnosticEvents: nothing
        }
      },
      postTxApplyFeeProcessing: nothing
    },
    told: {
      hash: envelope.hash,
      code,
      feeCharged: fee,
      contract: counter !== undefined,
      operations: toldOperations,
      ...more
    }
  })
  if (!feeBump) return finish(plain, { feeCharged: fee, result, ext: extension })
  const feeSource = SimulatedEnvelope.muxed(random, payer, 10)
  const envelope = SimulatedEnvelope.bump(setting.networkId, plain, feeSource, fee, random, payer)
  const value = { transactionHash: plain.hash, result: { feeCharged: 0n, result, ext: extension } }
  const type =
    result.type === "txSuccess" ? ("txFeeBumpInnerSuccess" as const) : ("txFeeBumpInnerFailed" as const)
  return finish(
    envelope,
    { feeCharged: fee, result: { type, value }, ext: extension },
    { feeBump: { innerHash: plain.hash, payer: feeSource, source: sender, maxFee: fee } }
  )
}

/** Third step: what a contract's call did not use goes back to whoever paid. */
export const refund = (
  { journal }: Setting,
  { back, payer }: Charged,
  made: SimulatedTransaction
): SimulatedTransaction => {
  if (back === 0n) return made
  journal.touch(payer)
  payer.balance += back
  return { ...made, processing: { ...made.processing, postTxApplyFeeProcessing: journal.take() } }
}
