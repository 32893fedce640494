/**
 * Attempts of one anchor by the hour, out of payments and failed attempts.
 *
 * An attempt is an anchor's when one of its accounts sends or is sent to; or when the issuer of one of its assets does and it is that asset that moves. What an
 * account pays itself is none. A deposit comes from the anchor, a withdrawal goes to it; what moves between two accounts of the anchor is neither.
 */
import type * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import * as Effect from "effect/Effect"
import type { Anchor } from "../anchors/Anchor.js"
import * as Dialect from "../Dialect.js"
import * as Window from "./Window.js"

/** Attempts, counted. */
export interface Counts {
  success: number
  failedOwn: number
  rolledBack: number
  /** Those of `success` that came from the anchor. */
  deposits: number
  /** Those of `success` that went to it. */
  withdrawals: number
}

/** No attempts. */
export const none = (): Counts => ({ success: 0, failedOwn: 0, rolledBack: 0, deposits: 0, withdrawals: 0 })

/** Whom to look for, by the numbers of accounts and assets; those that no ledger has named yet are left out. */
interface Members {
  readonly accounts: ReadonlySet<number>
  /** Issuers of the anchor's assets that are not among its accounts. */
  readonly issuers: ReadonlySet<number>
  readonly assets: ReadonlySet<number>
}

interface Row {
  readonly toid: string
  readonly closedAt: number
  readonly other: number
  readonly srcAsset: number
  readonly dstAsset: number
  readonly outcome: "success" | "failedOwn" | "rolledBack" | "noOpResult"
}

/** Rows in a statement: a few milliseconds. */
const perRead = 500

const issuerOf = (asset: string): string => asset.slice(asset.indexOf(":") + 1)

/** The first toid after all of a ledger. It is beyond what a JavaScript number holds. */
const toidAfter = (sequence: number): bigint => (BigInt(sequence) + 1n) << 32n

/** Sums of an anchor that have not been computed yet; `between` is run between any two statements. */
export const make = (sql: SqlClient.SqlClient, anchor: Anchor, between: Effect.Effect<void>) => {
  const { each } = Dialect.words(sql)
  const hours = new Map<number, Counts>()
  let next: bigint | undefined

  const numbers = (table: "account" | "asset", column: "address" | "name", names: ReadonlyArray<string>) =>
    Effect.map(
      sql<{
        id: number
      }>`SELECT id FROM ${each(names)} CROSS JOIN ${sql(table)} WHERE ${sql(column)} = each.value`,
      (rows) => new Set(rows.map(({ id }) => id))
    )
  const members: Effect.Effect<Members, SqlError> = Effect.gen(function* () {
    const accounts = yield* numbers("account", "address", anchor.accounts)
    const issuers = yield* numbers("account", "address", anchor.assets.map(issuerOf))
    for (const id of accounts) issuers.delete(id)
    return { accounts, issuers, assets: yield* numbers("asset", "name", anchor.assets) }
  })

  /** One side of one account, a page at a time. The other side of the attempt is `other`. */
  const page = (
    table: "payment" | "failed_attempt",
    side: "src" | "dst",
    account: number,
    from: bigint,
    to: bigint
  ) => {
    const other = side === "src" ? "dst" : "src"
    const outcome = table === "payment" ? sql.literal("'success'") : sql.literal("outcome")
    const kinds =
      table === "payment" ? sql.literal("AND kind NOT IN ('createAccount', 'accountMerge')") : sql.literal("")
    return sql<Row>`SELECT CAST(toid AS TEXT) AS toid, closed_at AS "closedAt", ${sql(other)} AS other, src_asset AS "srcAsset",
        dst_asset AS "dstAsset", ${outcome} AS outcome
      FROM ${sql(table)} JOIN ledger ON ledger.sequence = toid >> 32
      WHERE ${sql(side)} = ${account} AND src <> dst AND toid >= ${from} AND toid < ${to} ${kinds}
      ORDER BY ${sql(table)}.toid LIMIT ${perRead}`
  }

  const count = ({ closedAt, outcome }: Row, deposit: boolean, withdrawal: boolean): void => {
    if (outcome === "noOpResult") return
    const hour = Window.hourOf(closedAt)
    let counts = hours.get(hour)
    if (counts === undefined) hours.set(hour, (counts = none()))
    counts[outcome] += 1
    if (outcome !== "success") return
    if (deposit) counts.deposits += 1
    if (withdrawal) counts.withdrawals += 1
  }

  const scan = Effect.fnUntraced(function* (whom: Members, from: bigint, to: bigint) {
    const { accounts, assets, issuers } = whom
    const ofAssets = ({ dstAsset, srcAsset }: Row) => assets.has(srcAsset) || assets.has(dstAsset)
    const isOurs = (account: number, row: Row) =>
      accounts.has(account) || (issuers.has(account) && ofAssets(row))
    for (const account of [...accounts, ...issuers]) {
      for (const table of ["payment", "failed_attempt"] as const) {
        for (const side of ["src", "dst"] as const) {
          for (let at = from; ;) {
            const rows = yield* page(table, side, account, at, to)
            for (const row of rows) {
              if (!isOurs(account, row)) continue
              const both = isOurs(row.other, row)
              // Between two of its own it is found from both sides, and counted from the source's.
              if (!both || side === "src") count(row, side === "src" && !both, side === "dst")
            }
            yield* between
            if (rows.length < perRead) break
            at = BigInt(rows.at(-1)!.toid) + 1n
          }
        }
      }
    }
  })

  return {
    /** The anchor as it was described when this was made. */
    anchor,
    /**
     * Works up to this ledger, whose close time is "now", in seconds since 1970. Fails with `SqlError`; when it fails or is interrupted, the sums are to be
     * thrown away.
     */
    update: (sequence: number, now: number): Effect.Effect<void, SqlError> =>
      Effect.gen(function* () {
        const first = Window.firstHour("30d", now)
        if (next === undefined) {
          const [row] = yield* sql<{ sequence: number }>`SELECT sequence FROM ledger
            WHERE closed_at >= ${first} ORDER BY closed_at, sequence LIMIT 1`
          next = toidAfter((row?.sequence ?? 1) - 1)
        }
        const end = toidAfter(sequence)
        yield* scan(yield* members, next, end)
        next = end
        for (const hour of hours.keys()) if (hour < first) hours.delete(hour)
      }),
    /** Attempts of a window before `now`. */
    over: (window: Window.Window, now: number): Counts => {
      const sum = none()
      const first = Window.firstHour(window, now)
      for (const [hour, counts] of hours) {
        if (hour < first) continue
        for (const key of Object.keys(sum) as Array<keyof Counts>) sum[key] += counts[key]
      }
      return sum
    }
  }
}

/** Sums of an anchor. */
export type AnchorSums = ReturnType<typeof make>
