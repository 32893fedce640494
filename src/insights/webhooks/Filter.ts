/**
 * Which events a subscription gets.
 *
 * Its types come first; of those, each filter that is set must let the event pass:
 *
 * | filter | lets pass |
 * |---|---|
 * | `corridor` | payments, updates and alerts of this corridor |
 * | `asset` | payments, updates and alerts that have this asset on either side |
 * | `anchor` | updates of this anchor; payments, updates and alerts with one of its accounts or assets on either side |
 * | `minAmount` | payments that delivered as much or more, in stroops; whatever is no payment |
 */
import type * as Outbox from "../Outbox.js"
import type * as OutboxTable from "../tables/OutboxTable.js"

/** Every type that can be subscribed to. */
export const eventTypes = [
  "ledger_closed",
  "new_payment",
  "corridor_update",
  "pool_update",
  "anchor_update",
  "health_alert",
  "snapshot_update",
  "notice"
] as const satisfies ReadonlyArray<OutboxTable.Kind>

/** What is let pass; everything where nothing is set. */
export interface Filters {
  /** `<source asset>~<destination asset>`. */
  readonly corridor?: string
  /** `native`, or `CODE:ISSUER`. */
  readonly asset?: string
  /** An anchor's id. */
  readonly anchor?: string
  /** In stroops of the asset that was delivered, as decimal text. */
  readonly minAmount?: string
}

/** Whom an anchor is made of. */
export interface Members {
  /** Accounts that it pays from and is paid at. */
  readonly accounts: ReadonlySet<string>
  /** Assets that it issues. */
  readonly assets: ReadonlySet<string>
}

const texts = (...values: ReadonlyArray<unknown>): ReadonlyArray<string> =>
  values.filter((value) => typeof value === "string")

const assetsOf = ({ kind, payload }: Outbox.Event): ReadonlyArray<string> =>
  kind === "pool_update" ? texts(payload.assetA, payload.assetB) : texts(payload.srcAsset, payload.dstAsset)

const corridorOf = ({ kind, payload }: Outbox.Event): string | undefined => {
  if (kind === "pool_update") return undefined
  const [source, destination] = [payload.srcAsset, payload.dstAsset]
  return typeof source === "string" && typeof destination === "string"
    ? `${source}~${destination}`
    : undefined
}

/** What an event is delivered in order with: its corridor, pool or anchor, or all of its kind. */
export const orderingKey = (event: Outbox.Event): string => {
  if (event.kind === "pool_update") return `pool:${event.key}`
  if (event.kind === "anchor_update") return `anchor:${event.key}`
  const corridor = corridorOf(event)
  return corridor === undefined ? event.kind : `corridor:${corridor}`
}

const isOfAnchor = (event: Outbox.Event, id: string, members: Members | undefined): boolean => {
  if (event.kind === "anchor_update") return event.key === id
  if (members === undefined) return false
  return (
    assetsOf(event).some((asset) => members.assets.has(asset)) ||
    (event.kind === "new_payment" &&
      texts(event.payload.from, event.payload.to).some((account) => members.accounts.has(account)))
  )
}

const delivers = ({ kind, payload }: Outbox.Event, least: string): boolean =>
  kind !== "new_payment" ||
  (typeof payload.dstAmount === "string" && BigInt(payload.dstAmount) >= BigInt(least))

/** Whether an event is for a subscription. `membersOf` gives whom an anchor is made of, undefined where there is no such anchor. */
export const passes = (
  event: Outbox.Event,
  types: ReadonlyArray<string>,
  { anchor, asset, corridor, minAmount }: Filters,
  membersOf: (anchor: string) => Members | undefined
): boolean =>
  (types.length === 0 || types.includes(event.kind)) &&
  (corridor === undefined || corridorOf(event) === corridor) &&
  (asset === undefined || assetsOf(event).includes(asset)) &&
  (anchor === undefined || isOfAnchor(event, anchor, membersOf(anchor))) &&
  (minAmount === undefined || delivers(event, minAmount))
