/** The handlers of the endpoints for payments and merges of accounts. */
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Api from "../Api.js"
import * as Database from "../Database.js"
import * as PaymentQueries from "../queries/PaymentQueries.js"
import * as Answers from "./Answers.js"
import * as Fields from "./Fields.js"
import * as Payments from "./Payments.js"

/** What fits on the page, of one more that was asked for, and where the next begins. */
const paged = <A extends { readonly toid: string }>(found: ReadonlyArray<A>, limit: number) => {
  const page = found.slice(0, limit)
  const last = page.at(-1)
  const next =
    found.length > limit && last !== undefined
      ? Fields.encodeCursor(Payments.Place, [BigInt(last.toid)])
      : null
  return { page, next }
}

const corridorOf = (corridor: string) => {
  const [source, destination] = corridor.split("~") as [string, string]
  return { source, destination }
}

const payments = HttpApiBuilder.group(Api.Api, "payments", (handlers) =>
  Effect.gen(function* () {
    const answers = yield* Answers.Answers
    const { page } = PaymentQueries.make((yield* Database.Database).read)
    return handlers.handle("list", ({ urlParams: { corridor, cursor, limit, ...filter } }) =>
      answers.give(
        "ledger",
        Payments.PaymentPage,
        Effect.map(
          page({
            ...filter,
            ...(corridor === undefined ? {} : { corridor: corridorOf(corridor) }),
            ...(cursor === undefined ? {} : { before: cursor[0] }),
            limit: limit + 1
          }),
          (found) => {
            const { next, page } = paged(found, limit)
            const list = page.map((payment) => new Payments.Payment(payment))
            return Option.some(new Payments.PaymentPage({ payments: list, next }))
          }
        )
      )
    )
  })
)

const merges = HttpApiBuilder.group(Api.Api, "accountMerges", (handlers) =>
  Effect.gen(function* () {
    const answers = yield* Answers.Answers
    const { merges } = PaymentQueries.make((yield* Database.Database).read)
    return handlers.handle("list", ({ urlParams: { account, cursor, limit } }) =>
      answers.give(
        "ledger",
        Payments.AccountMergePage,
        Effect.map(merges(account, cursor?.[0], limit + 1), (found) => {
          const { next, page } = paged(found, limit)
          const list = page.map((merge) => new Payments.AccountMerge(merge))
          return Option.some(new Payments.AccountMergePage({ merges: list, next }))
        })
      )
    )
  })
)

/** The endpoints of {@link Payments.Payments} and {@link Payments.AccountMerges}. */
export const layer = Layer.merge(payments, merges)
