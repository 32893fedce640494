/** The handler of the broadcast. */
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { randomUUID } from "node:crypto"
import * as Api from "../Api.js"
import * as LedgerStore from "../LedgerStore.js"
import * as Outbox from "../Outbox.js"
import * as Answers from "./Answers.js"
import * as Broadcast from "./Broadcast.js"

/** The endpoint of {@link Broadcast.Broadcast}. */
export const layer = HttpApiBuilder.group(Api.Api, "broadcast", (handlers) =>
  Effect.gen(function* () {
    const store = yield* LedgerStore.LedgerStore
    const outbox = yield* Outbox.Outbox
    const send = Effect.fnUntraced(function* ({ level, message, title }: typeof Broadcast.Notice.Type) {
      const cursor = yield* store.cursor
      const ledger = Option.match(cursor, { onNone: () => 0, onSome: ({ sequence }) => sequence })
      // Saying the same twice is saying it twice.
      const key = yield* Effect.sync(() => randomUUID())
      const payload = { title, message, level }
      const id = yield* outbox.transaction(outbox.append([{ kind: "notice", key, ledger, payload }]))
      yield* Effect.annotateLogs(Effect.logInfo("a notice goes to every client"), {
        event_type: "notice_accepted",
        id,
        level
      })
      return new Broadcast.AcceptedNotice({ id })
    })
    return handlers.handle("send", ({ payload }) => Answers.orUnavailable(send(payload)))
  })
)
