/**
 * A lake behind an HTTP server: a bucket of S3 or alike, or any server that gives files by path.
 *
 * Connections that break, requests that take too long, and the answers 408, 429 and 5xx are tried again until they stop, with the waits of
 * Backoff. 404 and 410 mean that there is no such object. A bucket whose listing is not public answers 403 for those, so 403 means the same once
 * the server has given anything; before that it means what it says.
 */
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import * as Stream from "effect/Stream"
import * as Backoff from "./Backoff.js"
import { type LakeStore, type StoreLimits, tooLarge } from "./LakeStore.js"
import { LedgerSourceError } from "./LedgerSource.js"

/** Limits of a store behind a server. */
export interface HttpLimits extends StoreLimits {
  /** How long one try of one request may take, its body included. */
  readonly requestTimeout: Duration.DurationInput
}

interface Answer {
  readonly status: number
  readonly retryAfter: string | undefined
  readonly body: Uint8Array
}

/** A try that came to nothing and may be repeated. */
interface Failure {
  readonly _tag: "Failure"
  readonly why: string
  readonly retryAfter: string | undefined
}

const isTransient = (status: number) => status === 408 || status === 429 || (status >= 500 && status !== 501)

const withoutSecrets = (url: URL) => `${url.origin}${url.pathname}`

/** The store of a server. Asks nothing of it yet; never fails. */
export const make = Effect.fnUntraced(function* (base: URL, limits: HttpLimits) {
  const client = (yield* HttpClient.HttpClient).pipe(
    HttpClient.followRedirects(3),
    // The lake belongs to somebody else: our trace ids are none of its business.
    HttpClient.withTracerPropagation(false)
  )
  const answered = yield* Ref.make(false)
  const folder = base.pathname.replace(/\/+$/, "")
  const urlOf = (key: string) => {
    const url = new URL(base)
    url.pathname = `${folder}/${key}`
    return url
  }

  const readBody = (response: HttpClientResponse.HttpClientResponse, object: string) =>
    response.stream.pipe(
      Stream.runFoldEffect({ size: 0, chunks: [] as Array<Uint8Array> }, (read, chunk) => {
        const size = read.size + chunk.length
        if (size > limits.maximumObjectSize) return Effect.fail(tooLarge(object, limits.maximumObjectSize))
        read.chunks.push(chunk)
        return Effect.succeed({ size, chunks: read.chunks })
      }),
      Effect.map(({ chunks, size }) => (chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, size))),
      Effect.catchIf(
        (error) => error._tag === "ResponseError" && error.reason === "EmptyBody",
        () => Effect.succeed(new Uint8Array(0))
      )
    )

  const once = (method: "GET" | "HEAD", url: URL): Effect.Effect<Answer, Failure | LedgerSourceError> =>
    client.execute(HttpClientRequest.make(method)(url)).pipe(
      Effect.flatMap((response) => {
        const answer = { status: response.status, retryAfter: response.headers["retry-after"] }
        const body =
          method === "HEAD" ? Effect.succeed(new Uint8Array(0)) : readBody(response, withoutSecrets(url))
        // The body of any other answer is read too, so that its connection can be used again, but what becomes of it does not matter.
        return Effect.map(
          response.status === 200 ? body : Effect.orElseSucceed(body, () => new Uint8Array(0)),
          (bytes): Answer => ({ ...answer, body: bytes })
        )
      }),
      Effect.timeoutFail({
        duration: limits.requestTimeout,
        onTimeout: (): Failure => ({ _tag: "Failure", why: "no whole answer in time", retryAfter: undefined })
      }),
      Effect.mapError((error) =>
        error._tag === "RequestError" || error._tag === "ResponseError"
          ? {
              _tag: "Failure" as const,
              why: `${error.message}${causeOf(error.cause)}`,
              retryAfter: undefined
            }
          : error
      ),
      Effect.filterOrFail(
        (answer) => !isTransient(answer.status),
        (answer): Failure => ({
          _tag: "Failure",
          why: `status ${answer.status}`,
          retryAfter: answer.retryAfter
        })
      )
    )

  const ask = Effect.fnUntraced(function* (method: "GET" | "HEAD", url: URL, tries = Infinity) {
    for (let failures = 1; ; failures++) {
      const result = yield* Effect.either(once(method, url))
      if (result._tag === "Right") return Option.some(result.right)
      if (result.left._tag === "LedgerSourceError") return yield* result.left
      if (failures >= tries) return Option.none<Answer>()
      const asked = yield* Backoff.retryAfter(result.left.retryAfter)
      const wait = Option.isSome(asked) ? asked.value : yield* Backoff.afterFailures(failures)
      yield* Effect.logWarning("The ledger lake did not answer, trying again").pipe(
        Effect.annotateLogs({
          object: withoutSecrets(url),
          why: result.left.why,
          failures,
          wait: Duration.format(Duration.millis(Math.round(Duration.toMillis(wait))))
        })
      )
      yield* Effect.sleep(wait)
    }
  })

  /** The body where the answer is 200, none where there is no such object. */
  const fetch = Effect.fnUntraced(function* (method: "GET" | "HEAD", url: URL) {
    const { status, body } = Option.getOrThrow(yield* ask(method, url))
    if (status === 200) {
      yield* Ref.set(answered, true)
      return Option.some(body)
    }
    if (status === 404 || status === 410 || (status === 403 && (yield* Ref.get(answered))))
      return Option.none()
    return yield* new LedgerSourceError({
      reason: "unreadable",
      object: withoutSecrets(url),
      message: `${withoutSecrets(url)} cannot be read: the server answers ${method} with status ${status}`
    })
  })

  const listing = Effect.fnUntraced(function* (url: URL, prefix: string) {
    url.searchParams.set("list-type", "2")
    url.searchParams.set("prefix", prefix)
    // The first key can be `.config.json`; a few more are room for other files. The first ledger object is the newest.
    url.searchParams.set("max-keys", "20")
    const answer = Option.getOrUndefined(yield* ask("GET", url, 4))
    const text = answer?.status === 200 ? Buffer.from(answer.body).toString("utf8") : ""
    if (!text.includes("<ListBucketResult")) return undefined
    yield* Ref.set(answered, true)
    return Array.from(text.matchAll(/<Key>([^<]*)<\/Key>/g), (match) => match[1]!)
  })

  const newestKeys = Effect.gen(function* () {
    // The bucket is the host (bucket.s3.region.amazonaws.com), or the path's first part (minio.example/bucket).
    const [bucket = "", ...rest] = folder.split("/").filter((part) => part !== "")
    const prefix = (parts: ReadonlyArray<string>) =>
      parts.map((part) => `${decodeURIComponent(part)}/`).join("")
    const root = new URL(base)
    root.pathname = "/"
    const byHost = yield* listing(root, prefix(bucket === "" ? [] : [bucket, ...rest]))
    if (byHost !== undefined || bucket === "") return byHost
    const byPath = new URL(base)
    byPath.pathname = `/${bucket}`
    return yield* listing(byPath, prefix(rest))
  })

  return {
    name: withoutSecrets(base),
    locate: (key) => withoutSecrets(urlOf(key)),
    get: (key) => fetch("GET", urlOf(key)),
    exists: (key) => Effect.map(fetch("HEAD", urlOf(key)), Option.isSome),
    newestKeys,
    // Transfers break: one more download tells a broken one from a broken object.
    corruptRetries: [0]
  } satisfies LakeStore as LakeStore
})

const causeOf = (cause: unknown): string => {
  const inner = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause
  return inner instanceof Error ? `: ${inner.message}` : ""
}
