/** Made-up parts of a service: a layer with a tag of its own, that takes its time and leaves marks. */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Lifecycle from "../../src/lifecycle/Lifecycle.js"
import * as Resource from "../../src/lifecycle/Resource.js"

export interface Options {
  /** What the acquisition does first; it can be interrupted meanwhile unless `stubborn`. */
  readonly acquire?: Effect.Effect<void, Error>
  /** The acquisition cannot be interrupted. */
  readonly stubborn?: boolean
  /** What the release does. */
  readonly release?: Effect.Effect<void>
  readonly limit?: Duration.DurationInput
}

/** A named part. Marks `+name` when acquired, `-name` when its release is over. */
export const part = (name: string, marks: Array<string>, options: Options = {}) => {
  const tag = Context.GenericTag<string, string>(name)
  const layer = Layer.scoped(
    tag,
    Effect.acquireRelease(
      Effect.zipRight(
        (options.stubborn === true ? Effect.uninterruptible : Effect.interruptible)(
          options.acquire ?? Effect.void
        ),
        Effect.sync(() => {
          marks.push(`+${name}`)
          return name
        })
      ),
      () =>
        Effect.zipRight(
          options.release ?? Effect.void,
          Effect.sync(() => marks.push(`-${name}`))
        )
    )
  )
  return Resource.named(name, { limit: Duration.decode(options.limit ?? "5 seconds") })(layer)
}

export type Part = Layer.Layer<string, Error | Resource.AcquisitionTimedOut, Lifecycle.Lifecycle>
