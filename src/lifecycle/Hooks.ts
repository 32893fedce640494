/**
 * Named cleanup that anybody may add, before the graph is released or after.
 *
 * Most cleanup belongs in the layer that holds the resource. A hook is for what has no layer, or must happen around all of them: a message to
 * a coordinator first, a file closed last. Hooks run in the reverse of the order in which they were added, one after the other; one that fails
 * or hangs does not stop the others.
 *
 * @module
 */
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Lifecycle from "./Lifecycle.js"
import * as Reported from "./Reported.js"

/** When a hook runs. */
export type When = "before-release" | "after-release"

/** One hook. */
export interface Hook {
  /** How logs and the report call it. */
  readonly name: string
  /** Around which end of the graph's release it runs. */
  readonly when: When
  /** How long it may take; its time is kept free like a named release's. */
  readonly limit: Duration.Duration
  /** What it does: an effect, or a function that may return a promise (which cannot be interrupted, only given up). */
  readonly run: Effect.Effect<unknown, unknown> | (() => unknown)
}

const workOf = ({ run }: Hook): Effect.Effect<unknown, unknown> =>
  Effect.isEffect(run)
    ? Effect.interruptible(run as Effect.Effect<unknown, unknown>)
    : Effect.tryPromise({ try: async () => run(), catch: (error) => error })

/** The time that hooks need together, in milliseconds. */
export const sum = (hooks: ReadonlyArray<Hook>): number =>
  hooks.reduce((total, { limit }) => total + Duration.toMillis(limit), 0)

/** Those of one moment, in the order in which they run. */
export const due = (hooks: ReadonlyArray<Hook>, when: When): ReadonlyArray<Hook> =>
  hooks.filter((hook) => hook.when === when).toReversed()

/**
 * Runs hooks one after the other, each within its limit and with `reserveMillis` left when the last one ends. A second signal starts all that are
 * left at once. Never fails.
 */
export const run = (
  lifecycle: Lifecycle.Shape,
  hooks: ReadonlyArray<Hook>,
  reserveMillis: number
): Effect.Effect<void> =>
  Effect.gen(function* () {
    const ended = yield* Effect.forEach(hooks, () => Deferred.make<void>())
    const turnOf = (i: number) =>
      i === 0
        ? Effect.void
        : Effect.interruptible(
            Effect.raceFirst(Deferred.await(ended[i - 1]!), lifecycle.internal.stopping.hurried)
          )
    yield* Effect.forEach(
      hooks,
      (hook, i) =>
        turnOf(i).pipe(
          Effect.zipRight(
            Reported.run(lifecycle, {
              step: { kind: "hook", name: hook.name },
              limitMillis: Duration.toMillis(hook.limit),
              reserveMillis: reserveMillis + sum(hooks.slice(i + 1)),
              work: workOf(hook)
            })
          ),
          Effect.ensuring(Deferred.succeed(ended[i]!, void 0))
        ),
      { concurrency: "unbounded", discard: true }
    )
  })
