/** Packs ledgers into lakes as Galexie lays them out (SEP-54), written apart from what the product reads them with. */
import * as fs from "node:fs"
import * as path from "node:path"
import { encodeBatch } from "../../src/stellar/xdr/LedgerBatch.js"
import { frame } from "./Zstd.js"

/** A ledger to be packed. */
export interface PackedLedger {
  readonly sequence: number
  /** XDR of one `LedgerCloseMeta`. */
  readonly bytes: Uint8Array
}

/** How the lake is laid out. */
export interface LakeOptions {
  /** What `.config.json` says; null leaves the file out. */
  readonly networkPassphrase: string | null
  /** Default 1. */
  readonly ledgersPerBatch?: number
  /** Default 64000. */
  readonly batchesPerPartition?: number
  /** Default `.xdr.zst`. */
  readonly suffix?: ".xdr.zst" | ".xdr.zstd"
}

/** Objects by key. */
export type Objects = Map<string, Uint8Array>

const hex = (sequence: number) => (0xffffffff - sequence).toString(16).toUpperCase().padStart(8, "0")

/** The key of the object that holds a sequence. */
export const keyOf = (sequence: number, options: LakeOptions): string => {
  const { batchesPerPartition = 64_000, ledgersPerBatch = 1, suffix = ".xdr.zst" } = options
  const start = Math.floor(sequence / ledgersPerBatch) * ledgersPerBatch
  const size = ledgersPerBatch * batchesPerPartition
  const first = Math.floor(sequence / size) * size
  const folder = batchesPerPartition > 1 ? `${hex(first)}--${first}-${first + size - 1}/` : ""
  const end = ledgersPerBatch > 1 ? `-${start + ledgersPerBatch - 1}` : ""
  return `${folder}${hex(start)}--${start}${end}${suffix}`
}

/** The objects of a lake that holds these ledgers, which come in order and fill every batch that they begin. */
export const pack = (ledgers: ReadonlyArray<PackedLedger>, options: LakeOptions): Objects => {
  const batches = new Map<string, Array<PackedLedger>>()
  for (const ledger of ledgers) {
    const key = keyOf(ledger.sequence, options)
    batches.set(key, [...(batches.get(key) ?? []), ledger])
  }
  const objects: Objects = new Map()
  if (options.networkPassphrase !== null) {
    const config = {
      networkPassphrase: options.networkPassphrase,
      version: "1.0",
      compression: "zstd",
      ledgersPerBatch: options.ledgersPerBatch ?? 1,
      batchesPerPartition: options.batchesPerPartition ?? 64_000
    }
    objects.set(".config.json", Buffer.from(JSON.stringify(config)))
  }
  for (const [key, batch] of batches) {
    const bytes = encodeBatch(
      batch[0]!.sequence,
      batch.at(-1)!.sequence,
      batch.map((ledger) => ledger.bytes)
    )
    objects.set(key, frame(bytes))
  }
  return objects
}

/** Writes objects into a folder, which is made when it is not there. */
export const write = (folder: string, objects: Objects): void => {
  for (const [key, bytes] of objects) {
    fs.mkdirSync(path.dirname(path.join(folder, key)), { recursive: true })
    fs.writeFileSync(path.join(folder, key), bytes)
  }
}
