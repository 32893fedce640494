import { assert, it } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as WebhookConfig from "../../src/webhooks/WebhookConfig.js"

const read = (values: Record<string, string>) =>
  Effect.withConfigProvider(WebhookConfig.config, ConfigProvider.fromMap(new Map(Object.entries(values))))

it.effect("has defaults that allow nothing that leads inside", () =>
  Effect.gen(function* () {
    const config = yield* read({})
    assert.deepStrictEqual(config, WebhookConfig.defaults)
    assert.deepInclude(config, { allowHttp: false, allowPrivate: false, concurrency: 32, perEndpoint: 4 })
    assert.strictEqual(Duration.toSeconds(config.timeout), 10)
  })
)

it.effect("reads ranges of addresses", () =>
  Effect.gen(function* () {
    const { allowPrivate } = yield* read({ WEBHOOK_ALLOW_PRIVATE: "10.1.0.0/16, fd00::/8,127.0.0.1" })
    assert.deepStrictEqual(
      (allowPrivate as ReadonlyArray<{ family: number; prefix: number }>).map(({ family, prefix }) => [
        family,
        prefix
      ]),
      [
        [4, 16],
        [6, 8],
        [4, 32]
      ]
    )
    assert.isTrue((yield* read({ WEBHOOK_ALLOW_PRIVATE: "true" })).allowPrivate)
  })
)

it.effect.each([
  ["WEBHOOK_ALLOW_HTTP", "yes"],
  ["WEBHOOK_ALLOW_PRIVATE", "10.1.0.0/16,inside"],
  ["WEBHOOK_ALLOW_PRIVATE", ""],
  ["WEBHOOK_TIMEOUT", "0"],
  ["WEBHOOK_TIMEOUT", "2 minutes"],
  ["WEBHOOK_CONCURRENCY", "0"],
  ["WEBHOOK_CONCURRENCY", "1001"],
  ["WEBHOOK_PER_ENDPOINT", ""],
  ["WEBHOOK_SECRET_OVERLAP", "31 days"],
  ["WEBHOOK_RETENTION", "1"],
  ["WEBHOOK_MAX_WAITING", "-1"]
])("refuses %s=%j", ([key, value]) =>
  Effect.map(Effect.flip(read({ [key!]: value! })), (error) => assert.include(String(error), key!))
)
