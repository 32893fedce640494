/** A case as layers that do what it says, and write down what really happened to them. */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import type { Hook as LibraryHook } from "../../src/lifecycle/Hooks.js"
import * as Lifecycle from "../../src/lifecycle/Lifecycle.js"
import * as Resource from "../../src/lifecycle/Resource.js"
import * as Task from "../../src/lifecycle/Task.js"
import * as Case from "./Case.js"
import * as Graph from "./Graph.js"

/** Something that was done, and how it ended. */
export interface Doing {
  readonly start: number
  end: number | undefined
  how: "well" | "badly" | "interrupted" | undefined
}

/** One acquisition, as the part itself saw it. */
export interface Seen {
  readonly index: number
  readonly isInner: boolean
  readonly name: string
  /** What it was really built on. */
  readonly on: ReadonlyArray<Seen>
  readonly acquire: Doing
  readonly releases: Array<Doing>
  readonly units: Array<Doing>
}

/** What the parts write down. */
export interface Notes {
  readonly now: () => number
  readonly seen: Array<Seen>
  readonly quiesces: Array<{ readonly name: string } & Doing>
  readonly hooks: Array<{ readonly name: string } & Doing>
  /** Names in the order in which hooks were added, and when. */
  readonly added: Array<{
    readonly name: string
    readonly when: Case.Hook["when"]
    readonly at: number
    readonly hook: Case.Hook
  }>
}

/** A failure that a case asked for. */
export class Planned extends Error {}

type AnyLayer = Layer.Layer<unknown, unknown, never>

/** Effect's own one holds a timer, which would keep the process alive. */
const never = Effect.async<never>(() => {})

const does = (notes: Notes, doing: Doing, work: Case.Work): Effect.Effect<void, Planned> => {
  const wait = work.takes === null ? never : work.takes === 0 ? Effect.void : Effect.sleep(work.takes)
  const end =
    work.ends === "well"
      ? Effect.void
      : work.ends === "fails"
        ? Effect.fail(new Planned("planned"))
        : Effect.die(new Planned("planned"))
  return (work.stubborn ? Effect.uninterruptible : Effect.interruptible)(Effect.zipRight(wait, end)).pipe(
    Effect.onExit((exit) =>
      Effect.sync(() => {
        doing.end = notes.now()
        doing.how = Exit.isSuccess(exit) ? "well" : Exit.isInterrupted(exit) ? "interrupted" : "badly"
      })
    )
  )
}

const begin = <A>(notes: Notes, list: Array<Doing & A>, more: A): Doing => {
  const doing = { start: notes.now(), end: undefined, how: undefined, ...more }
  list.push(doing)
  return doing
}

/** Acquires and, when its scope closes, releases; both as the case says. */
const resource = (
  notes: Notes,
  seen: Omit<Seen, "acquire" | "releases" | "units">,
  of: { readonly acquire: Case.Work; readonly release: Case.Work }
) =>
  Effect.acquireRelease(
    Effect.suspend(() => {
      const made: Seen = {
        ...seen,
        acquire: { start: notes.now(), end: undefined, how: undefined },
        releases: [],
        units: []
      }
      notes.seen.push(made)
      return Effect.as(does(notes, made.acquire, of.acquire), made)
    }),
    (made) => Effect.orDie(Effect.suspend(() => does(notes, begin(notes, made.releases, {}), of.release)))
  )

const tagOf = (name: string) => Context.GenericTag<string, Seen>(name)

const partLayer = (notes: Notes, part: Case.Part, index: number) => {
  const name = Case.nameOf(index)
  const innerTag = tagOf(Case.innerNameOf(index))
  return Layer.scoped(
    tagOf(name),
    Effect.gen(function* () {
      const lifecycle = yield* Lifecycle.Lifecycle
      const on = yield* Effect.forEach(part.needs, (need) => tagOf(Case.nameOf(need)))
      if (part.inner !== null) on.push(yield* innerTag)
      const seen = yield* resource(notes, { index, isInner: false, name, on }, part)
      if (part.quiesce !== null) {
        const { limit, work } = part.quiesce
        const run = Effect.suspend(() => does(notes, begin(notes, notes.quiesces, { name }), work))
        yield* lifecycle.addQuiesce({ name, limit: Duration.millis(limit), run })
      }
      for (const [i, hook] of part.hooks.entries()) {
        const hookName = `${name}.hook${i}`
        const run = Effect.suspend(() =>
          does(notes, begin(notes, notes.hooks, { name: hookName }), hook.work)
        )
        notes.added.push({ name: hookName, when: hook.when, at: notes.now(), hook })
        yield* lifecycle.addHook({
          name: hookName,
          when: hook.when,
          limit: Duration.millis(hook.limit),
          run
        } satisfies LibraryHook)
      }
      if (part.task !== null) {
        const { failsAt, limit, pause, unit } = part.task
        yield* Task.run({
          name: `${name}.task`,
          limit: Duration.millis(limit),
          next: Effect.sleep(pause),
          unit: () =>
            Effect.suspend(() => {
              const ends = seen.units.length + 1 === failsAt ? "fails" : unit.ends
              return does(notes, begin(notes, seen.units, {}), { ...unit, ends })
            })
        })
      }
      return seen
    })
  )
}

const innerLayer = (notes: Notes, inner: Case.Inner, index: number): AnyLayer => {
  const name = Case.innerNameOf(index)
  const made = Layer.scoped(tagOf(name), resource(notes, { index, isInner: true, name, on: [] }, inner))
  return (inner.named
    ? Resource.named(name, { limit: Duration.millis(inner.limit) })(made)
    : made) as unknown as AnyLayer
}

const inShell = (shell: Case.Part["shell"], layer: AnyLayer): AnyLayer => {
  switch (shell) {
    case "none":
      return layer
    case "suspend":
      return Layer.suspend(() => layer)
    case "unwrap":
      return Layer.unwrapEffect(Effect.succeed(layer))
    case "passthrough":
      return Layer.passthrough(layer)
  }
}

/** The app of a case; `also` is done first, outside the graph. */
export const layer = (
  notes: Notes,
  of: Case.Case,
  also: Effect.Effect<void, never, Lifecycle.Lifecycle>
): Layer.Layer<unknown, unknown, Lifecycle.Lifecycle> => {
  const layers: Array<AnyLayer> = []
  of.parts.forEach((part, index) => {
    const raw = partLayer(notes, part, index) as unknown as AnyLayer
    const whole = part.inner === null ? raw : Layer.provide(raw, innerLayer(notes, part.inner, index))
    const named = part.named
      ? (Resource.named(Case.nameOf(index), { limit: Duration.millis(part.limit) })(
          whole
        ) as unknown as AnyLayer)
      : whole
    const needs = part.needs.map((need) =>
      part.fresh.includes(need) ? Layer.fresh(layers[need]!) : layers[need]!
    )
    const own = inShell(part.shell, named)
    const provided = part.chained
      ? needs.reduce((built, need) => Layer.provide(built, need), own)
      : needs.length === 0
        ? own
        : Layer.provide(own, needs as unknown as [AnyLayer, ...Array<AnyLayer>])
    layers.push(provided)
  })
  const all = Graph.roots(of).map((root) => layers[root]!)
  return Layer.mergeAll(Layer.effectDiscard(also), ...all) as unknown as Layer.Layer<
    unknown,
    unknown,
    Lifecycle.Lifecycle
  >
}
