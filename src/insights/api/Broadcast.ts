/** The contract of the broadcast. */
import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as OpenApi from "@effect/platform/OpenApi"
import * as Schema from "effect/Schema"
import { AdminAccess } from "../AdminAccess.js"
import * as ApiProblem from "../ApiProblem.js"
import * as Fields from "./Fields.js"

/** A text of a length, in UTF-16 code units. Whatever else is given is refused in the same words. */
const text = (min: number, max: number, description: string) => {
  const allowed = `must be a text of ${min} to ${max} characters`
  const message = ({ actual }: { readonly actual: unknown }) =>
    typeof actual === "string"
      ? `${allowed}, not of ${actual.length}`
      : `${allowed}, not ${(JSON.stringify(actual) ?? "nothing").slice(0, 40)}`
  return Schema.String.annotations({ message }).pipe(
    Schema.filter(({ length }) => length >= min && length <= max),
    Schema.annotations({
      message,
      jsonSchema: { type: "string", minLength: min, maxLength: max, description }
    })
  )
}

const Message = text(1, 2000, "What there is to say")

/** What is said to everybody. */
export const Notice = Fields.parameters({
  message: Schema.propertySignature(Message).annotations({
    missingMessage: () => "must be a text of 1 to 2000 characters, and is missing"
  }),
  title: Schema.optionalWith(text(0, 200, "In a few words; empty by default"), {
    exact: true,
    default: () => ""
  }),
  level: Schema.optionalWith(
    Fields.oneOf(["info", "warning", "error", "success"], "How much it matters; info by default"),
    { exact: true, default: () => "info" as const }
  )
}).annotations({ identifier: "NewNotice" })

/** A notice that will be told. */
export class AcceptedNotice extends Schema.Class<AcceptedNotice>("AcceptedNotice")({
  id: Fields.count("The id of its event: strictly rising, the same for every client")
}) {}

/** The broadcast. */
export class Broadcast extends HttpApiGroup.make("broadcast")
  .add(
    HttpApiEndpoint.post("send", "/")
      .setPayload(Notice)
      .addSuccess(AcceptedNotice, { status: 202 })
      .middleware(AdminAccess)
      .annotate(OpenApi.Summary, "Say something to every client")
      .annotate(
        OpenApi.Description,
        "It becomes an event on the channel `notices`, so it is told once it is committed, by every process on this database, to every client: WebSockets that have " +
          "the channel and all event streams get it as an event and do not miss it when they come back, other WebSockets as `notice` if they are connected."
      )
  )
  .addError(ApiProblem.Unavailable)
  .prefix("/api/broadcast") {}
