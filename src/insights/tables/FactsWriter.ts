/** All facts of one ledger into their tables, and its events into the outbox. */
import type * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import * as Effect from "effect/Effect"
import { turn } from "../../http/EventLoop.js"
import type { LedgerDetails } from "../../stellar/facts/LedgerDetails.js"
import type { CorridorCount } from "../../stellar/facts/Payment.js"
import * as CorridorTable from "./CorridorTable.js"
import * as NetworkTable from "./NetworkTable.js"
import * as Numbers from "./Numbers.js"
import * as OutboxTable from "./OutboxTable.js"
import * as PaymentTable from "./PaymentTable.js"
import * as PoolTable from "./PoolTable.js"
import * as TrustlineTable from "./TrustlineTable.js"

/** Writes facts. */
export interface FactsWriter {
  /** Adds the facts of a ledger that was not added before; to be run in its transaction. Gives the id of its last event. Fails with `SqlError`. */
  readonly add: (details: LedgerDetails) => Effect.Effect<number, SqlError>
  /** The transaction is in. */
  readonly committed: () => void
}

const secondsPerHour = 3600

/** What happened between others than an account and itself; nothing when nothing did. */
const corridorNews = ({ dstVolume, failedOwn, noOpResult, rolledBack, srcVolume, success }: CorridorCount) =>
  success + failedOwn + rolledBack + noOpResult === 0
    ? undefined
    : {
        success,
        failedOwn,
        rolledBack,
        noOpResult,
        srcVolume: String(srcVolume),
        dstVolume: String(dstVolume)
      }

const poolNews = ({ activity, image, removed }: PoolTable.Touched) => ({
  removed,
  reserveA: String(image?.reserveA ?? 0n),
  reserveB: String(image?.reserveB ?? 0n),
  shares: String(image?.shares ?? 0n),
  trustlines: String(image?.trustlines ?? 0n),
  trades: activity?.trades ?? 0,
  volumeA: String(activity?.volumeA ?? 0n),
  volumeB: String(activity?.volumeB ?? 0n)
})

/** The events of a ledger as rows of the outbox: the ledger, its payments, corridors and pools. */
const events = (
  { corridors, facts: { sequence }, payments }: LedgerDetails,
  pools: ReadonlyArray<PoolTable.Touched>,
  { asset, pool }: Numbers.Numbers
): ReadonlyArray<OutboxTable.Values> => {
  let id = OutboxTable.firstId(sequence)
  const rows: Array<OutboxTable.Values> = [[id++, "ledger_closed", sequence, null, null, null, null]]
  for (const { toid } of payments) rows.push([id++, "new_payment", sequence, toid, null, null, null])
  for (const corridor of corridors) {
    const news = corridorNews(corridor)
    if (news === undefined) continue
    const [source, destination] = [asset(corridor.srcAsset), asset(corridor.dstAsset)]
    rows.push([id++, "corridor_update", sequence, source, destination, null, JSON.stringify(news)])
  }
  for (const one of pools) {
    rows.push([id++, "pool_update", sequence, pool(one.id), null, null, JSON.stringify(poolNews(one))])
  }
  return rows
}

/** Facts through the connection that writes. */
export const make = (sql: SqlClient.SqlClient): FactsWriter => {
  const numbering = Numbers.make(sql)
  const payments = PaymentTable.writes(sql)
  const corridors = CorridorTable.writes(sql)
  const trustlines = TrustlineTable.writes(sql)
  const pools = PoolTable.writes(sql)
  const network = NetworkTable.writes(sql)
  const outbox = OutboxTable.writes(sql)
  return {
    add: Effect.fnUntraced(function* (details) {
      const { closeTime, sequence } = details.facts
      const hour = closeTime - (closeTime % secondsPerHour)
      const numbers = yield* numbering.of(details)
      const touched = PoolTable.touched(details.pools)
      // Requests get their turn between tables, too: they read from another connection, and do not mind the open transaction.
      yield* turn
      yield* payments.insert(details, numbers)
      yield* turn
      yield* corridors.add(hour, details.corridors, numbers)
      yield* turn
      yield* trustlines.add(hour, details.trustlines.assets, numbers)
      yield* pools.add({ sequence, hour }, touched, numbers)
      yield* network.add(hour, details, numbers)
      yield* turn
      const rows = events(details, touched, numbers)
      yield* outbox.insert(rows)
      return OutboxTable.firstId(sequence) + rows.length - 1
    }),
    committed: numbering.committed
  }
}
