/** The contract of the stream of events. */
import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as HttpApiSchema from "@effect/platform/HttpApiSchema"
import * as OpenApi from "@effect/platform/OpenApi"
import * as Either from "effect/Either"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import * as ApiProblem from "../ApiProblem.js"
import * as Fields from "./Fields.js"

const shown = (value: unknown): string => {
  const text = JSON.stringify(value) ?? "nothing"
  return text.length > 40 ? `${text.slice(0, 40)}…` : text
}

const aList = "must be names of channels, separated by commas"

/** Names of channels. Whether there are such channels is for the hub to say. */
const Channels = Schema.transformOrFail(
  Schema.String.annotations({ message: ({ actual }) => `${aList}, not ${shown(actual)}` }),
  Schema.Array(Schema.String),
  {
    strict: true,
    decode: (text, _, ast) => {
      const names = text.split(",").map((name) => name.trim())
      return names.includes("")
        ? Either.left(new ParseResult.Type(ast, text, `${aList}, not ${shown(text)}`))
        : Either.right(names)
    },
    encode: (names) => Either.right(names.join(","))
  }
).annotations({
  jsonSchema: {
    type: "string",
    description: "Names of channels, separated by commas; `notices` is always among them",
    example: "ledgers,corridor:native~USDC:GA5ZSEJYB37JRC5AVCIA5MOP4RHTM335X2KGX3IHOJAPP5RE34K4KZVN"
  }
})

const refusal = (value: unknown) =>
  `must be the id of an event, an integer from 0 to 9007199254740991, not ${shown(value)}`

const eventId = (description: string) =>
  Schema.transformOrFail(
    Schema.String.annotations({ message: ({ actual }) => refusal(actual) }),
    Schema.Number,
    {
      strict: true,
      decode: (text, _, ast) => {
        const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN
        return Number.isSafeInteger(value)
          ? Either.right(value)
          : Either.left(new ParseResult.Type(ast, text, refusal(text)))
      },
      encode: (value) => Either.right(String(value))
    }
  ).annotations({
    jsonSchema: { type: "integer", minimum: 0, maximum: Number.MAX_SAFE_INTEGER, description }
  })

/** Server-sent events. */
const EventStream = HttpApiSchema.withEncoding(Schema.String, {
  kind: "Text",
  contentType: "text/event-stream"
}).annotations({ description: "Server-sent events, without end" })

/** Events as they happen. */
export class Events extends HttpApiGroup.make("events")
  .add(
    HttpApiEndpoint.get("stream", "/")
      .setUrlParams(
        Fields.parameters({
          channels: Schema.propertySignature(Channels).annotations({
            missingMessage: () => `${aList}, and is missing`
          }),
          lastEventId: Fields.optional(
            eventId("As the header Last-Event-ID, which counts when both are there")
          ),
          token: Fields.optional(
            Fields.text("WS_AUTH_TOKEN, where it is set and no Authorization: Bearer can be sent")
          )
        })
      )
      .setHeaders(
        Fields.parameters({
          "last-event-id": Fields.optional(
            eventId("The last event that you have: those after it come first, from the log")
          )
        })
      )
      .addSuccess(EventStream)
      .addError(ApiProblem.Unauthorized)
      .addError(ApiProblem.Forbidden)
      .addError(ApiProblem.TooMany)
      .addError(ApiProblem.Unavailable)
      .annotate(OpenApi.Summary, "Events of some channels, as they happen")
      .annotate(
        OpenApi.Description,
        "Server-sent events for clients without WebSockets, in the order of their ids, each once: `ledger_closed`, `new_payment`, `corridor_update`, `pool_update`, " +
          "`anchor_update`, `health_alert`, `snapshot_update` and `notice`, with `{id, channel, type, payload}` as data. Besides them: `connected` `{channels, lastEventId}` " +
          "as the first one; `gap` `{from, to, reason, message}` where events with from < id <= to are missing, because they are not kept any more (`retention`), " +
          "this client reads too slowly (`slow`) or has seen an id that does not exist here (`ahead`); `unavailable` and `server_shutdown` `{message, reconnectAfterMs}` " +
          "before the stream ends. Come back after the time that `retry` said, with the last id as Last-Event-ID, and nothing is lost; browsers do that by themselves."
      )
  )
  .prefix("/api/events") {}
