import { assert, describe, it } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as ErrorText from "../../src/lifecycle/ErrorText.js"
import * as HubConfig from "../../src/realtime/HubConfig.js"

const read = (values: Record<string, string>) =>
  Effect.withConfigProvider(HubConfig.config, ConfigProvider.fromMap(new Map(Object.entries(values))))

describe("HubConfig", () => {
  it.effect("without a key everything is at its default", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* read({}), HubConfig.defaults)
      assert.isNull(Option.getOrNull((yield* read({ WS_AUTH_TOKEN: "" })).authToken))
    })
  )

  it.effect("reads every key", () =>
    Effect.gen(function* () {
      const config = yield* read({
        WS_AUTH_TOKEN: "0123456789abcdef",
        WS_ORIGINS: "https://A.example, http://localhost:3000",
        WS_HEARTBEAT: "10",
        WS_MAX_MESSAGE: "16mb",
        WS_MESSAGE_RATE: "1",
        WS_MAX_CONNECTIONS: "5",
        WS_MAX_PER_ADDRESS: "6",
        WS_MAX_CHANNELS: "7",
        WS_QUEUE: "16kb",
        WS_SLOW_CLIENTS: "close",
        WS_SESSION_INTERVAL: "500 millis",
        WS_SESSION_TTL: "7 days",
        WS_RECONNECT_SPREAD: "0"
      })
      assert.strictEqual(Redacted.value(Option.getOrThrow(config.authToken)), "0123456789abcdef")
      assert.deepStrictEqual(
        [...Option.getOrThrow(config.origins)],
        ["https://a.example", "http://localhost:3000"]
      )
      const { authToken: _, origins: __, ...rest } = config
      assert.deepStrictEqual(rest, {
        heartbeat: Duration.seconds(10),
        maxMessage: 16 * 1024 ** 2,
        messageRate: 1,
        maxConnections: 5,
        maxPerAddress: 6,
        maxChannels: 7,
        queue: 16 * 1024,
        slowClients: "close",
        sessionInterval: Duration.millis(500),
        sessionTtl: Duration.days(7),
        reconnectSpread: Duration.zero
      })
    })
  )

  it.effect.each([
    ["WS_AUTH_TOKEN", "short"],
    ["WS_AUTH_TOKEN", "0123456789 abcdef"],
    ["WS_ORIGINS", "example.org"],
    ["WS_ORIGINS", "https://example.org/"],
    ["WS_ORIGINS", ""],
    ["WS_HEARTBEAT", "0"],
    ["WS_HEARTBEAT", "-5"],
    ["WS_MAX_MESSAGE", "17mb"],
    ["WS_MAX_MESSAGE", "1"],
    ["WS_MESSAGE_RATE", "0"],
    ["WS_MESSAGE_RATE", "1e3"],
    ["WS_MAX_CONNECTIONS", ""],
    ["WS_MAX_PER_ADDRESS", "1000001"],
    ["WS_MAX_CHANNELS", "10001"],
    ["WS_QUEUE", "15kb"],
    ["WS_SLOW_CLIENTS", "drop"],
    ["WS_SESSION_INTERVAL", "1 hour"],
    ["WS_SESSION_TTL", "1"],
    ["WS_RECONNECT_SPREAD", "601"]
  ])("%s=%s is refused, in a line that names the key", ([key, value]) =>
    Effect.gen(function* () {
      const text = ErrorText.of(yield* Effect.flip(read({ [key!]: value! })))
      assert.isTrue(text.startsWith(`${key}: `), text)
      if (key === "WS_AUTH_TOKEN") assert.notInclude(text, value!)
      else assert.include(text, `"${value}"`)
    })
  )
})
