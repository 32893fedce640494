/** The handlers of the ledger endpoints. */
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import type * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import type { SqlError } from "@effect/sql/SqlError"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Problem from "../http/Problem.js"
import * as Lifecycle from "../lifecycle/Lifecycle.js"
import type { LedgerFacts } from "../stellar/LedgerFacts.js"
import * as Api from "./Api.js"
import * as LedgerStore from "./LedgerStore.js"
import * as SqlFailure from "./SqlFailure.js"

const toApi = ({ feePool, previousHash, totalCoins, totalFeeCharged, ...facts }: LedgerFacts): Api.Ledger =>
  new Api.Ledger({
    ...facts,
    prevHash: previousHash,
    closedAt: DateTime.formatIso(DateTime.unsafeMake(facts.closeTime * 1000)),
    totalFeeCharged: String(totalFeeCharged),
    feePool: String(feePool),
    totalCoins: String(totalCoins)
  })

/** The database's failure is logged with its cause; the client learns that there was one. */
const answered = <A, E, R>(effect: Effect.Effect<A, E | SqlError, R>) =>
  Effect.catchIf(effect, SqlFailure.isSqlError, (error) =>
    Effect.as(
      Effect.logError("The database did not answer a request", error),
      Problem.toResponse(Problem.make(503, "the database did not answer; try again later"))
    )
  )

/** The endpoints of {@link Api.Ledgers}. */
export const layer = HttpApiBuilder.group(Api.Api, "ledgers", (handlers) =>
  Effect.gen(function* () {
    const store = yield* LedgerStore.LedgerStore
    const lifecycle = yield* Lifecycle.Lifecycle

    /** The ledger, or 404 with what there is. */
    const orNotFound =
      (what: string) =>
      (
        found: Option.Option<LedgerFacts>
      ): Effect.Effect<Api.Ledger | HttpServerResponse.HttpServerResponse, SqlError> =>
        Option.isSome(found)
          ? Effect.succeed(toApi(found.value))
          : Effect.map(store.range, (range) => {
              const detail = Option.match(range, {
                onNone: () => `there is no ${what} yet: no ledger has been stored`,
                onSome: ({ first, last }) => `there is no ${what} here: stored are ${first} to ${last}`
              })
              return Problem.toResponse(Problem.make(404, detail, { range: Option.getOrNull(range) }))
            })

    /** Ends at the timeout, or when the drain begins: a poll that is told ends itself. */
    const patience = (seconds: number) =>
      Effect.raceFirst(Effect.sleep(Duration.seconds(seconds)), lifecycle.awaitPhase("draining"))

    return handlers
      .handle("list", ({ urlParams: { before, limit } }) =>
        store.page({ before: Option.fromNullable(before), limit: limit + 1 }).pipe(
          Effect.map((found) => {
            const ledgers = found.slice(0, limit).map(toApi)
            return new Api.LedgerPage({
              ledgers,
              next: found.length > limit ? ledgers.at(-1)!.sequence : null
            })
          }),
          answered
        )
      )
      .handle("latest", () => answered(Effect.flatMap(store.latest, orNotFound("latest ledger"))))
      .handle("bySequence", ({ path: { sequence } }) =>
        answered(Effect.flatMap(store.bySequence(sequence), orNotFound(`ledger ${sequence}`)))
      )
      .handle("next", ({ urlParams: { after, timeout } }) =>
        Effect.raceFirst(store.awaitAfter(after), patience(timeout)).pipe(
          Effect.zipRight(store.firstAfter(after)),
          Effect.map(Option.match({ onNone: () => undefined, onSome: toApi })),
          answered
        )
      )
  })
)
