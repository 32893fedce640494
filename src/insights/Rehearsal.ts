/**
 * What a process that waits for the tasks does beforehand, so that it is quick when it gets them.
 *
 * It gets the last ledger from the source and verifies it, a few times, and throws it away: code that has hardly ever run is slow, and so is a connection that is not
 * open yet. Then it follows the source one ledger ahead of what is stored, and keeps the next one, verified. Whoever takes over stores that one first
 * ({@link begin}), before anything else is built. Where many ledgers are stored one after the other there is nothing to be gained by that, and it waits.
 *
 * It costs the source what ingestion costs it. Whatever goes wrong is for ingestion to say, when it comes to that.
 */
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import * as Network from "../stellar/Network.js"
import * as LedgerSource from "../stellar/source/LedgerSource.js"
import * as Ingestion from "./Ingestion.js"
import * as IngestionMetrics from "./IngestionMetrics.js"
import * as LedgerStore from "./LedgerStore.js"

/** How long it goes on with the last ledger. */
const limit = Duration.seconds(30)

/** How often a ledger is got, and each of them verified: after that there is little left to gain. */
const times = 2

/** The pause when it could not keep up, or the source has failed. */
const pause = Duration.seconds(2)

/** The ledger that comes next, verified, where there is one at hand. */
export class Shelf extends Context.Tag("stellar-insights/insights/Rehearsal/Shelf")<
  Shelf,
  {
    /** What lies on it; whoever takes it leaves none. */
    next: Option.Option<Ingestion.Verified>
  }
>() {}

/** A shelf with nothing on it. */
export const shelf: Layer.Layer<Shelf> = Layer.sync(Shelf, () => ({ next: Option.none() }))

/** Others are far ahead of it. */
class Behind extends Data.TaggedError("Behind")<{ readonly stored: number }> {}

const component = Effect.annotateLogs({ component: "Ingestion" })

/** All rehearsals of the last ledger; nothing where no ledger is stored yet. Never fails; interrupting it is free. */
export const rehearse = Effect.gen(function* () {
  const store = yield* LedgerStore.LedgerStore
  const source = yield* LedgerSource.LedgerSource
  const last = yield* store.latest
  if (Option.isNone(last)) return
  const { previousHash, sequence } = last.value
  const networkId = Network.id(source.networkPassphrase)
  const once = Effect.suspend(() =>
    Stream.runForEach(Stream.take(source.ledgers(sequence, previousHash), 1), (raw) =>
      Effect.repeatN(Ingestion.verify(raw, networkId), times - 1)
    )
  )
  yield* Effect.repeatN(once, times - 1)
  yield* Effect.logDebug("Ready to take over").pipe(Effect.annotateLogs({ sequence }))
}).pipe(
  Effect.timeoutOption(limit),
  Effect.catchAllCause((cause) => Effect.logDebug("The next ledger could not be rehearsed", cause)),
  component
)

/** From the ledger after the last one on, for as long as it keeps up. Ends where nothing is stored. */
const along = Effect.gen(function* () {
  const store = yield* LedgerStore.LedgerStore
  const source = yield* LedgerSource.LedgerSource
  const shelf = yield* Shelf
  const networkId = Network.id(source.networkPassphrase)
  const cursor = yield* store.cursor
  if (Option.isNone(cursor)) return
  const { hash, sequence } = cursor.value
  yield* Stream.runForEach(source.ledgers(sequence + 1, hash), (raw) =>
    Effect.gen(function* () {
      const stored = Option.match(yield* store.cursor, {
        onNone: () => 0,
        onSome: ({ sequence }) => sequence
      })
      if (stored > raw.sequence) return yield* new Behind({ stored })
      if (stored === raw.sequence) return
      shelf.next = Option.some(yield* Ingestion.verify(raw, networkId))
      yield* store.awaitAfter(raw.sequence - 1)
    })
  )
})

/** Keeps the next ledger at hand. Never ends and never fails; interrupting it is free. */
export const follow = along.pipe(
  Effect.catchAllCause((cause) => Effect.logDebug("The next ledger is not at hand", cause)),
  Effect.repeat(Schedule.spaced(pause)),
  component
)

/** Does both in the background, for as long as the scope is open. */
export const layer = Layer.scopedDiscard(Effect.forkScoped(Effect.zipRight(rehearse, follow)))

/**
 * Stores the ledger that is at hand, if it is still the next. To be run under the lease, before anything else is built. Never fails: what could not be stored is for
 * ingestion to get again. Interrupting it rolls back.
 */
export const begin = Effect.gen(function* () {
  const store = yield* LedgerStore.LedgerStore
  const shelf = yield* Shelf
  const { next } = shelf
  shelf.next = Option.none()
  if (Option.isNone(next)) return
  const { details } = next.value
  const { previousHash, sequence } = details.facts
  const cursor = yield* store.cursor
  const isNext = Option.exists(cursor, (now) => now.sequence + 1 === sequence && now.hash === previousHash)
  if (!isNext) return
  yield* IngestionMetrics.passed(details, yield* store.commit(details))
  yield* Effect.logDebug("Ledger committed").pipe(Effect.annotateLogs({ sequence }))
}).pipe(
  Effect.catchAll((error) => Effect.logDebug("The ledger at hand could not be stored", error)),
  component
)
