/**
 * One question to a Stellar RPC server at a time (JSON-RPC 2.0 over HTTP POST): what it answers, or what is wrong with that.
 *
 * Nothing is tried again here. No question and no URL goes into a trace, nor trace ids into a question: the URL may hold a key, and the server
 * belongs to somebody else. The `id` of an answer is not looked at: over HTTP an answer belongs to its request.
 */
import * as HttpClient from "@effect/platform/HttpClient"
import type * as HttpClientError from "@effect/platform/HttpClientError"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import * as RpcBody from "./RpcBody.js"
import * as RpcFailure from "./RpcFailure.js"
import * as RpcPage from "./RpcPage.js"
import type { RpcUrl } from "./RpcUrl.js"

/** How to ask. */
export interface Options {
  /** Whom. */
  readonly endpoint: RpcUrl
  /** How long one request may take, its body included. */
  readonly requestTimeout: Duration.DurationInput
  /** Bytes that the body of one answer may have, decompressed. */
  readonly maximumResponseSize: number
}

/** The ledgers that a server has. */
export interface Range {
  readonly oldest: number
  readonly latest: number
}

/** A server to be asked. */
export type RpcClient = Effect.Effect.Success<ReturnType<typeof make>>

/** Words of a server that are shown: the first of them. */
const shownLength = 300

/** A client for one server. Asks nothing of it yet; never fails. */
export const make = Effect.fnUntraced(function* (options: Options) {
  const { endpoint } = options
  const client = (yield* HttpClient.HttpClient).pipe(HttpClient.withTracerDisabledWhen(() => true))
  const shown = (text: string) => endpoint.hide(text).replaceAll(/\s+/g, " ").slice(0, shownLength)

  const requestOf = (method: string, params: unknown) =>
    HttpClientRequest.post(Redacted.value(endpoint.url)).pipe(
      HttpClientRequest.setHeaders({
        accept: "application/json",
        ...(endpoint.authorization && { authorization: Redacted.value(endpoint.authorization) })
      }),
      HttpClientRequest.bodyText(
        JSON.stringify({ jsonrpc: "2.0", id: 1, method, ...(params === undefined ? {} : { params }) }),
        "application/json"
      )
    )

  const tooLarge = new RpcFailure.Wrong({
    why: `an answer is larger than ${options.maximumResponseSize} bytes`,
    reason: "corrupt",
    smaller: true
  })

  const readBody = (response: HttpClientResponse.HttpClientResponse) =>
    response.stream.pipe(
      Stream.runFoldEffect({ size: 0, chunks: [] as Array<Uint8Array> }, (read, chunk) => {
        const size = read.size + chunk.length
        if (size > options.maximumResponseSize) return Effect.fail(tooLarge)
        read.chunks.push(chunk)
        return Effect.succeed({ size, chunks: read.chunks })
      }),
      Effect.map(({ chunks, size }) => Buffer.concat(chunks, size)),
      Effect.catchIf(
        (error) => error._tag === "ResponseError" && error.reason === "EmptyBody",
        () => Effect.succeed(Buffer.alloc(0))
      )
    )

  const unreached = (error: HttpClientError.HttpClientError) => {
    const what = error._tag === "RequestError" ? "the server was not reached" : "the answer was cut"
    return new RpcFailure.Passing({
      why: shown(`${what}${causeOf(error.cause)}`),
      smaller: error._tag === "ResponseError"
    })
  }

  /** The JSON-RPC error in a body, where there is one. */
  const errorIn = (json: unknown): RpcFailure.RpcFailure | undefined => {
    const error = field(json, "error")
    const code = field(error, "code")
    if (typeof code !== "number") return undefined
    const message = field(error, "message")
    return RpcFailure.ofError(code, typeof message === "string" ? shown(message) : "without a message")
  }

  const judge = (status: number, retryAfter: string | undefined, bytes: Uint8Array) => {
    if (RpcFailure.passes(status)) {
      return Effect.fail(
        new RpcFailure.Passing({ why: `status ${status}`, retryAfter, smaller: status === 504 })
      )
    }
    return Effect.try({
      try: () => RpcBody.parse(bytes),
      catch: (error) =>
        new RpcFailure.Wrong({
          why: shown(`the answer is not JSON: ${(error as Error).message}`),
          reason: "corrupt",
          smaller: true
        })
    }).pipe(
      Effect.flatMap((body) => {
        const failure = errorIn(body.json)
        if (failure !== undefined) return Effect.fail(failure)
        const result = field(body.json, "result")
        return typeof result === "object" && result !== null
          ? Effect.succeed({ body, result })
          : Effect.fail(
              new RpcFailure.Wrong({ why: "the answer has neither a result nor an error", reason: "corrupt" })
            )
      }),
      // Beside 200 a JSON-RPC error is worth reading; whatever else stands there is not.
      Effect.mapError((failure) =>
        status !== 200 && failure._tag === "Wrong"
          ? new RpcFailure.Refused({ why: `status ${status}`, code: undefined })
          : failure
      )
    )
  }

  const ask = (method: string, params?: unknown) =>
    client.execute(requestOf(method, params)).pipe(
      Effect.flatMap((response) => {
        const { headers, status } = response
        // The body of any other answer is read too, so that its connection can be used again, but what becomes of it does not matter.
        const body = readBody(response)
        return Effect.map(
          status === 200 ? body : Effect.orElseSucceed(body, () => new Uint8Array(0)),
          (bytes) => ({ status, retryAfter: headers["retry-after"], bytes })
        )
      }),
      Effect.catchTags({
        RequestError: (error) => Effect.fail(unreached(error)),
        ResponseError: (error) => Effect.fail(unreached(error))
      }),
      Effect.timeoutFail({
        duration: options.requestTimeout,
        onTimeout: () => new RpcFailure.Passing({ why: "no whole answer in time", smaller: true })
      }),
      Effect.flatMap(({ bytes, retryAfter, status }) => judge(status, retryAfter, bytes))
    )

  /** The passphrase of the server's network. */
  const network = Effect.flatMap(ask("getNetwork"), ({ result }) => {
    const passphrase = field(result, "passphrase")
    return typeof passphrase === "string"
      ? Effect.succeed(passphrase)
      : Effect.fail(new RpcFailure.Wrong({ why: "getNetwork names no passphrase", reason: "corrupt" }))
  })

  /** The ledgers that the server has now. */
  const health = Effect.flatMap(ask("getHealth"), ({ result }) => {
    const oldest = RpcPage.sequence(field(result, "oldestLedger"))
    const latest = RpcPage.sequence(field(result, "latestLedger"))
    return oldest !== undefined && latest !== undefined
      ? Effect.succeed<Range>({ oldest, latest })
      : Effect.fail(new RpcFailure.Wrong({ why: "getHealth names no range of ledgers", reason: "corrupt" }))
  })

  /** Ledgers from `start` on, at least that one and at most `limit`. */
  const ledgers = (start: number, limit: number) =>
    Effect.flatMap(
      ask("getLedgers", { startLedger: start, pagination: { limit }, xdrFormat: "base64" }),
      ({ body, result }) => RpcPage.read(result, body, { start, limit, server: endpoint.name })
    )

  return { name: endpoint.name, network, health, ledgers }
})

/** A field of an object; undefined where there is none, or no object. */
export const field = (value: unknown, name: string): unknown =>
  typeof value === "object" && value !== null ? (value as Record<string, unknown>)[name] : undefined

const causeOf = (cause: unknown): string => {
  const inner = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause
  return inner instanceof Error ? `: ${inner.message}` : ""
}
