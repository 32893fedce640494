/**
 * What layers have to say about themselves in `/health`, by section.
 *
 * @module
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"

/** What a section may hold: anything that JSON can. */
export type Json = string | number | boolean | null | ReadonlyArray<Json> | { readonly [key: string]: Json }

/** The registry. */
export interface Shape {
  /** Adds a section for as long as the scope is open; of two with one name the later shows. It is asked each time, so it must be quick; what it fails in shows as `error`. */
  readonly add: (
    name: string,
    details: Effect.Effect<Json, unknown>
  ) => Effect.Effect<void, never, Scope.Scope>
  /** Every section as of now. Never fails. */
  readonly all: Effect.Effect<{ readonly [name: string]: Json }>
}

/** Sections of `/health`. */
export class HealthDetails extends Context.Tag("stellar-insights/http/HealthDetails")<
  HealthDetails,
  Shape
>() {}

/** A registry with nothing in it. */
export const make: Effect.Effect<Shape> = Effect.sync(() => {
  const sections = new Set<{ readonly name: string; readonly details: Effect.Effect<Json> }>()
  return {
    add: (name, details) =>
      Effect.acquireRelease(
        Effect.sync(() => {
          const section = {
            name,
            details: Effect.catchAllCause(details, (cause) =>
              Effect.succeed<Json>({ error: Cause.pretty(cause).split("\n")[0] ?? "unknown" })
            )
          }
          sections.add(section)
          return section
        }),
        (section) => Effect.sync(() => sections.delete(section))
      ).pipe(Effect.asVoid),
    all: Effect.map(
      Effect.suspend(() =>
        Effect.forEach([...sections], ({ details, name }) =>
          Effect.map(details, (json) => [name, json] as const)
        )
      ),
      Object.fromEntries
    )
  }
})

/** The registry as a layer. */
export const layer: Layer.Layer<HealthDetails> = Layer.effect(HealthDetails, make)
