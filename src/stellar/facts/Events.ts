/** Events, counted by what they say happened to an asset (CAP-67). */
import * as Decode from "../xdr/generated/decode.js"
import { XdrReader } from "../xdr/XdrReader.js"
import * as Bytes from "./Bytes.js"
import type { EventCounts } from "./Transactions.js"

const KINDS: ReadonlySet<string> = new Set(["transfer", "mint", "burn", "clawback"])
// What the XDR calls them by number.
const CONTRACT = 1
const SYMBOL = 15
const LONGEST = "transfer".length

type Kind = "transfer" | "mint" | "burn" | "clawback"

/** An empty collection of events in `bytes`. */
export const make = (bytes: Uint8Array) => {
  const reader = new XdrReader(bytes)
  const counts = { events: 0, fee: 0n, transfer: 0, mint: 0, burn: 0, clawback: 0 }

  /** Takes the event that begins at `at`. */
  const add = (at: number): void => {
    counts.events += 1
    // Extension, a flag and the contract's id if there is one, the event's type, the version of its body, the number of topics, and the first topic.
    const type = at + (reader.v.getUint32(at + 4) === 0 ? 8 : 40)
    const topic = type + 12
    if (reader.v.getInt32(type) !== CONTRACT || reader.v.getUint32(type + 8) === 0) return
    if (reader.v.getInt32(topic) !== SYMBOL) return
    const length = reader.v.getUint32(topic + 4)
    const name = length > LONGEST ? "" : Bytes.text(bytes, topic + 8, topic + 8 + length)
    if (name === "fee") counts.fee += amount(at)
    else if (KINDS.has(name as Kind)) counts[name as Kind] += 1
  }

  const amount = (at: number): bigint => {
    reader.p = at
    const { data } = Decode.readContractEvent(reader).body.value
    return data.type === "scvI128" ? (data.value.hi << 64n) + data.value.lo : 0n
  }

  const collected = (): EventCounts => counts
  return { add, collected }
}
