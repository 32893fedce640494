/**
 * Leases in a table of the database that they protect.
 *
 * Times are those of Effect's clock, in milliseconds since 1970. A SQLite file is used by processes of one machine, so they all have the same clock, and what is over
 * for one is over for all. When that clock is set forward, leases end early: a hand-over, and nothing worse, since it is the epoch that decides who writes. When
 * it is set back, ends lie far ahead; one that lies further ahead than two times its length is not believed, so that a lease whose holder was killed is free again
 * within two lengths even then. Databases that several machines share need the database's own clock in these statements.
 *
 * @module
 */
import type * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Leases from "./Leases.js"

/** What runs a body whose statements go through `write` as one transaction, which holds the write lock from its beginning. */
export type Transaction = <A, E, R>(body: Effect.Effect<A, E, R>) => Effect.Effect<A, E | SqlError, R>

/** The database. */
export interface Options {
  /** For reading. */
  readonly read: SqlClient.SqlClient
  /** For writing, inside {@link transaction}. */
  readonly write: SqlClient.SqlClient
  /** A transaction of {@link write} that no fence guards. */
  readonly transaction: Transaction
}

/**
 * Creates the table: to be run as a migration. Fails with `SqlError`.
 *
 * `ttl` is in milliseconds and `expires_at` in milliseconds since 1970, 0 for a lease that was given back.
 */
export const createTable = (sql: SqlClient.SqlClient): Effect.Effect<void, SqlError> => {
  const int64 = sql.literal(sql.onDialectOrElse({ sqlite: () => "INTEGER", orElse: () => "BIGINT" }))
  const strict = sql.literal(sql.onDialectOrElse({ sqlite: () => "STRICT", orElse: () => "" }))
  return Effect.asVoid(sql`CREATE TABLE lease (
    name TEXT NOT NULL PRIMARY KEY,
    holder TEXT NOT NULL,
    epoch ${int64} NOT NULL,
    ttl ${int64} NOT NULL,
    expires_at ${int64} NOT NULL
  ) ${strict}`)
}

/** The leases in the table `lease` of a database. */
export const make = ({ read, transaction, write }: Options): Leases.Shape => {
  /** The moment is taken inside the transaction: waiting for it may have taken long. */
  const atNow = <A, E>(body: (now: number) => Effect.Effect<A, E>) =>
    Effect.flatMap(Clock.currentTimeMillis, body)
  const isMine = ({ epoch, holder, name }: Leases.Lease) =>
    write.and([write`name = ${name}`, write`epoch = ${epoch}`, write`holder = ${holder}`])
  const orLost =
    ({ epoch, name }: Leases.Lease) =>
    (rows: ReadonlyArray<unknown>) =>
      rows.length > 0 ? Effect.void : Effect.fail(new Leases.LeaseLost({ lease: name, epoch }))

  return {
    acquire: Effect.fn("Leases.acquire")(function* (name, holder, ttl, gone) {
      const millis = Duration.toMillis(ttl)
      const rows = yield* transaction(
        atNow(
          (now) => write<{ epoch: number | string }>`INSERT INTO lease (name, holder, epoch, ttl, expires_at)
            VALUES (${name}, ${holder}, 1, ${millis}, ${now + millis})
            ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, epoch = lease.epoch + 1, ttl = excluded.ttl,
              expires_at = excluded.expires_at
            WHERE lease.expires_at <= ${now} OR lease.expires_at > ${now} + 2 * lease.ttl OR lease.holder = excluded.holder
              OR (lease.holder = ${gone?.holder ?? ""} AND lease.epoch = ${gone?.epoch ?? 0})
            RETURNING epoch`
        )
      )
      // Wide integers are text in some drivers.
      return Option.map(Option.fromNullable(rows[0]), ({ epoch }) => ({
        name,
        holder,
        epoch: Number(epoch),
        ttl
      }))
    }),
    renew: Effect.fn("Leases.renew")((lease) =>
      transaction(
        atNow((now) => {
          const expiresAt = now + Duration.toMillis(lease.ttl)
          return write`UPDATE lease SET expires_at = ${expiresAt} WHERE ${isMine(lease)} AND expires_at > ${now} RETURNING epoch`
        }).pipe(Effect.flatMap(orLost(lease)))
      )
    ),
    release: Effect.fn("Leases.release")((lease) =>
      Effect.asVoid(transaction(write`UPDATE lease SET expires_at = 0 WHERE ${isMine(lease)}`))
    ),
    // It changes nothing, but it is a write: where rows are locked one by one, nobody can take this lease until the transaction has ended.
    fence: (lease) =>
      atNow(
        (now) =>
          write`UPDATE lease SET epoch = epoch WHERE ${isMine(lease)} AND expires_at > ${now} RETURNING epoch`
      ).pipe(Effect.flatMap(orLost(lease))),
    look: Effect.fn("Leases.look")(function* (name) {
      const rows = yield* read<{
        holder: string
        epoch: number | string
        ttl: number | string
        expiresAt: number | string
      }>`SELECT holder, epoch, ttl, expires_at AS "expiresAt" FROM lease WHERE name = ${name}`
      const now = yield* Clock.currentTimeMillis
      return Option.map(Option.fromNullable(rows[0]), ({ epoch, expiresAt, holder, ttl }) => {
        const left = Number(expiresAt) - now
        const isHeld = left > 0 && left <= 2 * Number(ttl)
        return { holder, epoch: Number(epoch), remaining: Duration.millis(isHeld ? left : 0) }
      })
    })
  }
}
