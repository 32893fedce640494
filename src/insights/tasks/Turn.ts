/** A turn of the event loop for everybody else, between two statements of a long computation: SQLite answers at once, so fibers would go on without one. */
import * as Effect from "effect/Effect"

/** Lets timers and sockets have their turn. Never fails; interrupting it is free. */
export const turn: Effect.Effect<void> = Effect.sleep(0)
