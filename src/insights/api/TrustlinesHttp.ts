/** The handler of the endpoint for trustlines. */
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Api from "../Api.js"
import * as Database from "../Database.js"
import * as TrustlineQueries from "../queries/TrustlineQueries.js"
import * as Answers from "./Answers.js"
import * as Trustlines from "./Trustlines.js"

/** The endpoint of {@link Trustlines.TrustlineGroup}. */
export const layer = HttpApiBuilder.group(Api.Api, "trustlines", (handlers) =>
  Effect.gen(function* () {
    const answers = yield* Answers.Answers
    const trustlines = TrustlineQueries.make((yield* Database.Database).read)
    return handlers.handle("byAsset", ({ path: { asset }, urlParams: { limit } }) =>
      answers.give(
        "snapshots",
        Trustlines.Trustlines,
        Effect.gen(function* () {
          const total = yield* trustlines.total(asset)
          if (Option.isNone(total)) return Option.none()
          return Option.some(
            new Trustlines.Trustlines({
              asset,
              sinceLedger: yield* trustlines.since,
              total: { lines: total.value.created - total.value.removed, ...total.value },
              history: yield* trustlines.history(asset, limit),
              snapshots: yield* trustlines.snapshots(asset, limit)
            })
          )
        }),
        `no stored ledger has touched a trustline of ${asset}`
      )
    )
  })
)
