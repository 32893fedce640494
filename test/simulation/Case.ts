/**
 * One simulated life, as plain data: what a service is made of, how its parts behave, and what it is told when. All times in milliseconds.
 */

/** Something that takes its time and then goes well, or not. */
export interface Work {
  /** Null for what never ends. */
  readonly takes: number | null
  readonly ends: "well" | "fails" | "dies"
  /** It cannot be interrupted. */
  readonly stubborn: boolean
}

/** A layer of its own inside a part: built first, released last, known to nobody else. */
export interface Inner {
  readonly named: boolean
  readonly limit: number
  readonly acquire: Work
  readonly release: Work
}

/** A hook that a part adds once it is acquired. */
export interface Hook {
  readonly when: "before-release" | "after-release"
  readonly limit: number
  readonly work: Work
}

/** A task that a part runs once it is acquired: pauses and units, in turns. */
export interface Task {
  readonly limit: number
  readonly pause: number
  readonly unit: Work
  /** The unit, counted from 1, that fails; none when null. */
  readonly failsAt: number | null
}

/** A layer. */
export interface Part {
  readonly named: boolean
  readonly limit: number
  /** Parts before this one that it is built on. */
  readonly needs: ReadonlyArray<number>
  /** Those of {@link needs} of which it gets an instance of its own. */
  readonly fresh: ReadonlyArray<number>
  /** What it needs is provided one after the other, the last first, not side by side. */
  readonly chained: boolean
  /** What is put around the layer. */
  readonly shell: "none" | "suspend" | "unwrap" | "passthrough"
  readonly inner: Inner | null
  readonly acquire: Work
  readonly release: Work
  readonly quiesce: { readonly limit: number; readonly work: Work } | null
  readonly hooks: ReadonlyArray<Hook>
  readonly task: Task | null
}

/** Something that the service is told. */
export interface Word {
  /** Before 0: it came before the launch, as a captured signal does. */
  readonly at: number
  readonly what: "SIGTERM" | "SIGINT" | "request" | "interrupt" | "uncaught"
}

/** A whole case. */
export interface Case {
  readonly parts: ReadonlyArray<Part>
  readonly words: ReadonlyArray<Word>
  readonly startup: number
  readonly announce: number
  /** Null where it follows from the rest. */
  readonly whole: number | null
  readonly force: boolean
}

/** The part's name. */
export const nameOf = (index: number): string => `p${index}`
/** The name of what is inside it. */
export const innerNameOf = (index: number): string => `p${index}.inner`
/** Every stage of the budget is set to this, so that the whole follows from the graph. */
export const stageMillis = 10

/** The longest path through them: requests, listener, flush, WebSockets, database, health, telemetry. */
export const pathMillis = 7 * stageMillis

/** Nothing to do. */
export const instantly: Work = { takes: 0, ends: "well", stubborn: false }

/** A part that does nothing of note, for cases written by hand. */
export const part = (options: Partial<Part> = {}): Part => ({
  named: true,
  limit: 1000,
  needs: [],
  fresh: [],
  chained: false,
  shell: "none",
  inner: null,
  acquire: instantly,
  release: instantly,
  quiesce: null,
  hooks: [],
  task: null,
  ...options
})

/** A case in which nothing is told but one SIGTERM, for cases written by hand. */
export const simple = (parts: ReadonlyArray<Part>, options: Partial<Case> = {}): Case => ({
  parts,
  words: [{ at: 10_000, what: "SIGTERM" }],
  startup: 60_000,
  announce: 0,
  whole: null,
  force: true,
  ...options
})

/**
 * The case with what cannot be built put right: needs point backwards, and only what nobody else uses and needs nothing itself stands before another
 * in a chain (anything else would have an order that depends on who comes first).
 */
export const normal = (of: Case): Case => {
  const parts = of.parts.map((each, i) => {
    const needs = [...new Set(each.needs)].filter((need) => need < i && need >= 0)
    return { ...each, needs, fresh: each.fresh.filter((need) => needs.includes(need)) }
  })
  const uses = (index: number) => parts.filter(({ needs }) => needs.includes(index)).length
  return {
    ...of,
    words: of.words
      // Nothing runs yet that could be interrupted.
      .map((word) =>
        word.at < 0 && word.what === "interrupt" ? { ...word, what: "SIGTERM" as const } : word
      )
      .toSorted((a, b) => a.at - b.at),
    parts: parts.map((each) => {
      const first = each.needs.slice(0, -1)
      const canChain = first.every(
        (need) => uses(need) === 1 && parts[need]!.needs.length === 0 && !each.fresh.includes(need)
      )
      return { ...each, chained: each.chained && each.needs.length > 1 && canChain }
    })
  }
}
