/** From the bytes of a lake's object to the ledgers in it. */
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import { decodeBatch } from "../xdr/LedgerBatch.js"
import { XdrError } from "../xdr/XdrError.js"
import { LedgerSourceError, type RawLedger } from "./LedgerSource.js"
import * as Zstd from "./Zstd.js"

/** The object that was asked for. */
export interface Wanted {
  /** Where it is, for messages. */
  readonly object: string
  /** The sequences that its key names, both included. */
  readonly range: { readonly start: number; readonly end: number }
}

/**
 * The ledgers of one object, in order. Ends in `corrupt`, naming the object, when the bytes are not whole zstd, not a batch of ledgers, or a batch of
 * others than its key says. What is inside a ledger is for the decoder to judge.
 */
export const open = Effect.fn("LakeObject.open")(function* (wanted: Wanted, bytes: Uint8Array) {
  const { object, range } = wanted
  const corrupt = (why: string, cause?: unknown) =>
    new LedgerSourceError({ reason: "corrupt", object, message: `${object} is corrupt: ${why}`, cause })
  const content = yield* Effect.mapError(Zstd.decompress(bytes), (error) => corrupt(error.message, error))
  const batch = yield* Effect.try({
    try: () => decodeBatch(content),
    catch: (error) => corrupt(error instanceof XdrError ? error.message : String(error), error)
  })
  // The network's first ledger is 1 and lakes begin with 2, while the first object is named as if there were a 0.
  const startsRight = batch.startSequence === range.start || (range.start === 0 && batch.startSequence <= 2)
  if (!startsRight || batch.endSequence !== range.end) {
    yield* corrupt(
      `it holds ledgers ${batch.startSequence} to ${batch.endSequence}, not ${range.start} to ${range.end}`
    )
  }
  return Chunk.unsafeFromArray(
    batch.ledgers.map((ledger, i): RawLedger => ({
      sequence: batch.startSequence + i,
      bytes: ledger,
      object
    }))
  )
})
