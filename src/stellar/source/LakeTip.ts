/** Where a lake that can only be asked for single objects ends. */
import * as Effect from "effect/Effect"
import * as LakeSchema from "./LakeSchema.js"

/**
 * The first sequence of the newest object, found by asking whether single objects exist: the powers of two first, then halving between the
 * highest that is there and the next that is not. About sixty questions. Undefined when there is no object at a power of two, which does not mean
 * that the lake is empty: one that begins late can lie between two of them. Takes for granted that a lake has no gaps above where it begins.
 * Ends in what `exists` ends in.
 */
export const probe = Effect.fnUntraced(function* <E>(
  schema: LakeSchema.LakeSchema,
  exists: (sequence: number) => Effect.Effect<boolean, E>
) {
  const powers = Array.from({ length: 31 }, (_, i) => 2 ** (i + 1))
  const there = yield* Effect.forEach(powers, exists, { concurrency: 8 })
  const highest = there.lastIndexOf(true)
  if (highest === -1) return undefined
  let low = powers[highest]!
  let high = powers[highest + 1] ?? LakeSchema.lastSequence
  while (high - low > schema.ledgersPerBatch) {
    const middle = low + Math.floor((high - low) / 2)
    if (yield* exists(middle)) low = middle
    else high = middle
  }
  // The two are neighbours now, or within one object and the next.
  const next = LakeSchema.batchOf(schema, low).end + 1
  const newest = next < high && (yield* exists(next)) ? next : low
  return LakeSchema.batchOf(schema, newest).start
})
