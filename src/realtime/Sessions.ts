/** The sessions of a hub: who has which, and what of it is in the store. */
import type * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import type { Client } from "./Client.js"
import type { HubConfig } from "./HubConfig.js"
import * as LiveSession from "./LiveSession.js"
import * as Protocol from "./Protocol.js"
import type * as SessionStore from "./SessionStore.js"

/** Sessions written in one call. */
const batch = 500

/** Sessions of ended connections that are kept here while the store does not take them. */
const mostDeparted = 20_000

/** The sessions. */
export interface Sessions {
  /** The connection's session is the one of its client from now on. */
  readonly attach: (client: Client) => void
  /** The client has gone on with another session; the one that it had is not needed any more. */
  readonly replace: (previous: LiveSession.LiveSession, client: Client) => void
  /** The connection has ended: its session is saved soon. */
  readonly detach: (client: Client) => void
  /** Takes over the session with this token, from the store or from another connection, which is closed. None when it is not known or cannot be had. Never fails. */
  readonly claim: (token: string, by: Client) => Effect.Effect<Option.Option<LiveSession.LiveSession>>
  /** Saves the sessions of these clients, as far as they have changed, and those of ended connections. False when the store did not take them. Never fails. */
  readonly save: (clients: Iterable<Client>) => Effect.Effect<boolean>
  /** Saves at intervals, and soon after a connection has ended, for as long as the scope is open. */
  readonly run: Effect.Effect<void, never, Scope.Scope>
}

/** The sessions of one hub. */
export const make = (
  store: SessionStore.Shape,
  config: HubConfig,
  now: () => number,
  clients: ReadonlySet<Client>
): Effect.Effect<Sessions, never, Scope.Scope> =>
  Effect.gen(function* () {
    const ttl = Duration.toMillis(config.sessionTtl)
    const owners = new Map<string, Client>()
    const departed = new Map<string, LiveSession.LiveSession>()
    const leaving = yield* Effect.acquireRelease(Queue.sliding<void>(1), Queue.shutdown)
    const lock = yield* Effect.makeSemaphore(1)
    let isAway = false

    /** Of an outage of the store there is one warning, whoever meets with it first; what follows is for those who look closer. */
    const failed =
      (what: string, annotations: Record<string, string | number>) => (cause: Cause.Cause<unknown>) =>
        Effect.suspend(() => {
          const log = isAway ? Effect.logDebug : Effect.logWarning
          isAway = true
          return Effect.annotateLogs(log(what, cause), annotations)
        })
    const worked = Effect.suspend(() => {
      if (!isAway) return Effect.void
      isAway = false
      return Effect.annotateLogs(Effect.logInfo("sessions can be saved again"), {
        event_type: "ws_session_store_back"
      })
    })

    /** Nobody is connected with it any more: it is saved with the next. */
    const keep = (session: LiveSession.LiveSession) => {
      if (departed.size >= mostDeparted) departed.delete(departed.keys().next().value!)
      departed.set(session.tokenHash, session)
    }

    const write = (sessions: ReadonlyArray<LiveSession.LiveSession>): Effect.Effect<boolean> =>
      Effect.suspend(() => {
        const expiresAt = now() + ttl
        for (const session of sessions) session.isDirty = false
        return store.save(sessions.map((session) => session.snapshot(expiresAt))).pipe(
          Effect.map(() => {
            for (const session of sessions) session.keptUntil = expiresAt
            return true
          }),
          Effect.zipLeft(worked),
          Effect.onError(() =>
            Effect.sync(() => {
              for (const session of sessions) {
                session.isDirty = true
                // Its connection may have ended meanwhile, when there seemed to be nothing to save.
                if (!owners.has(session.tokenHash)) keep(session)
              }
            })
          ),
          Effect.catchAllCause((cause) =>
            Effect.as(
              failed("sessions could not be saved", {
                event_type: "ws_session_save_failed",
                sessions: sessions.length
              })(cause),
              false
            )
          )
        )
      })

    const save: Sessions["save"] = (some) =>
      Effect.suspend(() => {
        const due = [...departed.values()]
        const half = now() + ttl / 2
        for (const { session } of some) if (session.isDirty || session.keptUntil < half) due.push(session)
        const slices = Array.from({ length: Math.ceil(due.length / batch) }, (_, i) =>
          due.slice(i * batch, (i + 1) * batch)
        )
        return Effect.reduce(slices, true, (all, slice) =>
          Effect.map(write(slice), (saved) => {
            if (saved) {
              for (const session of slice) {
                if (departed.get(session.tokenHash) === session) departed.delete(session.tokenHash)
              }
            }
            return all && saved
          })
        )
      }).pipe(lock.withPermits(1))

    const detach: Sessions["detach"] = (client) => {
      const { session } = client
      if (owners.get(session.tokenHash) !== client) return
      owners.delete(session.tokenHash)
      if (!session.isDirty && session.keptUntil > now() + ttl / 2) return
      keep(session)
      leaving.unsafeOffer(void 0)
    }

    const claim: Sessions["claim"] = (token, by) =>
      Effect.gen(function* () {
        const hash = LiveSession.hashOf(token)
        const owner = owners.get(hash)
        if (owner === by) return Option.some(by.session)
        if (owner !== undefined) {
          const { session } = owner
          owners.delete(hash)
          owner.close(Protocol.CloseCode.resumedElsewhere, "the session was resumed on another connection")
          return Option.some(new LiveSession.LiveSession(token, { ...session, epoch: session.epoch + 1 }))
        }
        // What was said on a connection that has just ended must be in the store, or be had from here.
        yield* save([])
        const kept = departed.get(hash)
        if (kept !== undefined) {
          departed.delete(hash)
          return Option.some(new LiveSession.LiveSession(token, { ...kept, epoch: kept.epoch + 1 }))
        }
        const found = yield* store.claim(hash, now())
        return Option.map(found, (session) => new LiveSession.LiveSession(token, session))
      }).pipe(
        Effect.catchAllCause((cause) =>
          Effect.as(
            failed("a session could not be read", { event_type: "ws_session_claim_failed" })(cause),
            Option.none()
          )
        )
      )

    const interval = Effect.sleep(config.sessionInterval)
    const sweep = Effect.catchAllCause(
      Effect.suspend(() => Effect.zipRight(store.sweep(now()), worked)),
      failed("expired sessions could not be removed", { event_type: "ws_session_sweep_failed" })
    )
    const saveLeft = Effect.zipRight(Queue.take(leaving), save([])).pipe(
      // A store that is down is not asked again for every client that leaves.
      Effect.flatMap((saved) => (saved ? Effect.void : interval)),
      Effect.forever
    )
    const saveAll = Effect.forever(
      Effect.zipRight(
        interval,
        Effect.suspend(() => Effect.zipRight(save(clients), sweep))
      )
    )
    return {
      attach: (client) => void owners.set(client.session.tokenHash, client),
      replace: (previous, client) => {
        if (owners.get(previous.tokenHash) === client) owners.delete(previous.tokenHash)
        owners.set(client.session.tokenHash, client)
      },
      detach,
      claim,
      save,
      run: Effect.asVoid(Effect.zipRight(Effect.forkScoped(saveLeft), Effect.forkScoped(saveAll)))
    }
  })
