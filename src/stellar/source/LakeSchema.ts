/**
 * How a ledger lake names its objects (SEP-54): arithmetic on sequences and keys, and the `.config.json` that says how it was written.
 *
 * A batch is one object of `ledgersPerBatch` ledgers; a partition is a folder of `batchesPerPartition` batches. Keys begin with the
 * complement of their first sequence in hexadecimal, so that ascending order of keys is newest first.
 */
import * as Either from "effect/Either"

/** What a lake says of itself in `.config.json`. */
export interface LakeSchema {
  /** The network whose ledgers it holds, where it says so. */
  readonly networkPassphrase: string | undefined
  /** Ledgers in one object, at least 1. */
  readonly ledgersPerBatch: number
  /** Objects in one folder, at least 1; with 1 there are no folders. */
  readonly batchesPerPartition: number
}

/** The key of the file that describes a lake. */
export const configKey = ".config.json"

/** What a lake without a `.config.json` is read as: how the public lakes, and Galexie by default, have been written. */
export const assumed: LakeSchema = {
  networkPassphrase: undefined,
  ledgersPerBatch: 1,
  batchesPerPartition: 64_000
}

/** The endings that objects have had: today's, and that of lakes written before Galexie 23. */
export const suffixes = [".xdr.zst", ".xdr.zstd"] as const

/** The highest sequence that a ledger can have. */
export const lastSequence = 0xffffffff

const isCount = (value: unknown): value is number =>
  typeof value === "number" && Number.isInteger(value) && value >= 1 && value <= lastSequence

/** Reads a `.config.json`. Left is a sentence on what is wrong with it; a field that is missing is wrong too, as a guess would look for other keys. */
export const parse = (text: string): Either.Either<LakeSchema, string> => {
  let json: Record<string, unknown>
  try {
    json = JSON.parse(text) as Record<string, unknown>
  } catch (error) {
    return Either.left(`it is not JSON: ${(error as Error).message}`)
  }
  if (typeof json !== "object" || json === null) return Either.left("it is not a JSON object")
  const { networkPassphrase, ledgersPerBatch, batchesPerPartition } = json
  if (!isCount(ledgersPerBatch)) return Either.left("its ledgersPerBatch is not a positive integer")
  if (!isCount(batchesPerPartition)) return Either.left("its batchesPerPartition is not a positive integer")
  if (json["compression"] !== "zstd") return Either.left(`its compression is not "zstd", the only one known`)
  if (typeof json["version"] !== "string" || !json["version"].startsWith("1.")) {
    return Either.left(`its version is not "1.0" or another 1.x`)
  }
  if (networkPassphrase !== undefined && typeof networkPassphrase !== "string") {
    return Either.left("its networkPassphrase is not a text")
  }
  return Either.right({ networkPassphrase, ledgersPerBatch, batchesPerPartition })
}

/** The sequences, both included, that the object holding `sequence` is named for. */
export const batchOf = (
  schema: LakeSchema,
  sequence: number
): { readonly start: number; readonly end: number } => {
  const start = sequence - (sequence % schema.ledgersPerBatch)
  return { start, end: Math.min(start + schema.ledgersPerBatch - 1, lastSequence) }
}

const complement = (sequence: number) => (lastSequence - sequence).toString(16).toUpperCase().padStart(8, "0")

/** The key, without its suffix, of the object that holds `sequence`. */
export const keyOf = (schema: LakeSchema, sequence: number): string => {
  const { start, end } = batchOf(schema, sequence)
  const object = `${complement(start)}--${start}${schema.ledgersPerBatch === 1 ? "" : `-${end}`}`
  if (schema.batchesPerPartition === 1) return object
  const size = schema.ledgersPerBatch * schema.batchesPerPartition
  const first = sequence - (sequence % size)
  return `${complement(first)}--${first}-${first + size - 1}/${object}`
}

/**
 * The keys, with their suffixes, by which the object that holds `sequence` may be found: as the description says first, by each suffix, and then the same
 * without the partition's folder, which a lake loses when the objects of one partition are copied elsewhere together with the description.
 */
export const keysOf = (schema: LakeSchema, sequence: number): ReadonlyArray<string> => {
  const key = keyOf(schema, sequence)
  const flat = keyOf({ ...schema, batchesPerPartition: 1 }, sequence)
  return (key === flat ? [key] : [key, flat]).flatMap((name) => suffixes.map((suffix) => name + suffix))
}

const objectName = /(?:^|\/)([0-9A-F]{8})--(\d{1,10})(?:-\d{1,10})?\.xdr\.zstd?$/

/** The first sequence that the object of this key is named for; undefined when it is not the key of a ledger object. */
export const startOf = (key: string): number | undefined => {
  const [, hex, decimal] = objectName.exec(key) ?? []
  const start = Number(decimal)
  return hex !== undefined && complement(start) === hex ? start : undefined
}

/** Whether this is the name of a partition's folder. */
export const isPartition = (name: string): boolean => /^[0-9A-F]{8}--\d{1,10}-\d{1,10}$/.test(name)

/** The highest first sequence among these keys; undefined when none of them is a ledger object's. */
export const newestOf = (keys: Iterable<string>): number | undefined => {
  let newest: number | undefined
  for (const key of keys) {
    const start = startOf(key)
    if (start !== undefined && (newest === undefined || start > newest)) newest = start
  }
  return newest
}
