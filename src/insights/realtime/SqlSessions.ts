/**
 * The hub's sessions in the database: a client may come back to another process that has the same file.
 *
 * Saving is one transaction of multi-row statements, and so is claiming: when a thousand clients come back at once, those whose claims were read in one turn of the
 * event loop, or while others were being written, share one. Both queue behind the ledger that is being written, for some milliseconds.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as EventLoop from "../../http/EventLoop.js"
import * as SessionStore from "../../realtime/SessionStore.js"
import * as Database from "../Database.js"
import * as BulkInsert from "../tables/BulkInsert.js"

/** Sessions claimed in a statement, the most first: a handful of texts, which the connection prepares once. */
const sizes = [64, 8, 1]

interface Row {
  readonly id: string
  readonly tokenHash: string
  readonly epoch: number
  readonly total: number
  readonly channels: string
  readonly lastEventId: number
  readonly expiresAt: number
}

const toSession = (row: Row): SessionStore.Session => ({
  ...row,
  channels: JSON.parse(row.channels) as ReadonlyArray<string>
})

/** Somebody who waits for a session. */
interface Claim {
  readonly tokenHash: string
  readonly now: number
  exit: Exit.Exit<Option.Option<SessionStore.Session>, SessionStore.SessionStoreError> | undefined
}

const failed = (cause: unknown) => new SessionStore.SessionStoreError({ cause })

/** Claims that come together are one transaction. */
const makeClaim = ({ transaction, write }: Database.Shape): SessionStore.Shape["claim"] => {
  let waiting: Array<Claim> = []
  const lock = Effect.unsafeMakeSemaphore(1)

  const raise = (claims: ReadonlyArray<Claim>) =>
    Effect.gen(function* () {
      const found = new Map<string, SessionStore.Session>()
      for (let at = 0; at < claims.length;) {
        const size = sizes.find((some) => some <= claims.length - at)!
        const some = claims.slice(at, at + size)
        const hashes = some.map(({ tokenHash }) => tokenHash)
        const since = Math.min(...some.map(({ now }) => now))
        const rows =
          yield* write<Row>`UPDATE realtime_session SET epoch = epoch + 1 WHERE ${write.in("token_hash", hashes)} AND expires_at > ${since}
          RETURNING id, token_hash AS "tokenHash", epoch, total, channels, last_event_id AS "lastEventId", expires_at AS "expiresAt"`
        for (const row of rows) found.set(row.tokenHash, toSession(row))
        at += size
      }
      return found
    })

  /** Claims for all who wait, but of two who want the same session for the first one only. */
  const together = Effect.suspend(() => {
    const claims = new Map<string, Claim>()
    const later: Array<Claim> = []
    for (const claim of waiting) {
      if (claims.has(claim.tokenHash)) later.push(claim)
      else claims.set(claim.tokenHash, claim)
    }
    waiting = later
    const all = [...claims.values()]
    return transaction(raise(all)).pipe(
      Effect.mapError(failed),
      Effect.onExit((exit) =>
        Effect.sync(() => {
          if (Exit.isInterrupted(exit)) {
            // Only this one is: the others wait for the lock, and will look after themselves.
            waiting.unshift(...all)
            return
          }
          for (const claim of all) {
            const { now, tokenHash } = claim
            claim.exit = Exit.map(exit, (found) =>
              Option.filter(Option.fromNullable(found.get(tokenHash)), ({ expiresAt }) => expiresAt > now)
            )
          }
        })
      ),
      Effect.ignore
    )
  })

  const settle = (claim: Claim): Effect.Effect<void> =>
    Effect.suspend(() => (claim.exit === undefined ? Effect.zipRight(together, settle(claim)) : Effect.void))

  return Effect.fn("SqlSessions.claim")((tokenHash, now) => {
    const claim: Claim = { tokenHash, now, exit: undefined }
    return Effect.suspend(() => {
      waiting.push(claim)
      return Effect.zipRight(EventLoop.turn, lock.withPermits(1)(settle(claim)))
    }).pipe(
      Effect.onInterrupt(() => Effect.sync(() => (waiting = waiting.filter((other) => other !== claim)))),
      Effect.zipRight(Effect.suspend(() => claim.exit!))
    )
  })
}

/** The store in a database. */
export const make = (database: Database.Shape): SessionStore.Shape => {
  const { transaction, write } = database
  const insert = BulkInsert.make(write, {
    table: "realtime_session",
    columns: ["token_hash", "id", "epoch", "total", "channels", "last_event_id", "expires_at"],
    onConflict: `ON CONFLICT (token_hash) DO UPDATE SET epoch = excluded.epoch, total = excluded.total, channels = excluded.channels,
      last_event_id = excluded.last_event_id, expires_at = excluded.expires_at WHERE excluded.epoch >= realtime_session.epoch`
  })
  return {
    save: Effect.fn("SqlSessions.save")((sessions) => {
      // Rows of one statement must not meet each other, so of one session the last word goes in.
      const last = new Map(sessions.map((session) => [session.tokenHash, session]))
      const rows = [...last.values()].map(
        ({ channels, epoch, expiresAt, id, lastEventId, tokenHash, total }) =>
          [tokenHash, id, epoch, total, JSON.stringify(channels), lastEventId, expiresAt] as const
      )
      return rows.length === 0 ? Effect.void : Effect.mapError(transaction(insert(rows)), failed)
    }),
    claim: makeClaim(database),
    sweep: Effect.fn("SqlSessions.sweep")((now) =>
      transaction(write`DELETE FROM realtime_session WHERE expires_at <= ${now}`).pipe(
        Effect.asVoid,
        Effect.mapError(failed)
      )
    )
  }
}

/** The store in the service's database. */
export const layer: Layer.Layer<SessionStore.SessionStore, never, Database.Database> = Layer.effect(
  SessionStore.SessionStore,
  Effect.map(Database.Database, make)
)
