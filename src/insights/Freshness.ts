/**
 * What makes remembered answers outdated. Whoever changes it tells the cache when it is committed, and the cache tells the other processes. Answers are remembered
 * under what they are a function of as well, so a word that is lost makes none of them wrong: it frees what nobody will ask for again.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Cache from "../cache/Cache.js"
import * as LedgerStore from "./LedgerStore.js"

/** A ledger was committed. */
export const ledger = "ledger"

/** The metrics were synced. */
export const metrics = "metrics"

/** Snapshots were made. */
export const snapshots = "snapshots"

/** Tells of ledgers for as long as the scope is open: of several that come in a row once. Belongs to the process that ingests. Fails with `SqlError`. */
export const layer = Layer.scopedDiscard(
  Effect.gen(function* () {
    const store = yield* LedgerStore.LedgerStore
    const cache = yield* Cache.Cache
    const newest = Effect.map(
      store.cursor,
      Option.match({ onNone: () => 0, onSome: ({ sequence }) => sequence })
    )
    const tell = (last: number): Effect.Effect<never> =>
      store.awaitAfter(last).pipe(
        // Before the others are told, so that what is committed meanwhile is told of as well.
        Effect.zipRight(newest),
        Effect.zipLeft(cache.invalidate(ledger)),
        // What cannot be read now has changed all the same.
        Effect.catchAll(() => Effect.as(Effect.sleep("1 seconds"), last)),
        Effect.flatMap(tell)
      )
    yield* Effect.forkScoped(tell(yield* newest))
  })
)
