/**
 * Wakes who waits in another process, and says nothing else: what there is to do then, they find in the database. A word that is lost costs the time until they
 * look by themselves.
 *
 * @module
 */
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type * as Redis from "./Redis.js"

/** Bells by their names. */
export interface Bell {
  /** Rings for every process that listens, this one included. Never fails: without Redis nobody hears it. Takes one `REDIS_COMMAND_TIMEOUT` at most. */
  readonly notify: (name: string) => Effect.Effect<void>
  /**
   * Listens for as long as the scope is open. The effect that it gives ends when the bell was rung, or may have been while nobody could hear it, since that
   * effect last ended; at once when that was so already. It never fails, and interrupting it is free.
   */
  readonly listen: (name: string) => Effect.Effect<Effect.Effect<void>, never, Scope.Scope>
}

/** Bells on channels that begin with `kind`. */
export const make = (redis: Redis.Shape, kind: string): Bell => {
  const channel = (name: string) => redis.key("bell", kind, name)
  return {
    notify: (name) => Effect.ignore(redis.publish(channel(name), "")),
    listen: (name) =>
      Effect.gen(function* () {
        // Once is enough, however often it rang.
        const rung = yield* Queue.sliding<void>(1)
        yield* Effect.forkScoped(Stream.runForEach(redis.listen(channel(name)), () => rung.offer(void 0)))
        return rung.take
      })
  }
}
