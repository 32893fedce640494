import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as TestClock from "effect/TestClock"
import * as LakeHttp from "../../../src/stellar/source/LakeHttp.js"

/** A store on a client that gives these answers, one each, and then never any. */
const store = (answers: ReadonlyArray<() => Response | "never">) => {
  const urls: Array<string> = []
  const client = HttpClient.make((request, url) => {
    urls.push(`${request.method} ${url.href}`)
    const answer = answers[urls.length - 1]?.() ?? "never"
    return answer === "never" ? Effect.never : Effect.succeed(HttpClientResponse.fromWeb(request, answer))
  })
  return LakeHttp.make(new URL("https://lake.example/a/b/?token=secret"), {
    maximumObjectSize: 1000,
    requestTimeout: "30 seconds"
  }).pipe(
    Effect.provideService(HttpClient.HttpClient, client),
    Effect.map((made) => ({ ...made, urls }))
  )
}

const status =
  (code: number, headers: Record<string, string> = {}) =>
  () =>
    new Response("no", { status: code, headers })
const ok = (body: string) => () => new Response(body)
const settle = Effect.repeatN(Effect.yieldNow(), 100)

/** Asserts that the fiber is pending up to the last millisecond of `wait`, and that `requests` have been made after it. */
const waits = (wait: Duration.DurationInput, urls: ReadonlyArray<string>, requests: number) =>
  Effect.gen(function* () {
    yield* settle
    yield* TestClock.adjust(Duration.millis(Duration.toMillis(wait) - 1))
    yield* settle
    assert.strictEqual(urls.length, requests - 1, "too early")
    yield* TestClock.adjust(Duration.millis(1))
    yield* settle
    assert.strictEqual(urls.length, requests, "too late")
  })

// No chance: jitter takes its upper end.
const withoutJitter = Effect.withRandom({
  ...Random.fixed([0.999_999_999]),
  next: Effect.succeed(1)
} as Random.Random)

describe("LakeHttp", () => {
  it.effect("waits longer after every failure, and as long as the server asks", () =>
    Effect.gen(function* () {
      const { get, urls } = yield* store([
        status(500),
        status(503),
        status(429, { "retry-after": "12" }),
        status(408),
        status(503, { "retry-after": "Thu, 01 Jan 1970 00:01:00 GMT" }),
        ok("here")
      ])
      const fiber = yield* Effect.fork(get("key"))
      yield* settle
      assert.deepStrictEqual(urls, ["GET https://lake.example/a/b/key?token=secret"])
      yield* waits(500, urls, 2)
      yield* waits(1000, urls, 3)
      yield* waits(12_000, urls, 4)
      yield* waits(4000, urls, 5)
      yield* waits(60_000 - 17_500, urls, 6)
      assert.strictEqual(Buffer.from(Option.getOrThrow(yield* Fiber.join(fiber))).toString(), "here")
    }).pipe(withoutJitter)
  )

  it.effect("gives up one try after its timeout, and tries again", () =>
    Effect.gen(function* () {
      const { get, urls } = yield* store([() => "never", ok("late")])
      const fiber = yield* Effect.fork(get("key"))
      yield* waits(30_500, urls, 2)
      assert.strictEqual(Buffer.from(Option.getOrThrow(yield* Fiber.join(fiber))).toString(), "late")
    }).pipe(withoutJitter)
  )

  it.effect("tells absent from forbidden, and keeps secrets out of its words", () =>
    Effect.gen(function* () {
      const { get, locate, name } = yield* store([
        status(403),
        ok("x"),
        status(403),
        status(404),
        status(410),
        status(400)
      ])
      const refused = yield* Effect.flip(get("key"))
      assert.strictEqual(refused.reason, "unreadable")
      assert.strictEqual(
        refused.message,
        "https://lake.example/a/b/key cannot be read: the server answers GET with status 403"
      )
      yield* get("key")
      for (let i = 0; i < 3; i++) assert.isTrue(Option.isNone(yield* get("key")))
      assert.strictEqual((yield* Effect.flip(get("key"))).reason, "unreadable")
      assert.notInclude(locate("key") + name, "secret")
    })
  )

  it.effect("refuses an object that is larger than allowed", () =>
    Effect.gen(function* () {
      const { get } = yield* store([ok("x".repeat(1000)), ok("x".repeat(1001))])
      assert.strictEqual(Option.getOrThrow(yield* get("key")).length, 1000)
      const error = yield* Effect.flip(get("key"))
      assert.strictEqual(error.reason, "corrupt")
      assert.include(error.message, "https://lake.example/a/b/key is larger than the 1000 bytes")
    })
  )

  it.effect("can be interrupted while it waits and while it asks", () =>
    Effect.gen(function* () {
      const stopped = yield* Deferred.make<void>()
      const { get, urls } = yield* store([status(500), () => "never"])
      const fiber = yield* Effect.fork(
        Effect.onInterrupt(get("key"), () => Deferred.succeed(stopped, undefined))
      )
      yield* waits(500, urls, 2)
      yield* Fiber.interrupt(fiber)
      yield* Deferred.await(stopped)
    }).pipe(withoutJitter)
  )
})
