/** What is wrong with bytes that should be XDR, or with a value that should become XDR. */
import * as Data from "effect/Data"

/** The kinds of fault, in the order in which an operator would want to tell them apart. */
export type XdrFault =
  /** The input ends before the value does. */
  | "truncated"
  /** The value ends before the input does. */
  | "trailing"
  /** A union discriminant or enum value that the schema does not know: damage, or a newer protocol than the decoder. */
  | "unknown_arm"
  /** A length above the schema's maximum, or a count that the rest of the input cannot hold. */
  | "length"
  /** A padding byte that is not zero. */
  | "padding"
  /** A boolean or optional flag that is neither 0 nor 1. */
  | "boolean"
  /** Recursive types nested deeper than {@link MAX_DEPTH}. */
  | "depth"
  /** Encoding only: a number or byte string that the type cannot hold. */
  | "value"

/** The bytes (or the value to encode) break the schema. Nothing was decoded: a decoder returns the whole value or throws this. */
export class XdrError extends Data.TaggedError("XdrError")<{
  /** What kind of fault it is. */
  readonly fault: XdrFault
  /** Where in the value, such as `ledgerCloseMeta.v2.txProcessing[3].txApplyProcessing`; union arms appear by their name. */
  readonly path: string
  /** Where in the input, in bytes from its start. When encoding: bytes already written. */
  readonly offset: number
  /** One sentence with path and offset in it. */
  readonly message: string
}> {}

/**
 * How many values of recursive types (contract values, authorisation trees, claim predicates, quorum sets) may be nested. The Go decoder
 * allows 1500 steps and spends several on each, so nothing that the network accepts comes near; it keeps hostile input off the stack.
 */
export const MAX_DEPTH = 1500

/** Builds the error with its sentence. */
export const make = (fault: XdrFault, path: string, offset: number, what: string): XdrError =>
  new XdrError({
    fault,
    path,
    offset,
    message: `${what} at ${path === "" ? "the value" : path}, byte ${offset}`
  })
