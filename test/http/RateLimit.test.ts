/** Who may ask how much: by address, with a key, and with keys that are wrong. */
import { assert, describe, it } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Http from "node:http"
import * as BearerKeys from "../../src/http/BearerKeys.js"
import * as ClientAddress from "../../src/http/ClientAddress.js"
import * as RateLimit from "../../src/http/RateLimit.js"
import { Buckets } from "../../src/http/RateLimitBuckets.js"
import * as RateLimitConfig from "../../src/http/RateLimitConfig.js"

const keys = ["first-key-0123456789", "second-key-0123456789"]

/** Limits on a clock that is set by hand. */
const setUp = (config: Partial<RateLimitConfig.RateLimitConfig> = {}, all: Iterable<string> = keys) => {
  const clock = { now: 1_700_000_000_000 }
  const limit = RateLimit.make({
    config: { requests: 3, keyRequests: 5, failedKeys: 2, window: Duration.seconds(60), ...config },
    keys: BearerKeys.make(all),
    address: ClientAddress.make(ClientAddress.nobody),
    now: () => clock.now,
    isElsewhere: (path) => path === "/elsewhere"
  })
  const request = (from: string, key?: string, url = "/") =>
    ({
      url,
      socket: { remoteAddress: from },
      headers: key === undefined ? {} : { authorization: `Bearer ${key}` }
    }) as unknown as Http.IncomingMessage
  const take = (asked: Http.IncomingMessage) => {
    const { lines, refusal } = limit.unsafeTake(asked)
    const line = (name: string) => new RegExp(`^${name}: (.*)\\r\\n`, "m").exec(lines)?.[1] ?? ""
    return { refusal, left: line("ratelimit"), policy: line("ratelimit-policy") }
  }
  const ask = (from: string, key?: string, url?: string) => take(request(from, key, url))
  return { ask, take, clock, limit, request }
}

const times = <A>(count: number, ask: () => A): ReadonlyArray<A> => Array.from({ length: count }, ask)

describe("an address", () => {
  it("may ask so often, and again when time has passed; others are not concerned", () => {
    const { ask, clock } = setUp()
    assert.deepStrictEqual(
      times(3, () => ask("10.0.0.1").left),
      ['"address";r=2;t=20', '"address";r=1;t=40', '"address";r=0;t=60']
    )
    const { left, policy, refusal } = ask("10.0.0.1")
    assert.strictEqual(policy, '"address";q=3;w=60')
    assert.strictEqual(left, '"address";r=0;t=20')
    assert.strictEqual(refusal?.retryAfter, 20)
    assert.deepInclude(refusal?.problem, {
      status: 429,
      policy: "address",
      limit: 3,
      windowSeconds: 60,
      retryAfterSeconds: 20,
      detail: "more than 3 requests in 60 s came from this address; come back later"
    })
    assert.isUndefined(ask("10.0.0.2").refusal)
    clock.now += 19_999
    assert.strictEqual(ask("10.0.0.1").refusal?.retryAfter, 1)
    clock.now += 1
    assert.isUndefined(ask("10.0.0.1").refusal)
    assert.isDefined(ask("10.0.0.1").refusal)
    clock.now += 3_600_000
    assert.strictEqual(times(10, () => ask("10.0.0.1")).filter(({ refusal }) => !refusal).length, 3)
  })

  it("of IPv6 is the first half of it", () => {
    const { ask } = setUp()
    for (let one = 1; one <= 3; one++) assert.isUndefined(ask(`2001:db8::${one}`).refusal)
    assert.isDefined(ask("2001:db8::4").refusal)
    assert.isUndefined(ask("2001:db8:0:1::4").refusal)
    assert.isUndefined(ask("::ffff:10.0.0.9").refusal)
  })

  it("of a proxy that nobody believes is told of once, when it is over the limit", () => {
    const { limit, request } = setUp()
    const passedOn = () => {
      const asked = request("10.0.0.1")
      asked.headers["x-forwarded-for"] = "192.0.2.1"
      return limit.unsafeTake(asked).refusal?.isSuspect
    }
    assert.deepStrictEqual(times(5, passedOn), [undefined, undefined, undefined, true, false])
  })

  it("may ask for ever where there is no limit", () => {
    const { ask } = setUp({ requests: 0 })
    for (const { left, policy, refusal } of times(100, () => ask("10.0.0.1"))) {
      assert.isUndefined(refusal)
      assert.strictEqual(left + policy, "")
    }
  })
})

describe("a key", () => {
  it("has a limit of its own, wherever it is used", () => {
    const { ask } = setUp()
    for (let one = 1; one <= 5; one++) assert.isUndefined(ask(`10.0.0.${one}`, keys[0]).refusal)
    const { policy, refusal } = ask("10.0.0.6", keys[0])
    assert.strictEqual(policy, '"key";q=5;w=60')
    assert.strictEqual(
      refusal?.problem.detail,
      "more than 5 requests in 60 s came with this key; come back later"
    )
    assert.isUndefined(ask("10.0.0.6", keys[1]).refusal)
    assert.isUndefined(ask("10.0.0.1").refusal)
  })

  it("that is wrong counts as none, and after some of them none is looked at", () => {
    const { ask, clock, limit, request, take } = setUp({ requests: 100 })
    for (const { policy } of times(2, () => ask("10.0.0.1", "wrong-key-0123456789"))) {
      assert.strictEqual(policy, '"address";q=100;w=60')
    }
    // The right one is not told from a wrong one any more, neither by the answer nor by the limit that counts.
    for (const key of [keys[0], "wrong-key-0123456789"]) {
      const late = request("10.0.0.1", key)
      assert.strictEqual(take(late).policy, '"address";q=100;w=60')
      assert.deepInclude(limit.unsafeLocked(late)?.problem, {
        status: 429,
        policy: "failed-keys",
        detail:
          "more than 2 keys in 60 s that were wrong came from this address, so none from there is looked at for now"
      })
      assert.strictEqual(limit.unsafeLocked(late)?.retryAfter, 30)
    }
    const without = request("10.0.0.1")
    assert.isUndefined(take(without).refusal)
    assert.isUndefined(limit.unsafeLocked(without))
    const elsewhere = request("10.0.0.2", keys[0])
    assert.strictEqual(take(elsewhere).policy, '"key";q=5;w=60')
    assert.isUndefined(limit.unsafeLocked(elsewhere))
    clock.now += 30_000
    const again = request("10.0.0.1", keys[0])
    assert.strictEqual(take(again).policy, '"key";q=5;w=60')
    assert.isUndefined(limit.unsafeLocked(again))
  })

  it("is somebody else's business on some paths, and nobody's where none is configured", () => {
    const { ask, limit, request } = setUp()
    for (let one = 0; one < 10; one++) ask("10.0.0.1", "wrong-key-0123456789", "/elsewhere")
    const right = request("10.0.0.1", keys[0])
    limit.unsafeTake(right)
    assert.isUndefined(limit.unsafeLocked(right))
    const none = setUp({}, [])
    times(10, () => none.ask("10.0.0.1", "wrong-key-0123456789"))
    const asked = none.request("10.0.0.1", "wrong-key-0123456789")
    none.limit.unsafeTake(asked)
    assert.isUndefined(none.limit.unsafeLocked(asked))
  })
})

describe("buckets", () => {
  const policy = { name: "address", capacity: 10, window: 1000 }

  it("are bounded: those that were not used for longest are forgotten", () => {
    const buckets = new Buckets(100)
    for (let one = 0; one < 10; one++) buckets.take("busy", policy, 0)
    for (let one = 0; one < 10_000; one++) {
      buckets.take(`client ${one}`, policy, 0)
      assert.isAtMost(buckets.size, 101)
      assert.isBelow(buckets.take("busy", policy, 0), 0)
    }
    assert.strictEqual(buckets.take("client 1", policy, 0), 9)
  })

  it("are not disturbed by a clock that goes back", () => {
    const buckets = new Buckets(10)
    for (let one = 0; one < 10; one++) buckets.take("a", policy, 5000)
    assert.isBelow(buckets.take("a", policy, 1000), 0)
    assert.isBelow(buckets.take("a", policy, 1099), 0)
    assert.isAtLeast(buckets.take("a", policy, 1100), 0)
    assert.isBelow(buckets.take("a", policy, 1100), 0)
  })
})

describe("RATE_LIMIT_*", () => {
  const read = (entries: Record<string, string>) =>
    Effect.withConfigProvider(
      RateLimitConfig.config,
      ConfigProvider.fromMap(new Map(Object.entries(entries)))
    )

  it.effect("have defaults", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* read({}), RateLimitConfig.defaults)
    })
  )

  it.effect.each([
    { key: "RATE_LIMIT_REQUESTS", text: "-1" },
    { key: "RATE_LIMIT_KEY_REQUESTS", text: "many" },
    { key: "RATE_LIMIT_FAILED_KEYS", text: "10000001" },
    { key: "RATE_LIMIT_WINDOW", text: "0" },
    { key: "RATE_LIMIT_WINDOW", text: "2 hours" }
  ])("refuse $key=$text", ({ key, text }) =>
    Effect.gen(function* () {
      assert.include(String(yield* Effect.flip(read({ [key]: text }))), key)
    })
  )
})
