/** The outbox of a database file that no service has open, read on from where it was last read. */
import * as Reactivity from "@effect/experimental/Reactivity"
import * as SqliteClient from "@effect/sql-sqlite-node/SqliteClient"
import * as Effect from "effect/Effect"
import * as Database from "../../src/insights/Database.js"
import * as Outbox from "../../src/insights/Outbox.js"
import * as ChannelNames from "../../src/insights/realtime/ChannelNames.js"

/** Events read at once. */
const page = 2000

/** Reads a file again and again. */
export const make = (filename: string) => {
  let last = 0
  const read = Effect.gen(function* () {
    const sql = yield* SqliteClient.make({ filename, readonly: true, disableWAL: true })
    const database = Database.Database.of({
      filename,
      read: sql,
      write: sql,
      transaction: () => Effect.dieMessage("it is only read")
    })
    return yield* Effect.gen(function* () {
      const outbox = yield* Outbox.Outbox
      const all: Array<Outbox.Event> = []
      for (;;) {
        const events = yield* outbox.readAfter(last, page)
        all.push(...events)
        last = events.at(-1)?.id ?? last
        if (events.length < page) return all
      }
    }).pipe(Effect.provide(Outbox.layer), Effect.provideService(Database.Database, database))
  }).pipe(Effect.scoped, Effect.provide(Reactivity.layer))

  return {
    /** Ids of the events that were not read before, for each of these sets of channels. */
    more: async (channelSets: ReadonlyArray<ReadonlyArray<string>>): Promise<Array<Array<number>>> => {
      const events = (await Effect.runPromise(read)).map((event) => ({
        id: event.id,
        channels: ChannelNames.of(event)
      }))
      return channelSets.map((set) =>
        events.filter(({ channels }) => channels.some((channel) => set.includes(channel))).map(({ id }) => id)
      )
    }
  }
}
