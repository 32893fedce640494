/**
 * How fast ledgers are decoded, next to the SDK, on the ten recorded ledgers of the public network at protocol 26: `npx tsx bench/decode.ts`.
 *
 * Every round lets each contender do all ledgers, one contender right after the other, so that whatever else the machine does hits all of them.
 * The young heap is swept before each, outside of the measurement: everyone pays for its own garbage and nobody for that of the one before. Figures are
 * medians over rounds of the mean per ledger; the ratio is the median of the rounds' ratios.
 */
import { xdr } from "@stellar/stellar-sdk"
import { performance } from "node:perf_hooks"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import * as LedgerFacts from "../src/stellar/LedgerFacts.js"
import { decodeLedgerCloseMeta } from "../src/stellar/xdr/generated/decode.js"
import { encodeLedgerCloseMeta } from "../src/stellar/xdr/generated/encode.js"
import { decodeLedgerCloseMetaOutline } from "../src/stellar/xdr/generated/outline.js"
import * as LedgerBatch from "../src/stellar/xdr/LedgerBatch.js"
import * as Recorded from "../test/stellar/xdr/RecordedLedgers.js"

const ROUNDS = Number(process.argv[2] ?? 11)
const WARM_UP = 3

const contenders: Readonly<Record<string, (bytes: Uint8Array) => unknown>> = {
  "decode, all of it": decodeLedgerCloseMeta,
  "SDK, plain objects": (bytes) => xdr.LedgerCloseMeta.schema.decode(bytes),
  "SDK, its classes": (bytes) =>
    xdr.LedgerCloseMeta.fromXDR(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)),
  "decode, outline": decodeLedgerCloseMetaOutline,
  "verify and extract": LedgerFacts.extract,
  "split a batch": (bytes) => LedgerBatch.decodeBatch(batches.get(bytes)!),
  "decode and encode": (bytes) => encodeLedgerCloseMeta(decodeLedgerCloseMeta(bytes))
}

setFlagsFromString("--expose-gc")
// Only the young generation: a full collection would also throw away the compiled code.
const collect = runInNewContext("gc") as (options: { readonly type: "minor" }) => void

const print = (line: string): void => void process.stdout.write(`${line}\n`)

const quantile = (values: ReadonlyArray<number>, q: number): number =>
  values.toSorted((a, b) => a - b)[Math.round((values.length - 1) * q)] ?? Number.NaN

if (!Recorded.available) {
  print("bench decode: there is no folder ../shared/stellar with recorded ledgers; nothing was measured")
  process.exit(1)
}

const ledgers = Recorded.pubnet()
  .map(({ bytes }) => bytes)
  .filter((bytes) => bytes.length > 500_000)
const batches = new Map(ledgers.map((bytes) => [bytes, LedgerBatch.encodeBatch(1, 1, [bytes])]))
const mean = ledgers.reduce((sum, { length }) => sum + length, 0) / ledgers.length

const times = new Map(Object.keys(contenders).map((name) => [name, [] as Array<number>]))
for (let round = -WARM_UP; round < ROUNDS; round++) {
  // Each round another one begins.
  const all = Object.entries(contenders)
  const first = (round + WARM_UP) % all.length
  for (const [name, run] of [...all.slice(first), ...all.slice(0, first)]) {
    collect({ type: "minor" })
    const before = performance.now()
    for (const bytes of ledgers) run(bytes)
    const spent = performance.now() - before
    if (round >= 0) times.get(name)!.push(spent / ledgers.length)
  }
}

const row = (name: string, values: ReadonlyArray<number>, unit: string): void =>
  print(
    `${name.padEnd(34)}${quantile(values, 0.5).toFixed(2).padStart(8)}${unit}  (${quantile(values, 0.1).toFixed(2)}-${quantile(values, 0.9).toFixed(2)})`
  )

print(
  `${ledgers.length} ledgers of ${Math.round(mean / 1000)} kB, ${ROUNDS} rounds: median (10th-90th percentile)`
)
for (const [name, values] of times) row(name, values, " ms")
const ours = times.get("decode, all of it")!
for (const name of ["SDK, plain objects", "SDK, its classes"]) {
  row(
    `${name} / decode`,
    times.get(name)!.map((value, i) => value / ours[i]!),
    " x "
  )
}
