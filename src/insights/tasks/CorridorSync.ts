/** Brings `corridor_window` up to date: what changed since the last time, and everything the first time. */
import type { SqlError } from "@effect/sql/SqlError"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as CorridorSums from "../analytics/CorridorSums.js"
import * as SuccessRate from "../analytics/SuccessRate.js"
import * as Window from "../analytics/Window.js"
import * as Database from "../Database.js"
import type { LedgerFacts } from "../../stellar/LedgerFacts.js"
import * as Outbox from "../Outbox.js"
import * as CorridorWindowTable from "../tables/CorridorWindowTable.js"
import { turn } from "../../http/EventLoop.js"

/** Corridors in a transaction: it is over in a few milliseconds, so nobody waits for the connection that writes. */
const perTransaction = 100

/** Rows in a statement that reads. */
const perRead = 2000

type Status = CorridorWindowTable.Status

/** What is written of a corridor: in which windows, and how it did. */
interface Known {
  readonly windows: ReadonlySet<Window.Window>
  readonly status: Status
}

const attemptsOf = (sums: CorridorSums.Counts | undefined): SuccessRate.Attempts => ({
  success: sums?.success ?? 0,
  failed: sums?.failedOwn ?? 0
})

const statusOf = (hour: SuccessRate.Attempts, day: SuccessRate.Attempts): Status =>
  SuccessRate.alert(hour, day) ?? (SuccessRate.score(day) === null ? "unknown" : "healthy")

const isAlert = (status: Status): boolean => status === "degraded" || status === "critical"

const pairOf = (key: string): CorridorSums.Pair => {
  const [src, dst] = key.split("~")
  return { src: Number(src), dst: Number(dst) }
}

/** A sync that has not run yet. Its result brings the table up to a ledger; when it fails or is interrupted, a new one must be made. */
export const make = Effect.gen(function* () {
  const database = yield* Database.Database
  const outbox = yield* Outbox.Outbox
  const sums = CorridorSums.make(database.read, turn)
  const write = CorridorWindowTable.writes(database.write)
  const read = CorridorWindowTable.reads(database.read)
  let known: Map<string, Known> | undefined

  /** What an earlier process has written. */
  const written = Effect.gen(function* () {
    const found = new Map<string, Known>()
    for (const window of Window.all) {
      let last: CorridorSums.Pair = { src: -1, dst: -1 }
      for (;;) {
        const rows = yield* read.after(window, last, perRead)
        for (const { status, ...pair } of rows) {
          const key = CorridorSums.keyOf(pair)
          found.set(key, { windows: new Set([...(found.get(key)?.windows ?? []), window]), status })
        }
        if (rows.length < perRead) break
        last = rows.at(-1)!
        yield* turn
      }
    }
    return found
  })

  /** What an alert says to whoever listens. */
  const news = (
    { from, key, to }: { readonly key: string; readonly from: Status; readonly to: Status },
    names: ReadonlyMap<number, string>,
    update: CorridorSums.Update,
    ledger: number
  ): Outbox.NewEvent => {
    const { dst, src } = pairOf(key)
    const [srcAsset, dstAsset] = [names.get(src)!, names.get(dst)!]
    const [hour, day] = [attemptsOf(update.of("1h", key)), attemptsOf(update.of("24h", key))]
    return {
      kind: "health_alert",
      key: `corridor:${srcAsset}~${dstAsset}`,
      ledger,
      payload: {
        srcAsset,
        dstAsset,
        from,
        to,
        successRate1h: SuccessRate.rate(hour),
        attempts1h: hour.success + hour.failed,
        successRate24h: SuccessRate.rate(day),
        attempts24h: day.success + day.failed
      }
    }
  }

  return {
    /** Works up to this ledger. Its close time is "now". */
    run: (ledger: LedgerFacts): Effect.Effect<void, SqlError> =>
      Effect.gen(function* () {
        const before = known ?? (yield* written)
        known = before
        const update = yield* sums.update(ledger.closeTime)
        const due = update.touched ?? new Set([...before.keys(), ...update.keys])
        for (const keys of Chunk.chunksOf(Chunk.fromIterable(due), perTransaction)) {
          const changes: Array<{ key: string; from: Status; to: Status }> = []
          const after = new Map<string, Known>()
          const rows: Array<CorridorWindowTable.Row> = []
          const gone: Array<readonly [Window.Window, CorridorSums.Pair]> = []
          for (const key of keys) {
            const from = before.get(key)?.status ?? "unknown"
            const to = statusOf(attemptsOf(update.of("1h", key)), attemptsOf(update.of("24h", key)))
            if (from !== to && (isAlert(from) || isAlert(to))) changes.push({ key, from, to })
            const windows = new Set<Window.Window>()
            for (const window of Window.all) {
              const sum = update.of(window, key)
              if (sum !== undefined) {
                windows.add(window)
                rows.push({ ...sum, window, status: to })
              } else if (before.get(key)?.windows.has(window) === true) gone.push([window, pairOf(key)])
            }
            after.set(key, { windows, status: to })
          }
          yield* outbox.transaction(
            Effect.gen(function* () {
              yield* write.put(ledger.sequence, rows)
              for (const [window, pair] of gone) yield* write.remove(window, pair)
              if (changes.length === 0) return
              const names = yield* write.names(
                changes.flatMap(({ key }) => [pairOf(key).src, pairOf(key).dst])
              )
              yield* outbox.append(changes.map((change) => news(change, names, update, ledger.sequence)))
            })
          )
          for (const [key, one] of after) {
            if (one.windows.size === 0) before.delete(key)
            else before.set(key, one)
          }
          yield* turn
        }
      })
  }
})
