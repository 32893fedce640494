/** Events, counted by what they say happened to an asset (CAP-67). */
import * as Decode from "../xdr/generated/decode.js"
import { XdrReader } from "../xdr/XdrReader.js"
import type { EventCounts } from "./Transactions.js"

const KINDS = new Set(["transfer", "mint", "burn", "clawback"] as const)
type Kind = typeof KINDS extends Set<infer A> ? A : never

/** An empty collection of events in `bytes`. */
export const make = (bytes: Uint8Array) => {
  const reader = new XdrReader(bytes)
  const counts = { events: 0, fee: 0n, transfer: 0, mint: 0, burn: 0, clawback: 0 }

  /** Takes the event that begins at `at`. */
  const add = (at: number): void => {
    counts.events += 1
    reader.p = at
    const { body, type } = Decode.readContractEvent(reader)
    const topic = body.value.topics[0]
    if (type !== "contract" || topic?.type !== "scvSymbol") return
    const name = Buffer.from(topic.value).toString("latin1")
    if (name === "fee") {
      const data = body.value.data
      if (data.type === "scvI128") counts.fee += (data.value.hi << 64n) + data.value.lo
    } else if (KINDS.has(name as Kind)) counts[name as Kind] += 1
  }

  const collected = (): EventCounts => counts
  return { add, collected }
}
