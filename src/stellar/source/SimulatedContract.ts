/** Calls of contracts on the simulated network: each counts up one number, pays for more than it needs, and gets the rest back. */
import type {
  ContractEvent,
  LedgerKey,
  OperationBody,
  OperationResult,
  PublicKey,
  ScVal,
  SorobanTransactionData,
  TransactionEvent,
  TransactionMetaV4
} from "../xdr/generated/types.js"
import { inner } from "./SimulatedAct.js"
import * as SimulatedEntry from "./SimulatedEntry.js"
import { sha256 } from "./SimulatedRandom.js"
import type { Account, Counter } from "./SimulatedState.js"

const extension = { type: "v0" } as const
const symbol = (text: string): ScVal => ({ type: "scvSymbol", value: Buffer.from(text) })
const address = (value: PublicKey): ScVal => ({
  type: "scvAddress",
  value: { type: "scAddressTypeAccount", value }
})
const wide = (amount: bigint): ScVal => ({
  type: "scvI128",
  value: { hi: amount >> 64n, lo: BigInt.asUintN(64, amount) }
})
const fee = symbol("fee")
const transfer = symbol("transfer")
const native: ScVal = { type: "scvString", value: Buffer.from("native") }

/** The id of the contract that stands for lumens on that network: the hash of what it is derived from, as XDR. */
export const lumensContract = (networkId: Uint8Array): Uint8Array =>
  sha256(Buffer.concat([Buffer.of(0, 0, 0, 8), networkId, Buffer.of(0, 0, 0, 1, 0, 0, 0, 0)]))

const event = (contractId: Uint8Array, topics: ReadonlyArray<ScVal>, amount: bigint): ContractEvent => ({
  ext: extension,
  contractId,
  type: "contract",
  body: { type: "v0", value: { topics, data: wide(amount) } }
})

/** Says that `payer` was charged `amount`, or got it back where it is negative. */
export const feeEvent = (contractId: Uint8Array, payer: Account, amount: bigint): TransactionEvent => ({
  stage: amount < 0n ? "transactionEventStageAfterAllTxs" : "transactionEventStageBeforeAllTxs",
  event: event(contractId, [fee, address(payer.id)], amount)
})

/** Says that a contract moved lumens between accounts; which is no payment. */
export const transferEvent = (
  contractId: Uint8Array,
  from: Account,
  to: Account,
  amount: bigint
): ContractEvent => event(contractId, [transfer, address(from.id), address(to.id), native], amount)

/** The operation. */
export const body = ({ contract }: Counter): OperationBody => ({
  type: "invokeHostFunction",
  value: {
    hostFunction: {
      type: "hostFunctionTypeInvokeContract",
      value: {
        contractAddress: { type: "scAddressTypeContract", value: contract },
        functionName: Buffer.from("increment"),
        args: []
      }
    },
    auth: []
  }
})

/** What transactions say beforehand of what they will touch and use. */
export const resources = (counter: Counter, resourceFee: bigint): SorobanTransactionData => {
  const instance: LedgerKey = {
    type: "contractData",
    value: {
      contract: { type: "scAddressTypeContract", value: counter.contract },
      key: { type: "scvLedgerKeyContractInstance" },
      durability: "persistent"
    }
  }
  return {
    ext: extension,
    resources: {
      footprint: { readOnly: [instance], readWrite: [SimulatedEntry.key(counter)] },
      instructions: 1_200_000,
      diskReadBytes: 0,
      writeBytes: 128
    },
    resourceFee
  }
}

/** The operation's own result. */
export const result = (counter: Counter, succeeds: boolean): OperationResult =>
  inner({
    type: "invokeHostFunction",
    value: succeeds
      ? { type: "invokeHostFunctionSuccess", value: sha256(`${counter.count}`) }
      : { type: "invokeHostFunctionTrapped" }
  })

/** What the meta says of the call. */
export const meta = (
  counter: Counter,
  succeeds: boolean,
  charged: bigint
): TransactionMetaV4["sorobanMeta"] => ({
  ext: {
    type: "v1",
    value: {
      ext: extension,
      totalNonRefundableResourceFeeCharged: charged / 3n,
      totalRefundableResourceFeeCharged: charged - charged / 3n,
      rentFeeCharged: 0n
    }
  },
  returnValue: succeeds ? { type: "scvU32", value: counter.count } : null
})
