/** The handlers of the anchor endpoints. Anchors change by request too, so no answer is a function of the last ledger. */
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Problem from "../../http/Problem.js"
import * as Window from "../analytics/Window.js"
import * as AnchorStore from "../anchors/AnchorStore.js"
import * as Api from "../Api.js"
import * as Database from "../Database.js"
import * as AnchorQueries from "../queries/AnchorQueries.js"
import { secondsOf } from "../tables/CorridorWindowTable.js"
import { reliabilityWindow } from "../tasks/AnchorSync.js"
import * as Anchors from "./Anchors.js"
import * as Answers from "./Answers.js"

const missing = (id: string) => Problem.toResponse(Problem.make(404, `there is no anchor ${id}`))

/** The endpoints of {@link Anchors.Anchors}. */
export const layer = HttpApiBuilder.group(Api.Api, "anchors", (handlers) =>
  Effect.gen(function* () {
    const store = yield* AnchorStore.AnchorStore
    const figures = AnchorQueries.make((yield* Database.Database).read)

    const list = Effect.gen(function* () {
      const anchors = yield* store.all
      const windows = yield* figures.over(secondsOf(reliabilityWindow))
      return new Anchors.AnchorList({
        anchors: anchors.map(({ homeDomain, id, name }) => {
          const window = windows.find(({ anchor }) => anchor === id)
          const [reliability, status] = [window?.score ?? null, window?.status ?? "unknown"]
          return new Anchors.AnchorSummary({ id, name, homeDomain, reliability, status })
        })
      })
    })

    const detail = (id: string, hours: number) =>
      Effect.gen(function* () {
        const anchor = yield* store.byId(id)
        if (Option.isNone(anchor)) return missing(id)
        const windows = yield* figures.windows(id)
        const of = (window: Window.Window) =>
          windows.find(({ windowSeconds }) => windowSeconds === secondsOf(window)) ?? null
        const reliable = of(reliabilityWindow)
        return new Anchors.AnchorDetail({
          ...anchor.value,
          reliability: reliable?.score ?? null,
          status: reliable?.status ?? "unknown",
          windows: { "1h": of("1h"), "24h": of("24h"), "7d": of("7d"), "30d": of("30d") },
          history: yield* figures.history(id, hours)
        })
      })

    return handlers
      .handle("list", () => Answers.orUnavailable(list))
      .handle("byId", ({ path: { id }, urlParams: { hours } }) => Answers.orUnavailable(detail(id, hours)))
      .handle("put", ({ path: { id }, payload }) =>
        Answers.orUnavailable(
          Effect.gen(function* () {
            const isNew = yield* store.put({ id, ...payload })
            const stored = Option.getOrElse(yield* store.byId(id), () => ({ id, ...payload }))
            // Texts and lists of texts always become JSON.
            return yield* Effect.orDie(HttpServerResponse.json(stored, { status: isNew ? 201 : 200 }))
          })
        )
      )
      .handle("remove", ({ path: { id } }) =>
        Answers.orUnavailable(
          Effect.map(store.remove(id), (removed) =>
            removed ? HttpServerResponse.empty({ status: 204 }) : missing(id)
          )
        )
      )
  })
)
