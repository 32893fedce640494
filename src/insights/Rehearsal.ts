/**
 * What a process that waits for the tasks does beforehand: it gets the last ledger from the source and verifies it, a few times, and throws it away.
 *
 * Code that has hardly ever run is slow, and so is a connection that is not open yet: the first ledger after a hand-over would wait for both. It costs the source a few
 * ledgers for each time that a process begins to wait. Whatever goes wrong is for ingestion to say, when it comes to that.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as Network from "../stellar/Network.js"
import * as LedgerSource from "../stellar/source/LedgerSource.js"
import * as Ingestion from "./Ingestion.js"
import * as LedgerStore from "./LedgerStore.js"

/** How long it goes on for. */
const limit = Duration.seconds(30)

/** How often a ledger is got, and each of them verified: after that there is little left to gain. */
const times = 2

/** All rehearsals; nothing where no ledger is stored yet. Never fails; interrupting it is free. */
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
  Effect.annotateLogs({ component: "Ingestion" })
)

/** Rehearses in the background, for as long as the scope is open at most. */
export const layer = Layer.scopedDiscard(Effect.forkScoped(rehearse))
