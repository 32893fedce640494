/**
 * What keeps this Node process alive, as far as Node can tell.
 *
 * @module
 */

/** The standard streams, which Node lists among its resources although they keep nothing alive by themselves. */
export const standardStreams = (): ReadonlyArray<string> =>
  [process.stdin, process.stdout, process.stderr].flatMap((stream) => {
    const { _handle: handle } = stream as {
      readonly _handle?: { readonly constructor: { readonly name: string } }
    }
    const name = handle?.constructor.name
    return name === "Pipe" ? ["PipeWrap"] : name === "TTY" ? ["TTYWrap"] : []
  })

/** Kinds of resources with their number, `Timeout × 2`, in the order of their names; without the standard streams. Empty: nothing is known to. */
export const list = (): ReadonlyArray<string> => {
  const counts = new Map<string, number>()
  // Asked for first: a stream is made when it is first looked at, and must then be in both sums.
  const streams = standardStreams()
  for (const kind of process.getActiveResourcesInfo()) counts.set(kind, (counts.get(kind) ?? 0) + 1)
  // A turn of the event loop that is due keeps nothing alive beyond itself.
  counts.delete("Immediate")
  for (const kind of streams) counts.set(kind, (counts.get(kind) ?? 0) - 1)
  return [...counts]
    .filter(([, count]) => count > 0)
    .toSorted(([a], [b]) => a.localeCompare(b))
    .map(([kind, count]) => (count === 1 ? kind : `${kind} × ${count}`))
}
