/**
 * The task that tells this process what was committed, by whatever process: from the outbox to the hub's clients, and to requests that wait for a ledger. It begins where the hub does, with what comes
 * after its start: who connects later asks the log for what was before. There is one in every process.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type * as Duration from "effect/Duration"
import * as Budget from "../../lifecycle/Budget.js"
import * as Resource from "../../lifecycle/Resource.js"
import * as Hub from "../../realtime/Hub.js"
import * as Protocol from "../../realtime/Protocol.js"
import * as LedgerStore from "../LedgerStore.js"
import type * as Outbox from "../Outbox.js"
import * as ChannelNames from "../realtime/ChannelNames.js"
import * as OutboxLog from "../realtime/OutboxLog.js"
import * as OutboxTask from "./OutboxTask.js"

/** How the task is called in logs, health and reports. */
export const name = "realtime-broadcaster"

const isNotice = Schema.is(Protocol.NoticeContent)

/** The task: for tests and tools. */
export const layer = (limit: Duration.Duration) =>
  Layer.scopedDiscard(
    Effect.gen(function* () {
      const hub = yield* Hub.Hub
      const log = yield* OutboxLog.OutboxLog
      const store = yield* LedgerStore.LedgerStore
      const take = (events: ReadonlyArray<Outbox.Event>) =>
        Effect.gen(function* () {
          const told = events.map(ChannelNames.toEvent)
          yield* log.remember(yield* hub.position, told)
          yield* hub.publish(told)
          const ledger = events.findLast(({ kind }) => kind === "ledger_closed")?.ledger
          if (ledger !== undefined) yield* store.heard(ledger)
          // What operators say is for everybody, also for those who have no channel.
          for (const { kind, payload } of events) {
            if (kind !== "notice" || !isNotice(payload)) continue
            yield* hub.notice(payload, { unless: ChannelNames.notices })
          }
        })
      yield* OutboxTask.run({ name, limit, position: yield* hub.position, take })
    }).pipe(Effect.annotateLogs({ component: "RealtimeBroadcaster" }))
  )

/** The task as `realtime-broadcaster` within `SHUTDOWN_BACKGROUND_TIMEOUT`. */
export const layerConfig = Layer.unwrapEffect(
  Effect.map(Budget.Budget, ({ stages }) =>
    Resource.named(name, { limit: stages.background })(layer(stages.background))
  )
)
