/**
 * Sessions that outlive their connections, and with a store outside the process also the process.
 *
 * @module
 */
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"

/** A session as it is kept. */
export interface Session {
  /** Which one it is; no secret. */
  readonly id: string
  /** The SHA-256 of its resume token, in hex. The token itself is not kept: who reads the store cannot resume. */
  readonly tokenHash: string
  /** How often it was resumed. Whoever resumes it owns it from then on; what an earlier owner still saves is ignored. */
  readonly epoch: number
  /** Client messages handled in it, over all its connections. */
  readonly total: number
  /** Its channels. */
  readonly channels: ReadonlyArray<string>
  /** The last event that was sent in it; where it began, when there was none. */
  readonly lastEventId: number
  /** When it is forgotten unless it is saved again, in milliseconds since 1970. */
  readonly expiresAt: number
}

/** The store could not be reached, or refused. */
export class SessionStoreError extends Data.TaggedError("SessionStoreError")<{
  /** Why. */
  readonly cause: unknown
}> {}

/** A store. All of it can fail with {@link SessionStoreError}; interrupted, a session is saved or is not, never half. */
export interface Shape {
  /** Keeps these, in place of what was kept of them. One that is kept with a higher epoch is left as it is: its owner is somebody else. */
  readonly save: (sessions: ReadonlyArray<Session>) => Effect.Effect<void, SessionStoreError>
  /**
   * Takes a session over: gives the one with this token's hash, with its epoch raised by one, in the store as well, in one step: of two who claim at the
   * same time the second gets the higher epoch. None when there is none, or it has expired by `now` (milliseconds since 1970).
   */
  readonly claim: (tokenHash: string, now: number) => Effect.Effect<Option.Option<Session>, SessionStoreError>
  /** Forgets what has expired by `now`. A store that does so by itself has nothing to do. */
  readonly sweep: (now: number) => Effect.Effect<void, SessionStoreError>
}

/** The store that the hub keeps its sessions in. */
export class SessionStore extends Context.Tag("stellar-insights/realtime/SessionStore")<
  SessionStore,
  Shape
>() {}

/** A store in memory: sessions survive their connections, not the process. */
export const makeMemory: Effect.Effect<Shape> = Effect.sync(() => {
  const byToken = new Map<string, Session>()
  return {
    save: (sessions) =>
      Effect.sync(() => {
        for (const session of sessions) {
          const kept = byToken.get(session.tokenHash)
          if (kept === undefined || kept.epoch <= session.epoch) byToken.set(session.tokenHash, session)
        }
      }),
    claim: (tokenHash, now) =>
      Effect.sync(() => {
        const kept = byToken.get(tokenHash)
        if (kept === undefined || kept.expiresAt <= now) return Option.none()
        const claimed = { ...kept, epoch: kept.epoch + 1 }
        byToken.set(tokenHash, claimed)
        return Option.some(claimed)
      }),
    sweep: (now) =>
      Effect.sync(() => {
        for (const [hash, session] of byToken) if (session.expiresAt <= now) byToken.delete(hash)
      })
  }
})

/** {@link makeMemory} as a layer. */
export const layerMemory: Layer.Layer<SessionStore> = Layer.effect(SessionStore, makeMemory)
