/** Payments, failed ones, and both counted by corridor. */
import type * as T from "../xdr/generated/types.js"
import * as AssetId from "./AssetId.js"
import type {
  AccountMerge,
  CorridorCount,
  FailedOutcome,
  FailedPayment,
  Payment,
  PaymentKind
} from "./Payment.js"
import * as StrKey from "./StrKey.js"

/** An operation that pays, and what came of it. */
export interface Attempted {
  /** SEP-35 identifier. */
  readonly toid: bigint
  /** Hash of the transaction in hex. */
  readonly txHash: string
  /** The account that it acts for. */
  readonly source: T.MuxedAccount
  /** The operation. */
  readonly body: T.OperationBody
  /** Its result, when that says more than that it succeeded. */
  readonly result: T.OperationResultTr | undefined
  /** What came of it. */
  readonly outcome: "success" | FailedOutcome
}

/** What was collected. */
export interface Collected {
  readonly payments: ReadonlyArray<Payment>
  readonly failures: ReadonlyArray<FailedPayment>
  readonly corridors: ReadonlyArray<CorridorCount>
  readonly accountMerges: ReadonlyArray<AccountMerge>
}

/** Whether an operation is to be handed to {@link make}'s `add`: creations and merges of accounts only when they succeeded. */
export const isAttempt = (type: T.OperationType, succeeded: boolean): boolean =>
  type === "payment" ||
  type === "pathPaymentStrictReceive" ||
  type === "pathPaymentStrictSend" ||
  (succeeded && (type === "createAccount" || type === "accountMerge"))

/** What an operation moves, as far as it says so itself. */
interface Move {
  readonly kind: PaymentKind
  readonly destination: T.MuxedAccount
  readonly srcAsset: string
  readonly dstAsset: string
}

type Counters = { -readonly [K in keyof CorridorCount]: CorridorCount[K] }

/** An empty collection. */
export const make = () => {
  const payments: Array<Payment> = []
  const failures: Array<FailedPayment> = []
  const accountMerges: Array<AccountMerge> = []
  const corridors: Array<Counters> = []
  const bySource = new Map<string, Map<string, Counters>>()

  const corridor = (srcAsset: string, dstAsset: string): Counters => {
    let from = bySource.get(srcAsset)
    if (from === undefined) bySource.set(srcAsset, (from = new Map()))
    let counters = from.get(dstAsset)
    if (counters === undefined) {
      counters = { ...NOTHING, srcAsset, dstAsset }
      from.set(dstAsset, counters)
      corridors.push(counters)
    }
    return counters
  }

  const add = ({ body, outcome, result, source, toid, txHash }: Attempted): void => {
    const { destination, dstAsset, kind, srcAsset } = move(body)
    const from = StrKey.account(ed25519(source))
    const to = StrKey.account(ed25519(destination))
    const self = from === to
    const fromMuxedId = muxedId(source)
    const toMuxedId = muxedId(destination)
    if (outcome !== "success") {
      if (kind === "createAccount" || kind === "accountMerge") return
      failures.push({
        toid,
        txHash,
        kind,
        from,
        to,
        fromMuxedId,
        toMuxedId,
        srcAsset,
        dstAsset,
        self,
        outcome
      })
      const counters = corridor(srcAsset, dstAsset)
      if (self) counters.selfFailed += 1
      else counters[outcome] += 1
      return
    }
    const { dstAmount, srcAmount } = amounts(body, result)
    payments.push({
      toid,
      txHash,
      kind,
      from,
      to,
      fromMuxedId,
      toMuxedId,
      srcAsset,
      dstAsset,
      self,
      srcAmount,
      dstAmount
    })
    if (kind === "accountMerge")
      accountMerges.push({ toid, txHash, account: from, into: to, amount: srcAmount })
    if (kind === "createAccount" || kind === "accountMerge") return
    const counters = corridor(srcAsset, dstAsset)
    if (self) {
      counters.selfSuccess += 1
      counters.selfSrcVolume += srcAmount
      counters.selfDstVolume += dstAmount
    } else {
      counters.success += 1
      counters.srcVolume += srcAmount
      counters.dstVolume += dstAmount
    }
  }

  const collected = (): Collected => ({
    payments,
    failures,
    corridors,
    accountMerges
  })
  return { add, collected }
}

const NOTHING = {
  success: 0,
  failedOwn: 0,
  rolledBack: 0,
  noOpResult: 0,
  selfSuccess: 0,
  selfFailed: 0,
  srcVolume: 0n,
  dstVolume: 0n,
  selfSrcVolume: 0n,
  selfDstVolume: 0n
}

const move = (body: T.OperationBody): Move => {
  switch (body.type) {
    case "payment": {
      const asset = AssetId.of(body.value.asset)
      return { kind: body.type, destination: body.value.destination, srcAsset: asset, dstAsset: asset }
    }
    case "pathPaymentStrictReceive":
    case "pathPaymentStrictSend": {
      const { destAsset, destination, sendAsset } = body.value
      return {
        kind: body.type,
        destination,
        srcAsset: AssetId.of(sendAsset),
        dstAsset: AssetId.of(destAsset)
      }
    }
    case "createAccount": {
      const { type, value } = body.value.destination
      const destination = { type: KEY_TYPE[type], value }
      return { kind: body.type, destination, srcAsset: AssetId.native, dstAsset: AssetId.native }
    }
    case "accountMerge":
      return { kind: body.type, destination: body.value, srcAsset: AssetId.native, dstAsset: AssetId.native }
    default:
      // Who calls has asked `isAttempt`.
      throw new TypeError(`a ${body.type} is no payment`)
  }
}

const KEY_TYPE = { publicKeyTypeEd25519: "keyTypeEd25519" } as const

/** What left the source and what arrived. `result` is there for the kinds of which the operation alone does not say it. */
const amounts = (
  body: T.OperationBody,
  result: T.OperationResultTr | undefined
): { readonly srcAmount: bigint; readonly dstAmount: bigint } => {
  if (body.type === "payment") return { srcAmount: body.value.amount, dstAmount: body.value.amount }
  if (body.type === "createAccount")
    return { srcAmount: body.value.startingBalance, dstAmount: body.value.startingBalance }
  if (result?.type === "accountMerge" && result.value.type === "accountMergeSuccess")
    return { srcAmount: result.value.value, dstAmount: result.value.value }
  if (body.type === "pathPaymentStrictSend" && result?.type === body.type) {
    if (result.value.type === "pathPaymentStrictSendSuccess")
      return { srcAmount: body.value.sendAmount, dstAmount: result.value.value.last.amount }
  }
  if (body.type === "pathPaymentStrictReceive" && result?.type === body.type) {
    if (result.value.type === "pathPaymentStrictReceiveSuccess")
      return { srcAmount: sent(body.value, result.value.value.offers), dstAmount: body.value.destAmount }
  }
  // Results were checked to be those of the operation, and successful.
  throw new TypeError(`a ${body.type} succeeded without an amount`)
}

/** What a path payment to a fixed amount took: all that was bought with the first asset of the path; without exchanges, the amount itself. */
const sent = ({ destAmount }: T.PathPaymentStrictReceiveOp, atoms: ReadonlyArray<T.ClaimAtom>): bigint => {
  const first = atoms[0]
  if (first === undefined) return destAmount
  const paid = AssetId.of(first.value.assetBought)
  let sum = 0n
  for (const { value } of atoms) if (AssetId.of(value.assetBought) === paid) sum += value.amountBought
  return sum
}

const ed25519 = (account: T.MuxedAccount): Uint8Array =>
  account.type === "keyTypeEd25519" ? account.value : account.value.ed25519
const muxedId = (account: T.MuxedAccount): bigint | null =>
  account.type === "keyTypeEd25519" ? null : account.value.id
