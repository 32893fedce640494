import { assert, describe, it } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import * as OtlpConfig from "../../src/telemetry/OtlpConfig.js"
import * as Telemetry from "../../src/telemetry/Telemetry.js"

const read = (values: Record<string, string>) =>
  Effect.withConfigProvider(Telemetry.config, ConfigProvider.fromMap(new Map(Object.entries(values))))

describe("telemetry", () => {
  it.effect("goes nowhere unless something is said", () =>
    Effect.map(read({}), ({ otlp, sentry }) => {
      assert.isTrue(Option.isNone(otlp.endpoint))
      assert.isTrue(Option.isNone(sentry.project))
      assert.strictEqual(otlp.serviceName, "stellar-insights")
      assert.deepStrictEqual(otlp.sampler, { name: "parentbased_always_on", parentBased: true, ratio: 1 })
    })
  )

  it.effect("goes where the standard keys say", () =>
    Effect.map(
      read({
        OTEL_EXPORTER_OTLP_ENDPOINT: "https://collector.example.com/otlp/",
        OTEL_EXPORTER_OTLP_HEADERS: "authorization=Bearer%20abc, x-scope=a=b",
        OTEL_RESOURCE_ATTRIBUTES: "service.name=other,deployment.environment.name=a%2Cb",
        OTEL_TRACES_SAMPLER: "traceidratio",
        OTEL_TRACES_SAMPLER_ARG: "0.25"
      }),
      ({ otlp }) => {
        assert.strictEqual(Option.getOrNull(otlp.endpoint), "https://collector.example.com/otlp")
        assert.deepStrictEqual(Redacted.value(otlp.headers), {
          authorization: "Bearer abc",
          "x-scope": "a=b"
        })
        assert.strictEqual(OtlpConfig.shown(otlp.headers), "authorization=<redacted>,x-scope=<redacted>")
        assert.strictEqual(otlp.serviceName, "other")
        assert.strictEqual(
          OtlpConfig.text(otlp.attributes),
          "service.name=other,deployment.environment.name=a%2Cb"
        )
        assert.deepStrictEqual(otlp.sampler, { name: "traceidratio", parentBased: false, ratio: 0.25 })
      }
    )
  )

  it.effect.each([
    ["always_on", 1],
    ["always_off", 0],
    ["parentbased_always_off", 0],
    ["parentbased_traceidratio", 0.5]
  ] as const)("samples as %s", ([name, ratio]) =>
    Effect.map(read({ OTEL_TRACES_SAMPLER: name, OTEL_TRACES_SAMPLER_ARG: "0.5" }), ({ otlp }) => {
      assert.deepStrictEqual(otlp.sampler, { name, parentBased: name.startsWith("parentbased_"), ratio })
    })
  )

  it.effect.each([
    { OTEL_EXPORTER_OTLP_ENDPOINT: "collector:4318" },
    { OTEL_EXPORTER_OTLP_ENDPOINT: "grpc://collector:4317" },
    { OTEL_EXPORTER_OTLP_ENDPOINT: "http://user:secret-1@collector:4318" },
    { OTEL_EXPORTER_OTLP_HEADERS: "secret-1" },
    { OTEL_EXPORTER_OTLP_HEADERS: "a b=secret-1" },
    { OTEL_EXPORTER_OTLP_HEADERS: "a=secret-1%" },
    { OTEL_TRACES_SAMPLER: "sometimes" },
    { OTEL_TRACES_SAMPLER_ARG: "1.5" },
    { OTEL_TRACES_SAMPLER_ARG: "-1" },
    { SENTRY_DSN: "https://sentry.example.com/secret-1" },
    { SENTRY_DSN: "secret-1" },
    { SENTRY_ENVIRONMENT: "a b" }
  ])("refuses %j without saying what may be secret", (values) =>
    Effect.map(Effect.flip(read(values)), (error) => {
      assert.include(String(error), Object.keys(values)[0]!)
      assert.notInclude(String(error), "secret-1")
    })
  )
})

it("what is not configured is not loaded", () => {
  const files = readdirSync("src", { recursive: true, encoding: "utf8" }).filter((file) =>
    file.endsWith(".ts")
  )
  const importing = (what: RegExp) =>
    files.filter((file) =>
      readFileSync(join("src", file), "utf8")
        .split("\n")
        .some((line) => /^(?:import|export) (?!type )/.test(line) && what.test(line))
    )
  const heavy = importing(/"@(?:sentry|opentelemetry|effect\/opentelemetry)\//)
  assert.includeMembers(heavy, ["telemetry/OtlpExport.ts", "telemetry/SentryReports.ts"])
  for (const file of heavy) {
    const name = file.replace(/^.*\//, "").replace(/ts$/, "js")
    assert.deepStrictEqual(importing(new RegExp(`/${name}"`)), [], file)
  }
})
