/**
 * The hub's sessions in the database: a client may come back to another process that has the same file.
 *
 * Saving is one transaction of multi-row statements, claiming a transaction of one statement; both queue behind the ledger that is being written, for some milliseconds.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as SessionStore from "../../realtime/SessionStore.js"
import * as Database from "../Database.js"
import * as BulkInsert from "../tables/BulkInsert.js"

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

/** The store in a database. */
export const make = ({ transaction, write }: Database.Shape): SessionStore.Shape => {
  const failed = (cause: unknown) => new SessionStore.SessionStoreError({ cause })
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
    claim: Effect.fn("SqlSessions.claim")((tokenHash, now) =>
      transaction(
        write<Row>`UPDATE realtime_session SET epoch = epoch + 1 WHERE token_hash = ${tokenHash} AND expires_at > ${now}
          RETURNING id, token_hash AS "tokenHash", epoch, total, channels, last_event_id AS "lastEventId", expires_at AS "expiresAt"`
      ).pipe(
        Effect.map(([row]) => Option.map(Option.fromNullable(row), toSession)),
        Effect.mapError(failed)
      )
    ),
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
