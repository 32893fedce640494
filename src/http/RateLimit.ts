/**
 * How much one client may ask: so many requests of an address, more with a key, and few wrong keys.
 *
 * Answers tell what is left in `RateLimit` and `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers-09): `"address";r=1199;t=1`. `r` is how many requests may be sent
 * now; `t` is in how many seconds nothing counts any more, or, where nothing is left, in how many the next one passes, as `Retry-After` says.
 *
 * | metric | type | what |
 * | --- | --- | --- |
 * | `http_rate_limited_total{policy}` | counter | requests refused with 429, by `address`, `key` or `failed-keys` |
 *
 * @module
 */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as Redacted from "effect/Redacted"
import type * as Http from "node:http"
import * as BearerKeys from "./BearerKeys.js"
import * as ClientAddress from "./ClientAddress.js"
import * as Problem from "./Problem.js"
import { Buckets, type Policy } from "./RateLimitBuckets.js"
import * as RateLimitConfig from "./RateLimitConfig.js"

/** What is said of one request. */
export interface Verdict {
  /** Why it is refused; undefined when it is not. */
  readonly refusal: Refusal | undefined
  /** `RateLimit` and `RateLimit-Policy`, as lines of a head as they are sent; empty where there is no limit. */
  readonly lines: string
}

/** A request too many. */
export interface Refusal {
  /** The policy that it is too many for. */
  readonly policy: string
  /** What is answered. */
  readonly problem: Problem.Problem
  /** When the next one passes, in seconds. */
  readonly retryAfter: number
  /** Whether it is the first that came by a proxy which nobody has said is to be believed: then all that come by it count as one client. */
  readonly isSuspect: boolean
}

/** The limits of one process, or of several that tell each other. */
export interface Shape {
  /** Counts a request and says whether it passes. It never throws. */
  readonly unsafeTake: (request: Http.IncomingMessage) => Verdict
  /** Why a key of this request is not looked at: its address has sent too many that were wrong. Undefined when it is. */
  readonly unsafeLocked: (request: Http.IncomingMessage) => Refusal | undefined
  /** Where it is counted: for whoever shares it between processes. */
  readonly buckets: Buckets
}

/** Limits of requests. */
export class RateLimit extends Context.Tag("stellar-insights/http/RateLimit")<RateLimit, Shape>() {}

/** What limits are made of. */
export interface Parts {
  /** The limits. */
  readonly config: RateLimitConfig.RateLimitConfig
  /** Keys that have a limit of their own. */
  readonly keys: BearerKeys.BearerKeys
  /** Whose request it is. */
  readonly address: ClientAddress.Shape
  /** Milliseconds by the clock. */
  readonly now: () => number
  /** Whether the `Authorization` of a path is about something else than these keys. Of none by default. */
  readonly isElsewhere?: (path: string) => boolean
}

/** Clients that are remembered at most, about 150 bytes each; each bucket of one counts. */
export const mostBuckets = 50_000

const unlimited: Verdict = { refusal: undefined, lines: "" }

/** The same policies in words, made once. */
interface Spoken {
  readonly policy: Policy
  /** `RateLimit-Policy`. */
  readonly line: string
}

const spoken = (name: string, capacity: number, window: Duration.Duration): Spoken | undefined =>
  capacity === 0
    ? undefined
    : {
        policy: { name, capacity, window: Duration.toMillis(window) },
        line: `ratelimit-policy: "${name}";q=${capacity};w=${Math.ceil(Duration.toSeconds(window))}\r\n`
      }

const details = {
  address: (most: string) => `more than ${most} came from this address; come back later`,
  key: (most: string) => `more than ${most} came with this key; come back later`,
  "failed-keys": (most: string) =>
    `more than ${most} that were wrong came from this address, so none from there is looked at for now`
}

const isNobodys = () => false

/** Limits of this process. */
export const make = ({ address, config, isElsewhere = isNobodys, keys, now }: Parts): Shape => {
  const { failedKeys, keyRequests, requests, window } = config
  const ofAddress = spoken("address", requests, window)
  const ofKey = spoken("key", keyRequests, window)
  const ofFailures = spoken("failed-keys", failedKeys, window)
  const buckets = new Buckets(mostBuckets)
  let isWarned = false
  const locked = new WeakSet<Http.IncomingMessage>()
  const seconds = Math.ceil(Duration.toSeconds(window))

  const refusal = ({ policy }: Spoken, tokens: number): Refusal => {
    const retryAfter = Math.max(1, Math.ceil(((1 - tokens) * policy.window) / policy.capacity / 1000))
    const things = policy.name === "failed-keys" ? "keys" : "requests"
    const most = `${policy.capacity} ${things} in ${seconds} s`
    const problem = Problem.make(429, details[policy.name as keyof typeof details](most), {
      policy: policy.name,
      limit: policy.capacity,
      windowSeconds: seconds,
      retryAfterSeconds: retryAfter
    })
    return { policy: policy.name, problem, retryAfter, isSuspect: false }
  }

  const take = (key: string, limit: Spoken | undefined): Verdict => {
    if (limit === undefined) return unlimited
    const { line, policy } = limit
    const left = buckets.take(key, policy, now())
    if (left < 0) {
      const refused = refusal(limit, left + 1)
      return {
        refusal: refused,
        lines: `${line}ratelimit: "${policy.name}";r=0;t=${refused.retryAfter}\r\n`
      }
    }
    const full = Math.ceil(((policy.capacity - left) * policy.window) / policy.capacity / 1000)
    return {
      refusal: undefined,
      lines: `${line}ratelimit: "${policy.name}";r=${Math.floor(left)};t=${full}\r\n`
    }
  }

  /** The name of the request's key; undefined when it is wrong, or is not looked at. */
  const keyOf = (request: Http.IncomingMessage, sent: string, from: string): string | undefined => {
    const failures = `failed-keys ${from}`
    if (ofFailures !== undefined && buckets.left(failures, ofFailures.policy, now()) < 1) {
      locked.add(request)
      return undefined
    }
    const name = keys.nameOf(Redacted.make(sent))
    if (name === undefined && ofFailures !== undefined) buckets.take(failures, ofFailures.policy, now())
    return name
  }

  return {
    buckets,
    unsafeTake: (request) => {
      const from = ClientAddress.network(address.of(request))
      const { authorization } = request.headers
      if (authorization !== undefined && keys.count > 0 && !isElsewhere(request.url ?? "")) {
        const sent = BearerKeys.tokenOf(authorization)
        const name = sent === undefined ? undefined : keyOf(request, sent, from)
        if (name !== undefined) return take(`key ${name}`, ofKey)
      }
      const verdict = take(from, ofAddress)
      if (verdict.refusal === undefined || isWarned || address.believes) return verdict
      isWarned = request.headers["x-forwarded-for"] !== undefined
      return isWarned ? { ...verdict, refusal: { ...verdict.refusal, isSuspect: true } } : verdict
    },
    unsafeLocked: (request) =>
      ofFailures !== undefined && locked.has(request)
        ? refusal(
            ofFailures,
            buckets.left(
              `failed-keys ${ClientAddress.network(address.of(request))}`,
              ofFailures.policy,
              now()
            )
          )
        : undefined
  }
}

const limited = Metric.counter("http_rate_limited_total", {
  description: "Requests refused with 429",
  incremental: true
})

const warning = Effect.annotateLogs(
  Effect.logWarning(
    "A request that a proxy has passed on was over the limit of the proxy's address; set TRUSTED_PROXIES, or all clients share one limit"
  ),
  { component: "http", event_type: "untrusted_proxy" }
)

/** Counts a refusal and gives it as a response. Never fails. */
export const respond = ({ isSuspect, policy, problem, retryAfter }: Refusal) =>
  Metric.increment(Metric.tagged(limited, "policy", policy)).pipe(
    Effect.zipRight(isSuspect ? warning : Effect.void),
    Effect.as(Problem.toResponse(problem, { "retry-after": String(retryAfter) }))
  )

/** The limits of the environment, of this process alone. Fails with `ConfigError`. */
export const makeConfig = (isElsewhere?: (path: string) => boolean) =>
  Effect.gen(function* () {
    const clock = yield* Effect.clock
    return make({
      config: yield* RateLimitConfig.config,
      keys: yield* BearerKeys.config,
      address: yield* ClientAddress.ClientAddress,
      now: () => clock.unsafeCurrentTimeMillis(),
      ...(isElsewhere === undefined ? {} : { isElsewhere })
    })
  })

/** The same as a layer. */
export const layerConfig = Layer.effect(RateLimit, makeConfig())
