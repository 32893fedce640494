/** The contract of the webhook endpoints. All of them need an admin key. */
import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as HttpApiSchema from "@effect/platform/HttpApiSchema"
import * as OpenApi from "@effect/platform/OpenApi"
import * as Schema from "effect/Schema"
import { AdminAccess } from "../AdminAccess.js"
import * as Anchor from "../anchors/Anchor.js"
import * as ApiProblem from "../ApiProblem.js"
import * as AssetName from "../AssetName.js"
import * as Filter from "../webhooks/Filter.js"
import * as Parameter from "../Parameter.js"
import * as Fields from "./Fields.js"

const millis = (what: string) => Fields.count(`${what}, in milliseconds since 1970`)

/** A text of a form; whatever else is given is refused in the same words. */
const form = (allowed: string, fits: (text: string) => boolean, description: string) => {
  const message = ({ actual }: { readonly actual: unknown }) =>
    `must be ${allowed}, not ${(JSON.stringify(actual) ?? "nothing").slice(0, 80)}`
  return Schema.String.annotations({ message }).pipe(
    Schema.filter(fits),
    Schema.annotations({ message, jsonSchema: { type: "string", description } })
  )
}

// What is wrong with a URL is found when its name is resolved, and said then.
const Url = Schema.String.annotations({
  message: () => "must be a URL",
  jsonSchema: { type: "string", format: "uri", description: "Where events are sent to, by POST: https" }
})

const EventTypes = Schema.Array(Fields.oneOf(Filter.eventTypes, "A type of events")).annotations({
  message: () => `must be a list of ${Filter.eventTypes.join(", ")}`,
  description: "Types of events that it gets; none for all"
})

const Filters = Schema.Struct({
  corridor: Fields.optional(
    form(
      "two assets, <source>~<destination>, each native or CODE:ISSUER",
      AssetName.isCorridor,
      "Only payments, updates and alerts of this corridor"
    )
  ),
  asset: Fields.optional(
    form(
      "an asset, native or CODE:ISSUER",
      AssetName.isValid,
      "Only payments, updates and alerts that have this asset on either side"
    )
  ),
  anchor: Fields.optional(Anchor.Id),
  minAmount: Fields.optional(
    form(
      "an amount in stroops, 1 to 19 digits",
      (text) => /^\d{1,19}$/.test(text),
      "Of payments only those that delivered as much or more, in stroops (1e-7)"
    )
  )
}).annotations({
  description: "What events must have to do with; each that is set must fit",
  message: ({ actual }) =>
    `must be an object of corridor, asset, anchor and minAmount, each or none, not ${(JSON.stringify(actual) ?? "nothing").slice(0, 80)}`
})

const Active = Fields.truth("Whether it gets events; true by default")

const Description = form("at most 500 characters", ({ length }) => length <= 500, "What it is for")

const strict = { parseOptions: { errors: "all", onExcessProperty: "error" } } as const

/** What is asked for. */
export const NewWebhook = Schema.Struct({
  url: Schema.propertySignature(Url).annotations({ missingMessage: () => "must be a URL, and is missing" }),
  eventTypes: Schema.optionalWith(EventTypes, { exact: true, default: () => [] }),
  filters: Schema.optionalWith(Filters, { exact: true, default: () => ({}) }),
  description: Schema.optionalWith(Description, { exact: true, default: () => "" }),
  active: Schema.optionalWith(Active, { exact: true, default: () => true })
}).annotations({ identifier: "NewWebhook", ...strict })

/** What is to be changed. */
export const WebhookChange = Schema.Struct({
  url: Fields.optional(Url),
  eventTypes: Fields.optional(EventTypes),
  filters: Fields.optional(Filters),
  description: Fields.optional(Description),
  active: Fields.optional(Active)
}).annotations({ identifier: "WebhookChange", ...strict })

const webhook = {
  id: Fields.text("Its name in paths"),
  url: Fields.text("Where events are sent to"),
  eventTypes: Schema.Array(Schema.String).annotations({ description: "Types of events; none for all" }),
  filters: Filters,
  description: Fields.text("What it is for"),
  active: Schema.Boolean.annotations({ description: "Whether it gets events" }),
  disabledReason: Schema.NullOr(Schema.Literal("gone", "overflow")).annotations({
    description:
      "Why it was switched off by itself: its endpoint answered 410, or more was waiting for it than may"
  }),
  createdAt: millis("When it was made"),
  updatedAt: millis("When it was changed last"),
  failures: Fields.count("Attempts that failed since the last one that succeeded"),
  lastLatencyMillis: Schema.NullOr(Schema.Number).annotations({
    description: "How long the last attempt took"
  }),
  heldUntil: Schema.NullOr(millis("Its endpoint has asked to be left alone until then")),
  waiting: Fields.count("Deliveries that are not over"),
  previousSecretUntil: Schema.NullOr(millis("The secret before the current one signs too until then"))
}

/** A subscription. */
export class Webhook extends Schema.Class<Webhook>("Webhook")(webhook) {}

/** A subscription with its secret, which is not shown again. */
export class WebhookWithSecret extends Schema.Class<WebhookWithSecret>("WebhookWithSecret")({
  ...webhook,
  secret: Fields.text("What its messages are signed with, following Standard Webhooks. It is not shown again")
}) {}

/** All subscriptions. */
export class WebhookList extends Schema.Class<WebhookList>("WebhookList")({
  webhooks: Schema.Array(Webhook)
}) {}

/** A message to a subscription. */
export class WebhookDelivery extends Schema.Class<WebhookDelivery>("WebhookDelivery")({
  id: Fields.count("Its name in paths"),
  messageId: Fields.text("`webhook-id`, the same in every attempt"),
  type: Fields.text("Type of its event"),
  key: Fields.text("What it is delivered in order with"),
  status: Schema.Literal("pending", "delivered", "dead").annotations({
    description: "dead: it was given up, after ten attempts or an answer of 410"
  }),
  attempts: Fields.count("Attempts so far"),
  createdAt: millis("When it came"),
  nextAt: Schema.NullOr(
    millis("When it is tried next; null when it is over, or another of its key comes first")
  ),
  finishedAt: Schema.NullOr(millis("When it was over")),
  lastAttempt: Schema.NullOr(
    Schema.Struct({
      at: millis("When it ended"),
      latencyMillis: Schema.Number,
      status: Schema.NullOr(Fields.count("The status of the answer; null without one")),
      body: Schema.NullOr(Fields.text("The first bytes of the answer")),
      error: Schema.NullOr(Fields.text("Why there was no answer"))
    })
  )
}) {}

/** A page of deliveries. */
export class WebhookDeliveryPage extends Schema.Class<WebhookDeliveryPage>("WebhookDeliveryPage")({
  deliveries: Schema.Array(WebhookDelivery),
  next: Fields.next
}) {}

/** Where a page begins: the id of the last delivery that was given. */
export const Place = Schema.Tuple(Schema.Int)

const path = Schema.Struct({
  id: form(
    "the id of a webhook, wh_ and 24 hexadecimal digits",
    (text) => /^wh_[0-9a-f]{24}$/.test(text),
    "The webhook's id"
  )
})

const delivery = Schema.Struct({
  ...path.fields,
  delivery: Parameter.integer({ min: 1, max: 9_999_999_999, description: "The delivery's id" })
})

/** Webhooks. */
export class Webhooks extends HttpApiGroup.make("webhooks")
  .add(HttpApiEndpoint.get("list", "/").addSuccess(WebhookList).annotate(OpenApi.Summary, "All webhooks"))
  .add(
    HttpApiEndpoint.post("create", "/")
      .setPayload(NewWebhook)
      .addSuccess(WebhookWithSecret, { status: 201 })
      .addError(ApiProblem.Conflict)
      .annotate(OpenApi.Summary, "Subscribe to events")
      .annotate(
        OpenApi.Description,
        "Events from now on are sent to the URL, signed following Standard Webhooks, at least once and in order within a corridor, pool or anchor. " +
          "Addresses that lead inside are refused, now and with every attempt. The secret is shown this once."
      )
  )
  .add(
    HttpApiEndpoint.get("byId", "/:id")
      .setPath(path)
      .addSuccess(Webhook)
      .addError(ApiProblem.Missing)
      .annotate(OpenApi.Summary, "One webhook")
  )
  .add(
    HttpApiEndpoint.patch("update", "/:id")
      .setPath(path)
      .setPayload(WebhookChange)
      .addSuccess(Webhook)
      .addError(ApiProblem.Missing)
      .annotate(OpenApi.Summary, "Change a webhook, or switch it on or off")
  )
  .add(
    HttpApiEndpoint.del("remove", "/:id")
      .setPath(path)
      .addSuccess(HttpApiSchema.NoContent)
      .addError(ApiProblem.Missing)
      .annotate(OpenApi.Summary, "Remove a webhook and its deliveries")
  )
  .add(
    HttpApiEndpoint.post("rotate", "/:id/secret")
      .setPath(path)
      .addSuccess(WebhookWithSecret)
      .addError(ApiProblem.Missing)
      .annotate(OpenApi.Summary, "Change the secret")
      .annotate(
        OpenApi.Description,
        "The new secret is shown this once. Messages carry a signature by either until the old one expires."
      )
  )
  .add(
    HttpApiEndpoint.post("test", "/:id/test")
      .setPath(path)
      .addSuccess(WebhookDelivery, { status: 202 })
      .addError(ApiProblem.Missing)
      .addError(ApiProblem.Conflict)
      .annotate(OpenApi.Summary, "Have a test event delivered")
  )
  .add(
    HttpApiEndpoint.get("deliveries", "/:id/deliveries")
      .setPath(path)
      .setUrlParams(
        Fields.parameters({
          status: Fields.optional(
            Fields.oneOf(["pending", "delivered", "dead"], "Only those of this status")
          ),
          cursor: Fields.optional(Fields.cursor(Place)),
          limit: Fields.limit
        })
      )
      .addSuccess(WebhookDeliveryPage)
      .addError(ApiProblem.Missing)
      .annotate(OpenApi.Summary, "Deliveries, newest first, with their last attempts")
  )
  .add(
    HttpApiEndpoint.post("redeliver", "/:id/deliveries/:delivery/redeliver")
      .setPath(delivery)
      .addSuccess(WebhookDelivery, { status: 202 })
      .addError(ApiProblem.Missing)
      .addError(ApiProblem.Conflict)
      .annotate(OpenApi.Summary, "Have a message delivered again, under its id")
  )
  .addError(ApiProblem.Unavailable)
  .middleware(AdminAccess)
  .prefix("/api/webhooks") {}
