/** What is ingested: recorded ledgers of the public network, recorded ledgers of a load test, and simulated ones. */
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { decompress } from "fzstd"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import * as LedgerFacts from "../../src/stellar/LedgerFacts.js"
import * as Network from "../../src/stellar/Network.js"
import * as LakeSource from "../../src/stellar/source/LakeSource.js"
import * as LedgerSource from "../../src/stellar/source/LedgerSource.js"
import * as SimulatedSource from "../../src/stellar/source/SimulatedSource.js"

/** One kind of ledgers. */
export interface Workload {
  /** What the table calls it. */
  readonly name: string
  /** Where they come from. */
  readonly source: Layer.Layer<LedgerSource.LedgerSource, unknown>
  /** The first ledger. */
  readonly first: number
  /** How many there are in a loop. */
  readonly count: number
  /** How many a second are wanted; none where only memory is looked at. */
  readonly perSecond: number | undefined
}

/** Ten ledgers at protocol 26, from the lake: what is measured has files read and decompressed in it. */
const pubnet = (recorded: string): Workload => ({
  name: "pubnet",
  source: LakeSource.layer({
    location: { _tag: "Folder", path: join(recorded, "lake-pubnet") },
    networkPassphrase: Network.passphrases.pubnet
  }).pipe(Layer.provide([NodeContext.layer, FetchHttpClient.layer])),
  first: 63_092_982,
  count: 10,
  perSecond: 45
})

/** Frames of a length, its top bit set, and as many bytes. */
const framed = (stream: Uint8Array): ReadonlyArray<Uint8Array> => {
  const view = new DataView(stream.buffer, stream.byteOffset, stream.byteLength)
  const found: Array<Uint8Array> = []
  for (let at = 0; at < stream.length;) {
    const length = view.getUint32(at) & 0x7fffffff
    found.push(stream.subarray(at + 4, at + 4 + length))
    at += 4 + length
  }
  return found
}

/** Thirty ledgers of 492 transactions each, which lie in one compressed file: they are unpacked before the time begins. */
const load = (recorded: string): Workload => {
  const file = join(recorded, "load/apply-load-p27-30-ledgers.xdr.zst")
  const ledgers = framed(decompress(readFileSync(file)))
  const first = LedgerFacts.extract(ledgers[0]!).sequence
  const raw = ledgers.map((bytes, index) => ({ sequence: first + index, bytes, object: file }))
  return {
    name: "load",
    source: Layer.succeed(LedgerSource.LedgerSource, {
      description: file,
      networkPassphrase: "Apply Load",
      firstSequence: Effect.succeed(first),
      ledgers: (start) => Stream.concat(Stream.fromIterable(raw.slice(start - first)), Stream.never)
    }),
    first,
    count: ledgers.length,
    perSecond: 40
  }
}

const simulated = (count: number): Workload => ({
  name: "simulated",
  source: SimulatedSource.layer({ interval: 0, transactions: 50 }),
  first: 2,
  count,
  perSecond: undefined
})

/** All of them by name; `simulated` has `count` ledgers of 50 transactions, the others have as many as were recorded. */
export const all = {
  pubnet: (options: Options) => pubnet(options.recorded),
  load: (options: Options) => load(options.recorded),
  simulated: (options: Options) => simulated(options.count)
} as const

/** What a workload needs to know. */
export interface Options {
  /** The folder of recorded ledgers. */
  readonly recorded: string
  /** How many ledgers to simulate. */
  readonly count: number
}
