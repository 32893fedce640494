/** Makes a failing case smaller for as long as it fails. */
import * as Case from "./Case.js"

/** Runs of a case that shrinking may cost. */
const mostTries = 600

const without = <A>(list: ReadonlyArray<A>, index: number): ReadonlyArray<A> =>
  list.filter((_, i) => i !== index)

const withoutPart = (of: Case.Case, index: number): Case.Case => {
  const moved = (needs: ReadonlyArray<number>, instead: ReadonlyArray<number>) =>
    [...new Set(needs.flatMap((need) => (need === index ? instead : [need])))].map((need) =>
      need > index ? need - 1 : need
    )
  return Case.normal({
    ...of,
    parts: without(of.parts, index).map((part) => ({
      ...part,
      needs: moved(part.needs, of.parts[index]!.needs),
      fresh: moved(part.fresh, [])
    }))
  })
}

const worksOf = (work: Case.Work): ReadonlyArray<Case.Work> => [
  ...(work === Case.instantly ? [] : [Case.instantly]),
  ...(work.ends === "well" ? [] : [{ ...work, ends: "well" as const }]),
  ...(work.stubborn ? [{ ...work, stubborn: false }] : []),
  ...(work.takes === null || work.takes < 2 ? [] : [{ ...work, takes: Math.floor(work.takes / 2) }])
]

const rounder = (millis: number): ReadonlyArray<number> => {
  const round = millis > 1000 ? Math.round(millis / 1000) * 1000 : Math.round(millis / 100) * 100
  return round === millis || round <= 0 ? [] : [round]
}

function* partsOf(part: Case.Part): Generator<Case.Part> {
  if (part.task !== null) yield { ...part, task: null }
  if (part.quiesce !== null) yield { ...part, quiesce: null }
  if (part.inner !== null) yield { ...part, inner: null }
  for (const i of part.hooks.keys()) yield { ...part, hooks: without(part.hooks, i) }
  for (const i of part.needs.keys()) yield { ...part, needs: without(part.needs, i) }
  if (part.fresh.length > 0) yield { ...part, fresh: [] }
  if (part.chained) yield { ...part, chained: false }
  if (part.shell !== "none") yield { ...part, shell: "none" }
  if (!part.named) yield { ...part, named: true }
  for (const acquire of worksOf(part.acquire)) yield { ...part, acquire }
  for (const release of worksOf(part.release)) yield { ...part, release }
  for (const limit of rounder(part.limit)) yield { ...part, limit }
  for (const limit of part.quiesce === null ? [] : rounder(part.quiesce.limit))
    yield { ...part, quiesce: { ...part.quiesce!, limit } }
  for (const work of part.quiesce === null ? [] : worksOf(part.quiesce.work))
    yield { ...part, quiesce: { ...part.quiesce!, work } }
  for (const [i, hook] of part.hooks.entries()) {
    for (const work of worksOf(hook.work))
      yield { ...part, hooks: part.hooks.map((h, k) => (k === i ? { ...h, work } : h)) }
    for (const limit of rounder(hook.limit))
      yield { ...part, hooks: part.hooks.map((h, k) => (k === i ? { ...h, limit } : h)) }
  }
  if (part.inner !== null) {
    for (const acquire of worksOf(part.inner.acquire)) yield { ...part, inner: { ...part.inner, acquire } }
    for (const release of worksOf(part.inner.release)) yield { ...part, inner: { ...part.inner, release } }
  }
}

/** What is a little simpler, the boldest first. */
function* simpler(of: Case.Case): Generator<Case.Case> {
  if (of.parts.length > 1) for (let i = of.parts.length - 1; i >= 0; i--) yield withoutPart(of, i)
  if (of.words.length > 1) for (const i of of.words.keys()) yield { ...of, words: without(of.words, i) }
  if (of.whole !== null) yield { ...of, whole: null }
  if (of.announce > 0) yield { ...of, announce: 0 }
  if (!of.force) yield { ...of, force: true }
  if (of.startup !== 60_000) yield { ...of, startup: 60_000 }
  for (const [i, part] of of.parts.entries()) {
    for (const smaller of partsOf(part))
      yield Case.normal({ ...of, parts: of.parts.map((p, k) => (k === i ? smaller : p)) })
  }
  for (const [i, word] of of.words.entries()) {
    const to = (change: Partial<Case.Word>) =>
      Case.normal({ ...of, words: of.words.map((w, k) => (k === i ? { ...w, ...change } : w)) })
    if (word.what !== "SIGTERM") yield to({ what: "SIGTERM" })
    for (const at of rounder(word.at)) yield to({ at })
  }
}

/** The smallest case that still fails, as far as a bounded search finds it. */
export const shrink = (of: Case.Case, fails: (smaller: Case.Case) => boolean): Case.Case => {
  let best = of
  let tries = 0
  for (;;) {
    let found: Case.Case | undefined
    for (const smaller of simpler(best)) {
      if (tries++ > mostTries) return best
      if (fails(smaller)) {
        found = smaller
        break
      }
    }
    if (found === undefined) return best
    best = found
  }
}
