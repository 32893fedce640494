/** The schema as data: what the error path is found with, and what properties in tests are made from. */

/** The type of a field, an element or an arm. */
export type Node =
  | "u32"
  | "i32"
  | "u64"
  | "i64"
  | "bool"
  /** Byte string of exactly that many bytes. */
  | { readonly opaque: number }
  /** Byte string of at most that many bytes; XDR strings too, since nothing says that they are text. */
  | { readonly bytes: number }
  /** At most `max` elements of at least `size` bytes each, with a count before them. */
  | { readonly array: Node; readonly max: number; readonly size: number }
  /** Exactly `length` elements. */
  | { readonly fixed: Node; readonly length: number }
  | { readonly option: Node }
  /** A named type, such as `LedgerHeader`. */
  | { readonly ref: string }

/** A named type of the schema. */
export type Named = {
  /** Whether values of the type can hold others of the same type; only these count towards the limit of depth. */
  readonly recursive?: true
} & (
  | { readonly kind: "struct"; readonly fields: ReadonlyArray<readonly [name: string, node: Node]> }
  /** An arm without a node carries nothing. */
  | {
      readonly kind: "union"
      readonly arms: ReadonlyArray<readonly [tag: number, name: string, node?: Node]>
    }
  | { readonly kind: "enum"; readonly members: ReadonlyArray<readonly [value: number, name: string]> }
)
