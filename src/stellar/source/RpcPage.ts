/** The result of `getLedgers`: some ledgers in a row, each whole. */
import * as Effect from "effect/Effect"
import { skipLedgerCloseMeta } from "../xdr/generated/skip.js"
import { decode } from "../xdr/XdrReader.js"
import type { RawLedger } from "./LedgerSource.js"
import type { RpcBody } from "./RpcBody.js"
import * as RpcFailure from "./RpcFailure.js"

/** What was asked for. */
export interface Wanted {
  /** The first ledger. */
  readonly start: number
  /** How many at most. */
  readonly limit: number
  /** The server, for messages. */
  readonly server: string
}

/** A page as it is used. */
export interface Page {
  /** At least one; the first is the wanted one, and they follow each other. */
  readonly ledgers: ReadonlyArray<RawLedger>
  /** The newest ledger that the server has, as it says; undefined when it does not. */
  readonly latest: number | undefined
}

/** A sequence as a number or, as some servers write it, as text; undefined when it is neither. */
export const sequence = (value: unknown): number | undefined => {
  const number = typeof value === "string" && /^\d{1,10}$/.test(value) ? Number(value) : value
  return typeof number === "number" && Number.isInteger(number) && number >= 0 && number <= 0xffffffff
    ? number
    : undefined
}

/**
 * The page in a result. A ledger that does not follow the one before it or is not a whole `LedgerCloseMeta` ends the page before it; when that is the wanted
 * one, the page is {@link RpcFailure.Wrong}. That each is the ledger that it is said to be is for the decoder to judge.
 */
export const read = (result: object, body: RpcBody, wanted: Wanted): Effect.Effect<Page, RpcFailure.Wrong> =>
  Effect.suspend(() => {
    const { ledgers: listed, latestLedger } = result as Record<string, unknown>
    const ledgers: Array<RawLedger> = []
    for (const entry of Array.isArray(listed)
      ? (listed as ReadonlyArray<unknown>).slice(0, wanted.limit)
      : []) {
      const next = wanted.start + ledgers.length
      const { metadataXdr, sequence: said } = Object(entry) as Record<string, unknown>
      if (sequence(said) !== next) break
      const bytes = body.base64(metadataXdr)
      const flaw = bytes === undefined ? "its metadataXdr is not base64" : flawOf(bytes)
      if (bytes !== undefined && flaw === undefined) {
        ledgers.push({ sequence: next, bytes, object: `${wanted.server} ledger ${next}` })
        continue
      }
      if (ledgers.length > 0) break
      return Effect.fail(
        new RpcFailure.Wrong({ why: `ledger ${next} is corrupt: ${flaw}`, reason: "corrupt" })
      )
    }
    return ledgers.length === 0
      ? Effect.fail(
          new RpcFailure.Wrong({
            why: `a page from ledger ${wanted.start} on is without it`,
            reason: "missing"
          })
        )
      : Effect.succeed<Page>({ ledgers, latest: sequence(latestLedger) })
  })

/** What keeps bytes from being one ledger, if anything; walked, not decoded, which costs a tenth. */
const flawOf = (bytes: Uint8Array): string | undefined => {
  try {
    decode("LedgerCloseMeta", skipLedgerCloseMeta, bytes)
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}
