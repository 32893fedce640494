/** The container in which a lake keeps ledgers: `LedgerCloseMetaBatch`, split and packed without decoding what is inside. */
import { skipLedgerCloseMeta } from "./generated/skip.js"
import * as XdrError from "./XdrError.js"
import { decode, type XdrReader } from "./XdrReader.js"
import { XdrWriter } from "./XdrWriter.js"

/** A batch as a lake's object holds it. */
export interface LedgerBatch {
  /** Sequence of the first ledger, as the batch says. */
  readonly startSequence: number
  /** Sequence of the last ledger, as the batch says. */
  readonly endSequence: number
  /** XDR of one `LedgerCloseMeta` each: views of the input, in the order of the batch. Whoever decodes one checks its sequence. */
  readonly ledgers: ReadonlyArray<Uint8Array>
}

/**
 * Splits a batch. Throws {@link XdrError.XdrError} when the range and the count disagree or the bytes are not exactly one batch: every ledger
 * is walked to its end, so that damage is found here already, whatever reads the ledgers later. Costs about a tenth of decoding them.
 */
export const decodeBatch = (bytes: Uint8Array): LedgerBatch =>
  decode("LedgerCloseMetaBatch", (r) => readBatch(r, bytes), bytes)

const readBatch = (r: XdrReader, bytes: Uint8Array): LedgerBatch => {
  const startSequence = r.v.getUint32(0)
  const endSequence = r.v.getUint32(4)
  const count = r.count(8, 0xffffffff, 4)
  r.p = 12
  const ledgers: Array<Uint8Array> = []
  for (let i = 0; i < count; i++) {
    const start = r.p
    skipLedgerCloseMeta(r)
    ledgers.push(bytes.subarray(start, r.p))
  }
  if (endSequence - startSequence + 1 !== count) {
    const what = `the batch says ${startSequence} to ${endSequence} and holds ${count} ledgers`
    throw XdrError.make("length", "ledgerCloseMetaBatch.ledgerCloseMetas", 8, what)
  }
  return { startSequence, endSequence, ledgers }
}

/** Packs ledgers, each the XDR of one `LedgerCloseMeta`, into a batch. Nothing is checked but the count. Throws {@link XdrError.XdrError}. */
export const encodeBatch = (start: number, end: number, ledgers: ReadonlyArray<Uint8Array>): Uint8Array => {
  const w = new XdrWriter()
  w.u32(start)
  w.u32(end)
  w.exactly(ledgers.length, end - start + 1)
  w.u32(ledgers.length)
  for (const ledger of ledgers) w.raw(ledger)
  return w.take()
}
