/**
 * One attempt at a delivery: signed, sent, and what came of it.
 *
 * Every attempt looks at the URL and at the addresses that its name has now, and connects to one of those, so a name that came to lead inside since it was
 * accepted is not followed there. Nothing here logs; what it gives back holds no secret.
 *
 * @module
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Endpoint from "./Endpoint.js"
import * as Resolver from "./Resolver.js"
import * as Schedule from "./Schedule.js"
import * as Signature from "./Signature.js"
import type { WebhookConfig } from "./WebhookConfig.js"
import * as WebhookRequest from "./WebhookRequest.js"

/** What is sent. */
export interface Attempt {
  /** Where to. */
  readonly url: string
  /** `webhook-id`. */
  readonly messageId: string
  /** The body: JSON. */
  readonly body: string
  /** What it is signed with: one secret, or two while it is being changed. */
  readonly secrets: ReadonlyArray<Signature.Secret>
}

/** What came of it. */
export type Outcome = {
  /** From its begin to the end of the answer, in milliseconds. */
  readonly latencyMillis: number
} & (
  | {
      readonly _tag: "Answered"
      /** The HTTP status. */
      readonly status: number
      /** The first {@link keptBytes} of the answer's body, as text. */
      readonly body: string
      /** How long the endpoint asks to be left alone; undefined when it does not. */
      readonly retryAfterMillis: number | undefined
    }
  | {
      readonly _tag: "Unanswered"
      /** Why, in a sentence. */
      readonly message: string
    }
)

/** The sender. */
export interface Shape {
  /** Makes one attempt. Never fails; interrupting it closes the connection, and leaves open whether it arrived. */
  readonly send: (attempt: Attempt) => Effect.Effect<Outcome>
}

/** The sender of the service. */
export class Sender extends Context.Tag("stellar-insights/webhooks/Sender")<Sender, Shape>() {}

/** A trace of its own: what came before is in the past, and may have been in another process. */
const spanOptions = { root: true, kind: "client" } as const

/**
 * W3C's `traceparent`, so that the endpoint can go on with the trace; nothing where it is not recorded. There is always a span: `send` makes it.
 */
const traceparent = Effect.map(Effect.orDie(Effect.currentSpan), ({ sampled, spanId, traceId }) =>
  sampled ? { traceparent: `00-${traceId}-${spanId}-01` } : {}
)

/** Bytes of an answer's body that are kept. */
export const keptBytes = 1024

const textOf = (chunks: ReadonlyArray<Buffer>): string =>
  // Databases take no NUL in a text.
  Buffer.concat(chunks).subarray(0, keptBytes).toString("utf8").replaceAll("\0", "\ufffd")

const make = (config: Pick<WebhookConfig, "allowHttp" | "allowPrivate" | "perEndpoint" | "timeout">) =>
  Effect.gen(function* () {
    const agents = yield* WebhookRequest.agents(config.perEndpoint)
    const resolver = yield* Resolver.Resolver

    const exchange = (attempt: Attempt, answer: WebhookRequest.Answer) =>
      Effect.gen(function* () {
        const url = yield* Endpoint.parse(attempt.url, config)
        const name = url.hostname.replace(/^\[|\]$/g, "")
        const addresses = yield* Endpoint.addresses(name, config).pipe(
          Effect.provideService(Resolver.Resolver, resolver)
        )
        const timestamp = Math.floor((yield* Clock.currentTimeMillis) / 1000)
        const signed = Signature.headers(attempt.secrets, {
          id: attempt.messageId,
          timestamp,
          body: attempt.body
        })
        const headers = {
          ...signed,
          ...(yield* traceparent),
          "content-type": "application/json",
          "user-agent": "stellar-insights-webhooks",
          accept: "*/*"
        }
        yield* WebhookRequest.post({ url, addresses, headers, body: attempt.body }, agents, answer)
      })

    return Sender.of({
      send: Effect.fn(
        "Sender.send",
        spanOptions
      )(function* (attempt) {
        const answer = WebhookRequest.nothing()
        const from = yield* Clock.currentTimeMillis
        const problem = yield* exchange(attempt, answer).pipe(
          Effect.as(undefined),
          Effect.catchAll(({ message }) => Effect.succeed(message)),
          Effect.timeoutOption(config.timeout),
          Effect.map(Option.getOrElse(() => "it took too long"))
        )
        yield* Effect.annotateCurrentSpan({
          // Path and query of a URL may be what makes it secret.
          "server.address": Endpoint.originOf(attempt.url),
          "webhook.message_id": attempt.messageId,
          ...(answer.status === undefined
            ? { "error.type": problem }
            : { "http.response.status_code": answer.status })
        })
        const now = yield* Clock.currentTimeMillis
        const latencyMillis = Math.max(0, now - from)
        if (answer.status === undefined) {
          return { _tag: "Unanswered", latencyMillis, message: problem ?? "there was no answer" }
        }
        return {
          _tag: "Answered",
          latencyMillis,
          status: answer.status,
          body: textOf(answer.chunks),
          retryAfterMillis: Schedule.retryAfterMillis(answer.retryAfter, now)
        }
      })
    })
  })

/** A sender. Its connections are closed with the scope. */
export const layer = (
  config: Pick<WebhookConfig, "allowHttp" | "allowPrivate" | "perEndpoint" | "timeout">
): Layer.Layer<Sender, never, Resolver.Resolver> => Layer.scoped(Sender, make(config))

/** Sends to nobody: what a test says comes of it. */
export const layerTest = (send: (attempt: Attempt) => Effect.Effect<Outcome>): Layer.Layer<Sender> =>
  Layer.succeed(Sender, { send })
