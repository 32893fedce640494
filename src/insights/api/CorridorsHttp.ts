/** The handlers of the corridor endpoints. */
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Window from "../analytics/Window.js"
import * as Api from "../Api.js"
import * as Database from "../Database.js"
import * as CorridorQueries from "../queries/CorridorQueries.js"
import * as Answers from "./Answers.js"
import * as Corridors from "./Corridors.js"
import * as Fields from "./Fields.js"

/** The endpoints of {@link Corridors.Corridors}. */
export const layer = HttpApiBuilder.group(Api.Api, "corridors", (handlers) =>
  Effect.gen(function* () {
    const answers = yield* Answers.Answers
    const { read } = yield* Database.Database
    const corridors = CorridorQueries.make(read)

    const detail = (corridor: string, hours: number) =>
      Effect.gen(function* () {
        const [source, destination] = corridor.split("~") as [string, string]
        const windows = yield* corridors.windows(source, destination)
        const history = yield* corridors.history(source, destination, 0, hours)
        if (history.length === 0) return Option.none()
        const of = (window: Window.Window) =>
          windows.find(({ windowSeconds }) => windowSeconds === Window.hours[window] * 3600) ?? null
        return Option.some(
          new Corridors.CorridorDetail({
            source,
            destination,
            status: windows[0]?.status ?? "unknown",
            windows: { "1h": of("1h"), "24h": of("24h"), "7d": of("7d"), "30d": of("30d") },
            history
          })
        )
      })

    return handlers
      .handle("list", ({ urlParams: { cursor, ...filter } }) =>
        answers.giveEncoded<typeof Corridors.CorridorPage.Encoded>(
          "metrics",
          Effect.map(
            corridors.page({
              ...filter,
              limit: filter.limit + 1,
              ...(cursor === undefined ? {} : { after: cursor })
            }),
            (found) => {
              const page = found.slice(0, filter.limit)
              const next =
                found.length > page.length ? Fields.encodeCursor(Corridors.Place, page.at(-1)!.place) : null
              return Option.some({ corridors: page.map(({ corridor }) => corridor), next })
            }
          )
        )
      )
      .handle("byPair", ({ path: { corridor }, urlParams: { hours } }) =>
        answers.give(
          "both",
          Corridors.CorridorDetail,
          detail(corridor, hours),
          `no payment from ${corridor.replace("~", " to ")} was ever tried`
        )
      )
  })
)
