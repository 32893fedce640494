/** The handlers of the endpoints for liquidity pools. */
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Window from "../analytics/Window.js"
import * as Api from "../Api.js"
import * as Database from "../Database.js"
import * as LedgerStore from "../LedgerStore.js"
import * as PoolQueries from "../queries/PoolQueries.js"
import * as Answers from "./Answers.js"
import * as Fields from "./Fields.js"
import * as Pools from "./Pools.js"

const secondsPerYear = 365 * 86_400
const pastAll = Number.MAX_SAFE_INTEGER

const missing = (id: string) => `no stored ledger has touched the pool ${id}`

const withPrice = ({ number: _number, ...pool }: PoolQueries.Pool) => {
  const [a, b] = [Number(pool.reserveA ?? 0), Number(pool.reserveB ?? 0)]
  return { ...pool, price: a > 0 ? b / a : null }
}

/** The endpoints of {@link Pools.Pools}. */
export const layer = HttpApiBuilder.group(Api.Api, "pools", (handlers) =>
  Effect.gen(function* () {
    const answers = yield* Answers.Answers
    const store = yield* LedgerStore.LedgerStore
    const pools = PoolQueries.make((yield* Database.Database).read)

    const detail = (id: string) =>
      Effect.gen(function* () {
        const pool = yield* pools.byId(id)
        const latest = yield* store.latest
        if (Option.isNone(pool) || Option.isNone(latest)) return Option.none()
        const now = latest.value.closeTime
        const over = (window: Window.Window) =>
          pools.activity(pool.value.number, Window.firstHour(window, now))
        const growth = yield* pools.growth(pool.value.number, Window.firstHour("7d", now))
        return Option.some(
          new Pools.PoolDetail({
            ...withPrice(pool.value),
            windows: {
              "1h": yield* over("1h"),
              "24h": yield* over("24h"),
              "7d": yield* over("7d"),
              "30d": yield* over("30d")
            },
            feeApr: Option.getOrNull(
              Option.map(growth, ({ factor, seconds }) => ((factor - 1) * secondsPerYear) / seconds)
            )
          })
        )
      })

    return handlers
      .handle("list", ({ urlParams: { asset, cursor, limit } }) =>
        answers.give(
          "ledger",
          Pools.PoolPage,
          Effect.map(pools.page(asset, cursor?.[0] ?? -1, limit + 1), (found) => {
            const page = found.slice(0, limit)
            const next = found.length > limit ? Fields.encodeCursor(Pools.Place, [page.at(-1)!.number]) : null
            const list = page.map((pool) => new Pools.Pool(withPrice(pool)))
            return Option.some(new Pools.PoolPage({ pools: list, next }))
          })
        )
      )
      .handle("byId", ({ path: { id } }) =>
        answers.give("snapshots", Pools.PoolDetail, detail(id), missing(id))
      )
      .handle("snapshots", ({ path: { id }, urlParams: { cursor, limit } }) =>
        answers.give(
          "snapshots",
          Pools.SnapshotPage,
          Effect.flatMap(
            pools.byId(id),
            Option.match({
              onNone: () => Effect.succeedNone,
              onSome: ({ number }) =>
                Effect.map(pools.snapshots(number, cursor?.[0] ?? pastAll, limit + 1), (found) => {
                  const page = found.slice(0, limit)
                  const next =
                    found.length > limit ? Fields.encodeCursor(Pools.Place, [page.at(-1)!.bucket]) : null
                  return Option.some(new Pools.SnapshotPage({ snapshots: page, next }))
                })
            })
          ),
          missing(id)
        )
      )
  })
)
