/** Random cases. */
import * as Case from "./Case.js"
import * as Graph from "./Graph.js"
import * as Random from "./Random.js"

/** How often what goes wrong in one case. */
interface Mood {
  readonly start: number
  readonly stop: number
  readonly never: number
}

/** No more instances than this, fresh ones included. */
const mostInstances = 30

/** The case of a seed. */
export const make = (seed: number): Case.Case => {
  const random = Random.make(seed)
  const mood: Mood = {
    start: random.chance(0.75) ? 0 : 0.08,
    stop: random.pick([0, 0.1, 0.3]),
    never: random.pick([0, 0.05, 0.2])
  }
  const size = random.chance(0.06) ? random.int(18, 30) : random.int(1, 13)
  const draft: Case.Case = Case.normal({
    parts: Array.from({ length: size }, (_, i) => part(random, mood, i)),
    words: [],
    startup: random.chance(0.9) ? 60_000 : random.int(200, 6000),
    announce: random.chance(0.6) ? 0 : random.int(1, 2000),
    whole: null,
    force: random.chance(0.9)
  })
  const fits = Graph.expand(draft).length <= mostInstances
  const of = fits ? draft : { ...draft, parts: draft.parts.map((each) => ({ ...each, fresh: [] })) }
  const told = { ...of, words: words(random, of), whole: whole(random, of) }
  return Case.normal(random.chance(0.1) ? { ...told, words: [...told.words, late(random, told)] } : told)
}

const duration = (random: Random.Random): number => {
  const kind = random.next()
  if (kind < 0.3) return 0
  if (kind < 0.6) return random.int(1, 200)
  return kind < 0.9 ? random.int(200, 2500) : random.int(2500, 8000)
}

const work = (random: Random.Random, bad: number, never: number): Case.Work => ({
  takes: random.chance(never) ? null : duration(random),
  ends: random.chance(bad) ? random.pick(["fails", "dies"]) : "well",
  stubborn: random.chance(0.3)
})

const limit = (random: Random.Random): number => random.int(50, random.chance(0.5) ? 800 : 5000)

const part = (random: Random.Random, mood: Mood, index: number): Case.Part => {
  const needs = Array.from({ length: index === 0 ? 0 : random.pick([0, 1, 1, 1, 2, 2, 3]) }, () =>
    random.chance(0.5) ? random.int(Math.max(0, index - 3), index - 1) : random.int(0, index - 1)
  )
  const acquire = () => {
    const made = work(random, mood.start, mood.start / 2)
    return made.takes !== null && random.chance(0.5) ? { ...made, takes: made.takes % 300 } : made
  }
  return {
    named: random.chance(0.85),
    limit: limit(random),
    needs,
    fresh: needs.filter(() => random.chance(0.08)),
    chained: random.chance(0.5),
    shell: random.chance(0.8) ? "none" : random.pick(["suspend", "unwrap", "passthrough"]),
    inner: random.chance(0.12)
      ? {
          named: random.chance(0.4),
          limit: limit(random),
          acquire: acquire(),
          release: work(random, mood.stop, mood.never)
        }
      : null,
    acquire: acquire(),
    release: work(random, mood.stop, mood.never),
    quiesce: random.chance(0.25) ? { limit: limit(random), work: work(random, mood.stop, mood.never) } : null,
    hooks: Array.from({ length: random.chance(0.15) ? random.int(1, 2) : 0 }, () => ({
      when: random.pick(["before-release", "after-release"]),
      limit: limit(random),
      work: work(random, mood.stop, mood.never)
    })),
    task: random.chance(0.08)
      ? {
          limit: limit(random),
          pause: random.int(150, 2500),
          unit: { ...work(random, 0, mood.never / 2), takes: random.int(0, 1500) },
          failsAt: random.chance(0.1) ? random.int(1, 3) : null
        }
      : null
  }
}

/** When everything that comes to an end in the start would be over. */
const startMillis = (of: Case.Case): number => {
  const end = new Map<Graph.Instance, number>()
  for (const each of Graph.expand(of)) {
    const own = (each.part.acquire.takes ?? 0) + (each.part.inner?.acquire.takes ?? 0)
    end.set(each, Math.max(0, ...each.on.map((below) => end.get(below)!)) + own)
  }
  return Math.max(0, ...end.values())
}

const words = (random: Random.Random, of: Case.Case): ReadonlyArray<Case.Word> => {
  const start = startMillis(of)
  const first = random.chance(0.03)
    ? -1
    : random.chance(0.2)
      ? random.int(0, start + 10)
      : start + random.int(1, 4000)
  const other = (): Case.Word["what"] =>
    random.pick(["SIGTERM", "SIGINT", "request", "interrupt", "uncaught"])
  const all: Array<Case.Word> = [{ at: first, what: random.chance(0.6) ? "SIGTERM" : other() }]
  const after = random.pick([0, 0, 0, 1, 1, 2, 3])
  for (let i = 0; i < after; i++) {
    all.push({
      at: Math.max(first, 0) + random.int(0, random.chance(0.5) ? 600 : 9000),
      what: random.chance(0.6) ? "SIGTERM" : other()
    })
  }
  return all
}

/** A signal when the stop is about to be over: the second of them must not prolong it. */
const late = (random: Random.Random, of: Case.Case): Case.Word => {
  const limit = of.whole ?? Math.max(Graph.needed(of, Graph.expand(of)), of.announce + Case.pathMillis)
  return { at: Math.max(0, of.words[0]!.at) + Math.max(1, limit - random.int(1, 999)), what: "SIGTERM" }
}

const whole = (random: Random.Random, of: Case.Case): number | null => {
  if (random.chance(0.4)) return null
  const needed = Graph.needed(of, Graph.expand(of))
  const least = of.announce + Case.pathMillis
  return Math.max(least, Math.round(needed * (random.chance(0.1) ? 0.9 : 1 + random.next() * random.next())))
}
