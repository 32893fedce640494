/** Brings `anchor_window` and `anchor_history` up to date. */
import * as Equal from "effect/Equal"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import type { LedgerFacts } from "../../stellar/LedgerFacts.js"
import * as AnchorSums from "../analytics/AnchorSums.js"
import * as SuccessRate from "../analytics/SuccessRate.js"
import * as Window from "../analytics/Window.js"
import type { Anchor } from "../anchors/Anchor.js"
import * as AnchorStore from "../anchors/AnchorStore.js"
import * as Database from "../Database.js"
import * as Outbox from "../Outbox.js"
import { secondsOf } from "../tables/CorridorWindowTable.js"
import { turn } from "../../http/EventLoop.js"

/** The window that an anchor's reliability is taken from. */
export const reliabilityWindow: Window.Window = "7d"

/** What makes sums of an anchor void when it changes. */
const membersOf = ({ accounts, assets }: Anchor) =>
  Data.struct({ accounts: Data.array(accounts), assets: Data.array(assets) })

const scored = (counts: AnchorSums.Counts) => {
  const score = SuccessRate.score({ success: counts.success, failed: counts.failedOwn })
  return { score, status: SuccessRate.health(score) }
}

/** A sync that has not run yet. When it fails or is interrupted, a new one must be made. */
export const make = Effect.gen(function* () {
  const { read, write } = yield* Database.Database
  const outbox = yield* Outbox.Outbox
  const anchors = yield* AnchorStore.AnchorStore
  const known = new Map<string, AnchorSums.AnchorSums>()

  const sumsOf = (anchor: Anchor): AnchorSums.AnchorSums => {
    const before = known.get(anchor.id)
    if (before !== undefined && Equal.equals(membersOf(before.anchor), membersOf(anchor))) return before
    const sums = AnchorSums.make(read, anchor, turn)
    known.set(anchor.id, sums)
    return sums
  }

  /** All of one anchor, in one transaction; nothing when it was taken out in the meantime. */
  const save = (anchor: Anchor, sums: AnchorSums.AnchorSums, { closeTime: now, sequence }: LedgerFacts) =>
    outbox.transaction(
      Effect.gen(function* () {
        const found = yield* write`SELECT id FROM anchor WHERE id = ${anchor.id}`
        if (found.length === 0) return
        const [before] = yield* write<{ status: SuccessRate.Health }>`SELECT status FROM anchor_window
          WHERE anchor = ${anchor.id} AND window_seconds = ${secondsOf(reliabilityWindow)}`
        for (const window of Window.all) {
          const counts = sums.over(window, now)
          const { score, status } = scored(counts)
          yield* write`INSERT INTO anchor_window (anchor, window_seconds, as_of_ledger, success, failed_own, rolled_back, deposits,
              withdrawals, score, status)
            VALUES (${anchor.id}, ${secondsOf(window)}, ${sequence}, ${counts.success}, ${counts.failedOwn}, ${counts.rolledBack},
              ${counts.deposits}, ${counts.withdrawals}, ${score}, ${status})
            ON CONFLICT (anchor, window_seconds) DO UPDATE SET as_of_ledger = excluded.as_of_ledger, success = excluded.success,
              failed_own = excluded.failed_own, rolled_back = excluded.rolled_back, deposits = excluded.deposits,
              withdrawals = excluded.withdrawals, score = excluded.score, status = excluded.status`
        }
        const counts = sums.over(reliabilityWindow, now)
        const { score, status } = scored(counts)
        yield* write`INSERT INTO anchor_history (anchor, bucket, as_of_ledger, success, failed_own, rolled_back, score, status)
          VALUES (${anchor.id}, ${Window.hourOf(now)}, ${sequence}, ${counts.success}, ${counts.failedOwn}, ${counts.rolledBack},
            ${score}, ${status})
          ON CONFLICT (anchor, bucket) DO UPDATE SET as_of_ledger = excluded.as_of_ledger, success = excluded.success,
            failed_own = excluded.failed_own, rolled_back = excluded.rolled_back, score = excluded.score, status = excluded.status`
        if ((before?.status ?? "unknown") === status) return
        const { id, name } = anchor
        const payload = { id, name, from: before?.status ?? "unknown", to: status, score }
        const attempts = counts.success + counts.failedOwn
        yield* outbox.append([
          { kind: "anchor_update", key: id, ledger: sequence, payload: { ...payload, attempts } }
        ])
      })
    )

  return {
    /** Works up to this ledger. Its close time is "now". Fails with `SqlError`. */
    run: (ledger: LedgerFacts) =>
      Effect.gen(function* () {
        const all = yield* anchors.all
        for (const id of known.keys()) if (!all.some((anchor) => anchor.id === id)) known.delete(id)
        for (const anchor of all) {
          const sums = sumsOf(anchor)
          yield* sums.update(ledger.sequence, ledger.closeTime)
          yield* save(anchor, sums, ledger)
          yield* turn
        }
      })
  }
})
