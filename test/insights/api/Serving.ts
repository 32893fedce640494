/** The API over a store that takes made-up ledgers, with the units of the tasks at hand: nothing happens but what a test does. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { createHash } from "node:crypto"
import * as AnchorStore from "../../../src/insights/anchors/AnchorStore.js"
import * as Database from "../../../src/insights/Database.js"
import * as LedgerStore from "../../../src/insights/LedgerStore.js"
import * as Outbox from "../../../src/insights/Outbox.js"
import * as MetricsSync from "../../../src/insights/tasks/MetricsSync.js"
import * as PoolSnapshots from "../../../src/insights/tasks/PoolSnapshots.js"
import * as SnapshotTask from "../../../src/insights/tasks/SnapshotTask.js"
import * as TrustlineSnapshots from "../../../src/insights/tasks/TrustlineSnapshots.js"
import * as Lifecycle from "../../../src/lifecycle/Lifecycle.js"
import * as LeaseBoard from "../../../src/lease/LeaseBoard.js"
import * as TaskBoard from "../../../src/lifecycle/TaskBoard.js"
import type { LedgerDetails } from "../../../src/stellar/facts/LedgerDetails.js"
import * as StrKey from "../../../src/stellar/facts/StrKey.js"
import * as Made from "../Made.js"
import * as Service from "../Service.js"

/** Length of the buckets of snapshots, in seconds. */
export const bucket = 300

const sha256 = (text: string) => createHash("sha256").update(text).digest()

/** Everything over one file: an empty one that is claimed for a network, unless another one is given. */
export const make = (
  keys: Iterable<string> = [Service.key],
  file?: { readonly url: string; readonly filename: string }
) =>
  Effect.gen(function* () {
    const lifecycle = yield* Service.ready
    const config = file ?? (yield* Service.fresh)
    const layer = Layer.mergeAll(
      Layer.provideMerge(AnchorStore.layer, Service.storeOn(config)),
      LeaseBoard.layer,
      TaskBoard.layer,
      Layer.succeed(Lifecycle.Lifecycle, lifecycle)
    )
    const context = yield* Layer.build(layer)
    const store = Context.get(context, LedgerStore.LedgerStore)
    if (file === undefined) yield* store.claim("a network")
    return {
      ask: yield* Effect.provide(Service.apiWith(keys), context),
      store,
      anchors: Context.get(context, AnchorStore.AnchorStore),
      database: Context.get(context, Database.Database),
      outbox: Context.get(context, Outbox.Outbox),
      board: Context.get(context, TaskBoard.TaskBoard),
      leases: Context.get(context, LeaseBoard.LeaseBoard),
      context,
      sync: yield* Effect.provide(MetricsSync.makeUnit, context),
      snapshot: Effect.zipRight(
        yield* Effect.provide(SnapshotTask.makeUnit(PoolSnapshots.kind, bucket), context),
        yield* Effect.provide(SnapshotTask.makeUnit(TrustlineSnapshots.kind, bucket), context)
      )
    }
  })

/** What {@link make} gives. */
export type Serving = Effect.Effect.Success<ReturnType<typeof make>>

/** An address with a checksum in place of one that only looks like it. */
const address = (text: string): string => StrKey.account(sha256(text))

/** An account that there is. */
export const account = (index: number): string => address(Made.account(index))

/** An asset whose issuer there is; the first is the network's own coin. */
export const asset = (index: number): string => valid(Made.asset(index)) as string

/** A value with addresses that are valid wherever there was one that is made up. */
function valid(value: unknown): unknown {
  if (typeof value === "string") return value.replace(/\bG[A-Z2-7]{55}\b/g, address)
  if (Array.isArray(value)) return value.map(valid)
  if (typeof value !== "object" || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, valid(one)]))
}

/** A ledger with addresses that are valid. */
export const validated = (ledger: LedgerDetails): LedgerDetails => valid(ledger) as LedgerDetails

/** Ledgers full of things, some hours apart. */
export const ledgers = (
  count: number,
  options: {
    readonly hoursApart?: number
    readonly from?: number
    readonly contents?: Made.Contents
  } = {}
): ReadonlyArray<LedgerDetails> => {
  const { contents = {}, from = 0, hoursApart = 7 } = options
  return Service.chain(100, from + count)
    .slice(from)
    .map((facts, index) => {
      const closeTime = 1_700_000_000 + (from + index) * hoursApart * 3600
      return validated(Made.full({ ...facts, closeTime }, contents))
    })
}

/** Goes through all pages. */
export const walk = (
  ask: Service.Ask,
  path: string,
  list: string,
  between: Effect.Effect<unknown, unknown> = Effect.void
) =>
  Effect.gen(function* () {
    const found: Array<Service.Json> = []
    let pages = 0
    for (let cursor = ""; ;) {
      const { json, status, text } = yield* ask(`${path}${cursor}`)
      if (status !== 200) return yield* Effect.dieMessage(`${path}${cursor}: ${text}`)
      found.push(...json[list])
      pages += 1
      if (json.next === null) return { found, pages }
      cursor = `${path.includes("?") ? "&" : "?"}cursor=${encodeURIComponent(json.next)}`
      yield* Effect.orDie(between)
    }
  })

/** The sum of something. */
export const sum = <A>(all: Iterable<A>, of: (one: A) => number): number => {
  let total = 0
  for (const one of all) total += of(one)
  return total
}

/** The sum of amounts. */
export const total = <A>(all: Iterable<A>, of: (one: A) => bigint): bigint => {
  let amount = 0n
  for (const one of all) amount += of(one)
  return amount
}
