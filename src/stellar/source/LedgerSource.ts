/**
 * Where ledgers come from, one after the other.
 *
 * A source gives bytes, not facts: it knows how to find the next ledger and wait for it, and nothing of what is in it. Whether the
 * bytes are what they claim to be is decided by whoever decodes them, so that no source has to be trusted.
 */
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import type * as Effect from "effect/Effect"
import type * as Stream from "effect/Stream"

/** One ledger as a source found it. */
export interface RawLedger {
  /** The sequence that the source says these bytes hold; the decoder checks it against the header. */
  readonly sequence: number
  /** XDR of one `LedgerCloseMeta`. */
  readonly bytes: Uint8Array
  /** Where the bytes came from (a path, a URL, `simulated:<seed>`), for messages that name the culprit. */
  readonly object: string
}

/** Why a source cannot go on by itself. */
export type SourceFailure =
  /** An object was there but is not what it must be: truncated, checksum mismatch, not XDR, wrong range. */
  | "corrupt"
  /** An object is not there though later ones are, and did not come for a while: the lake has a gap. */
  | "missing"
  /** The lake or its configuration cannot be read: missing folder, permission, a network that is not the configured one. */
  | "unreadable"

/** The source has met something that waiting does not mend. What is only late or away for a moment is retried inside. */
export class LedgerSourceError extends Data.TaggedError("LedgerSourceError")<{
  readonly reason: SourceFailure
  /** The object or setting at fault. */
  readonly object: string
  /** A whole sentence for the operator. */
  readonly message: string
  readonly cause?: unknown
}> {}

/** What every source offers. */
export interface Shape {
  /** A few words for logs and `/health`, such as `lake ./lake (Public Global Stellar Network ; September 2015)`. */
  readonly description: string
  /** The passphrase of the network that the ledgers belong to. */
  readonly networkPassphrase: string
  /**
   * The sequence to begin with when nothing is stored yet and none is configured: the tip of a lake, the first ledger of a simulation.
   * Ends in {@link LedgerSourceError} when there is none to be found.
   */
  readonly firstSequence: Effect.Effect<number, LedgerSourceError>
  /**
   * Ledgers from `start` on, in order, without end: at the tip it waits for the next one. Fetches a few ledgers ahead, a bounded number.
   *
   * `previousHash` is the hash, 64 lower-case hexadecimal digits, of the ledger before `start`, when the caller has it (its cursor); undefined when
   * nothing is stored yet. Recorded ledgers are what they are, whatever it is. A simulated network chains its first ledger to it, which is how a restart
   * goes on with the same chain without making every ledger since the beginning again.
   *
   * Ends only in {@link LedgerSourceError}. Interrupting it at any point loses nothing: asking again with the same arguments gives the same ledgers.
   */
  readonly ledgers: (
    start: number,
    previousHash: string | undefined
  ) => Stream.Stream<RawLedger, LedgerSourceError>
}

/** The source that the service was configured with. */
export class LedgerSource extends Context.Tag("stellar-insights/stellar/LedgerSource")<
  LedgerSource,
  Shape
>() {}
