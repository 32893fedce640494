/** The handler of the stream of events: what there is to say is the hub's. */
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Hub from "../../realtime/Hub.js"
import * as Api from "../Api.js"
import * as ChannelNames from "../realtime/ChannelNames.js"

/** The endpoint of `Events`. */
export const layer = HttpApiBuilder.group(Api.Api, "events", (handlers) =>
  Effect.map(Hub.Hub, (hub) =>
    handlers.handle("stream", ({ headers, urlParams: { channels, lastEventId } }) =>
      hub.events({
        channels: [...channels, ChannelNames.notices],
        after: Option.fromNullable(headers["last-event-id"] ?? lastEventId)
      })
    )
  )
)
