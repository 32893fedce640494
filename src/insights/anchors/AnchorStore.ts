/** The anchors that are configured. */
import type { SqlError } from "@effect/sql/SqlError"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Database from "../Database.js"
import * as BulkInsert from "../tables/BulkInsert.js"
import type { Anchor } from "./Anchor.js"

/** Anchors in, anchors out. All of it can fail with `SqlError`; interrupting a write rolls it back. */
export interface Shape {
  /** All of them, by id. */
  readonly all: Effect.Effect<ReadonlyArray<Anchor>, SqlError>
  /** The one of that id. */
  readonly byId: (id: string) => Effect.Effect<Option.Option<Anchor>, SqlError>
  /** Puts it in, or in the place of the one of that id; what was computed of that one stays until it is computed anew. True when it is new. */
  readonly put: (anchor: Anchor) => Effect.Effect<boolean, SqlError>
  /** Takes it out, with all that was computed of it. False when there was none. */
  readonly remove: (id: string) => Effect.Effect<boolean, SqlError>
}

/** The anchors of the service. */
export class AnchorStore extends Context.Tag("stellar-insights/insights/anchors/AnchorStore")<
  AnchorStore,
  Shape
>() {}

interface Row {
  readonly id: string
  readonly name: string
  readonly homeDomain: string | null
}

const make = Effect.gen(function* () {
  const { read, transaction, write } = yield* Database.Database
  const insertAccounts = BulkInsert.make(write, { table: "anchor_account", columns: ["anchor", "address"] })
  const insertAssets = BulkInsert.make(write, { table: "anchor_asset", columns: ["anchor", "asset"] })

  const rows = read<Row>`SELECT id, name, home_domain AS "homeDomain" FROM anchor ORDER BY id`
  const rowOf = (id: string) =>
    read<Row>`SELECT id, name, home_domain AS "homeDomain" FROM anchor WHERE id = ${id}`
  const withLists = (row: Row): Effect.Effect<Anchor, SqlError> =>
    Effect.all([
      read<{ address: string }>`SELECT address FROM anchor_account WHERE anchor = ${row.id} ORDER BY address`,
      read<{ asset: string }>`SELECT asset FROM anchor_asset WHERE anchor = ${row.id} ORDER BY asset`
    ]).pipe(
      Effect.map(([accounts, assets]) => ({
        ...row,
        accounts: accounts.map(({ address }) => address),
        assets: assets.map(({ asset }) => asset)
      }))
    )

  return AnchorStore.of({
    all: Effect.flatMap(rows, Effect.forEach(withLists)),
    byId: Effect.fn("AnchorStore.byId")((id) =>
      Effect.flatMap(rowOf(id), ([row]) =>
        row === undefined ? Effect.succeedNone : Effect.asSome(withLists(row))
      )
    ),
    put: Effect.fn("AnchorStore.put")(({ accounts, assets, homeDomain, id, name }) =>
      transaction(
        Effect.gen(function* () {
          const known = yield* write`SELECT id FROM anchor WHERE id = ${id}`
          yield* write`INSERT INTO anchor (id, name, home_domain) VALUES (${id}, ${name}, ${homeDomain})
            ON CONFLICT (id) DO UPDATE SET name = excluded.name, home_domain = excluded.home_domain`
          yield* write`DELETE FROM anchor_account WHERE anchor = ${id}`
          yield* write`DELETE FROM anchor_asset WHERE anchor = ${id}`
          yield* insertAccounts([...new Set(accounts)].map((address) => [id, address]))
          yield* insertAssets([...new Set(assets)].map((asset) => [id, asset]))
          return known.length === 0
        })
      )
    ),
    remove: Effect.fn("AnchorStore.remove")((id) =>
      Effect.map(
        transaction(write`DELETE FROM anchor WHERE id = ${id} RETURNING id`),
        (removed) => removed.length > 0
      )
    )
  })
})

/** The anchors of a database. */
export const layer: Layer.Layer<AnchorStore, never, Database.Database> = Layer.effect(AnchorStore, make)
