/**
 * One thing that an account does on the simulated network: an operation, what comes of it, and what it does to the state.
 *
 * An act is planned first, and then put into words or applied, either or both: a start in the middle of the chain applies what led there and encodes
 * none of it.
 */
import type {
  ClaimAtom,
  MuxedAccount,
  OperationBody,
  OperationResult,
  OperationResultTr,
  PublicKey
} from "../xdr/generated/types.js"
import * as SimulatedState from "./SimulatedState.js"
import type { Account, Touch } from "./SimulatedState.js"
import type { SimulatedAsset } from "./SimulatedWorld.js"

/** An act. */
export interface Act {
  /** The source account of the operation. */
  readonly source: Account
  /** Who is paid; absent where the operation names no destination that could be muxed. */
  readonly to?: Account
  /** The operation; its destination is `to`, muxed perhaps. */
  readonly body: (to: MuxedAccount) => OperationBody
  /** The operation's own result. */
  readonly result: () => OperationResult
  /** Whether that is a failure. */
  readonly fails: boolean
  /** Carries it out. Nothing for one that fails. */
  readonly apply: (touch: Touch) => void
  /** What is paid, where something is. */
  readonly moves?: {
    readonly to: PublicKey
    readonly sent: SimulatedAsset
    readonly sentAmount: bigint
    readonly received: SimulatedAsset
    readonly receivedAmount: bigint
  }
  /** Exchanges that it makes. */
  readonly claims?: ReadonlyArray<ClaimAtom>
  /** The pool of a deposit or withdrawal. */
  readonly pool?: SimulatedState.Pool
}

/** A result that belongs to an operation's type. */
export const inner = (value: OperationResultTr): OperationResult => ({ type: "opInner", value })

/** Somebody who is nobody's account, for operations that name none. */
export const nobody: MuxedAccount = { type: "keyTypeEd25519", value: new Uint8Array(32) }

/** Adds to what an account holds of an asset; an issuer's hand is bottomless. */
export type Give = (touch: Touch, holder: Account, asset: SimulatedAsset, amount: bigint) => void

/** Giving, given the asset to which nobody has a trustline from the beginning. */
export const giver =
  (fad: SimulatedAsset): Give =>
  (touch, holder, asset, amount) => {
    if (asset.issuer === undefined) {
      touch(holder)
      holder.balance += amount
      return
    }
    if (asset.issuer.value === holder.id.value) return
    const line = SimulatedState.lineOf(holder, asset, fad)
    touch(line)
    line.balance += amount
  }

/** A payment; one to oneself in lumens changes nothing. */
export const payment = (
  give: Give,
  from: Account,
  to: Account,
  asset: SimulatedAsset,
  amount: bigint
): Act => ({
  source: from,
  to,
  body: (destination) => ({ type: "payment", value: { destination, asset: asset.asset, amount } }),
  result: () => inner({ type: "payment", value: { type: "paymentSuccess" } }),
  fails: false,
  apply: (touch) => {
    if (from === to && asset.issuer === undefined) return
    give(touch, from, asset, -amount)
    give(touch, to, asset, amount)
  },
  moves: { to: to.id, sent: asset, sentAmount: amount, received: asset, receivedAmount: amount }
})

/** A new account, with lumens out of the source's pocket. */
export const createAccount = (
  lumens: SimulatedAsset,
  source: Account,
  created: Account,
  amount: bigint
): Act => ({
  source,
  body: () => ({
    type: "createAccount",
    value: { destination: created.id, startingBalance: amount }
  }),
  result: () => inner({ type: "createAccount", value: { type: "createAccountSuccess" } }),
  fails: false,
  apply: (touch) => {
    touch(source)
    touch(created)
    source.balance -= amount
    created.exists = true
    created.balance = amount
  },
  moves: { to: created.id, sent: lumens, sentAmount: amount, received: lumens, receivedAmount: amount }
})

/** The end of an account: all that it has goes to another one. */
export const merge = (lumens: SimulatedAsset, gone: Account, into: Account): Act => {
  const amount = gone.balance
  return {
    source: gone,
    to: into,
    body: (destination) => ({ type: "accountMerge", value: destination }),
    result: () => inner({ type: "accountMerge", value: { type: "accountMergeSuccess", value: amount } }),
    fails: false,
    apply: (touch) => {
      touch(gone)
      touch(into)
      into.balance += amount
      gone.balance = 0n
      gone.exists = false
    },
    moves: { to: into.id, sent: lumens, sentAmount: amount, received: lumens, receivedAmount: amount }
  }
}

/** A failed attempt. */
export const failure = (
  source: Account,
  to: Account | undefined,
  body: Act["body"],
  result: OperationResultTr,
  moves?: { readonly to: PublicKey; readonly sent: SimulatedAsset; readonly received: SimulatedAsset }
): Act => ({
  source,
  ...(to === undefined ? {} : { to }),
  body,
  result: () => inner(result),
  fails: true,
  apply: () => {},
  ...(moves === undefined ? {} : { moves: { ...moves, sentAmount: 0n, receivedAmount: 0n } })
})
