/**
 * Takes exports at once and delivers them one after the other, with little memory, and to its end in bounded time.
 *
 * What is taken waits in a queue of a few megabytes. When it is full the oldest spans go, and are counted: what is new tells more, and the last of a life tells most. Of metrics only the newest
 * export waits, since their sums go on. A collector that is away or overloaded is asked again, with growing pauses; what it refuses is not sent twice.
 *
 * @module
 */
import type * as HttpClient from "@effect/platform/HttpClient"
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import type * as ExporterHealth from "./ExporterHealth.js"

/** What is delivered. */
export interface Export {
  /** What it holds. */
  readonly what: "spans" | "metrics"
  /** How many of them; 1 for metrics. */
  readonly count: number
  /** Size of its body, in bytes. */
  readonly bytes: number
  /** The request that carries it. */
  readonly request: HttpClientRequest.HttpClientRequest
}

/** Where exports are handed in. */
export interface OtlpDelivery {
  /** Takes an export. Returns at once, whatever becomes of it. */
  readonly unsafeTake: (taken: Export) => void
}

/** How it delivers. */
export interface Options {
  /** What requests go through. It must take its time out of nothing but the request. */
  readonly client: HttpClient.HttpClient
  /** Is told what arrives and what does not. */
  readonly health: ExporterHealth.ExporterHealth
  /** How long delivering what is left may take when the scope closes. */
  readonly patience: Duration.Duration
  /** What may wait, in bytes. Default {@link mostBytes}. */
  readonly mostBytes?: number
}

/** What may wait, in bytes: some thousands of spans. */
export const mostBytes = 4 * 1024 * 1024

/** How long a request may take: OpenTelemetry's own default. */
export const requestTimeout = Duration.seconds(10)

/** Pauses between attempts at a collector that is away, in milliseconds: doubled from the first to the longest. */
const pause = { first: 1000, longest: 30_000, last: 250 }

/** What came of an attempt. */
type Verdict =
  | { readonly _tag: "Taken" }
  | { readonly _tag: "Refused"; readonly why: string }
  | { readonly _tag: "Later"; readonly why: string; readonly afterMillis: number }

/** As OTLP/HTTP has it: these are worth another attempt, every other failure is final. */
const passing = new Set([408, 429, 502, 503, 504])

const verdict = (response: HttpClientResponse.HttpClientResponse): Verdict => {
  const { headers, status } = response
  if (status >= 200 && status < 300) return { _tag: "Taken" }
  const why = `the answer was ${status}`
  if (!passing.has(status)) return { _tag: "Refused", why }
  const seconds = Number(headers["retry-after"])
  return { _tag: "Later", why, afterMillis: seconds > 0 ? Math.min(seconds * 1000, pause.longest) : 0 }
}

const attempt = (client: HttpClient.HttpClient, { request }: Export): Effect.Effect<Verdict> =>
  client.execute(request).pipe(
    // Read to its end, so that the connection can be used again.
    Effect.flatMap((response) => Effect.as(response.arrayBuffer, verdict(response))),
    Effect.catchAll((error) =>
      Effect.succeed<Verdict>({
        _tag: "Later",
        why: error._tag === "RequestError" ? "the collector was not reached" : "the answer broke off",
        afterMillis: 0
      })
    ),
    Effect.timeoutTo({
      duration: requestTimeout,
      onSuccess: (came): Verdict => came,
      onTimeout: (): Verdict => ({ _tag: "Later", why: "there was no answer in time", afterMillis: 0 })
    }),
    // A trace of sending traces would never end.
    Effect.withTracerEnabled(false)
  )

/** Delivers until the scope closes, and then what is left, for `patience` at most. What cannot be delivered by then is given up and told. */
export const make = (options: Options): Effect.Effect<OtlpDelivery, never, Scope.Scope> =>
  Effect.gen(function* () {
    const { client, health } = options
    const most = options.mostBytes ?? mostBytes
    const queue: Array<Export> = []
    let waitingBytes = 0
    let rung = yield* Deferred.make<void>()
    const closing = yield* Deferred.make<void>()
    let isClosing = false
    let underWay: Export | undefined
    let failures = 0

    const remove = (at: number): Export => {
      const [removed] = queue.splice(at, 1)
      waitingBytes -= removed!.bytes
      return removed!
    }
    const drop = (lost: Export) => health.dropped(lost.what, lost.count)
    const put = (taken: Export, first: boolean) => {
      if (first) queue.unshift(taken)
      else queue.push(taken)
      waitingBytes += taken.bytes
    }
    const unsafeTake = (taken: Export) => {
      // An export of metrics holds all that an earlier one does.
      const outdated = taken.what === "metrics" ? queue.findIndex(({ what }) => what === "metrics") : -1
      if (outdated >= 0) remove(outdated)
      put(taken, false)
      while (waitingBytes > most && queue.length > 1) drop(remove(0))
      Deferred.unsafeDone(rung, Effect.void)
    }

    /** Waits until there is something; false when there never will be. */
    const more = Effect.gen(function* () {
      while (true) {
        // Made before the look: what is taken from here on rings it.
        rung = yield* Deferred.make<void>()
        if (queue.length > 0) return true
        if (isClosing) return false
        yield* Effect.raceFirst(Deferred.await(rung), Deferred.await(closing))
      }
    })
    /** After a failure that may pass. False when there is no time to wait for that. */
    const rest = (afterMillis: number) =>
      Effect.gen(function* () {
        failures += 1
        if (!isClosing) {
          const millis = Math.max(afterMillis, Math.min(pause.longest, pause.first * 2 ** (failures - 1)))
          yield* Effect.raceFirst(Effect.sleep(millis), Deferred.await(closing))
          // One more attempt at the end, for a collector that has come back.
          if (isClosing) failures = 1
          return true
        }
        if (failures > 1) return false
        yield* Effect.sleep(pause.last)
        return true
      })

    const loop = Effect.gen(function* () {
      while (yield* more) {
        const current = remove(0)
        underWay = current
        const came = yield* attempt(client, current)
        if (came._tag === "Later") put(current, true)
        underWay = undefined
        if (came._tag === "Taken") {
          failures = 0
          yield* health.works
          continue
        }
        yield* health.fails(came.why)
        if (came._tag === "Refused") drop(current)
        else if (!(yield* rest(came.afterMillis))) return
      }
    })
    // A scope of its own: in the other one it would be interrupted in the midst of a request that is about to be answered.
    const own = yield* Scope.make()
    const fiber = yield* Effect.forkIn(Effect.interruptible(loop), own)

    const finish = Effect.gen(function* () {
      isClosing = true
      yield* Deferred.succeed(closing, void 0)
      yield* Fiber.await(fiber).pipe(Effect.interruptible, Effect.timeoutOption(options.patience))
      const left = [...Option.toArray(Option.fromNullable(underWay)), ...queue]
      for (const lost of left) drop(lost)
      queue.length = 0
      yield* Scope.close(own, Exit.void)
      yield* health.undelivered(left.reduce((sum, { count }) => sum + count, 0))
    })
    yield* Effect.addFinalizer(() => finish)
    return { unsafeTake }
  })
