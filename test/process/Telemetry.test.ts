/** Scenario 18: what a service tells of itself arrives, to the last span of its stop; who does not listen does not hold it up. */
import { afterEach, assert, it } from "@effect/vitest"
import { mkdirSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import * as Child from "../support/Child.js"
import * as Collector from "../support/Collector.js"
import * as Lake from "../support/Lake.js"

const collectors: Array<Collector.Collector> = []

const collect = async (manner?: Collector.Manner) => {
  const collector = await Collector.open(manner)
  collectors.push(collector)
  return collector
}

afterEach(async () => {
  Child.clear()
  await Promise.all(collectors.splice(0).map((collector) => collector.close()))
})

const until = async (what: string, holds: () => boolean | Promise<boolean>) => {
  for (const deadline = Date.now() + 20_000; !(await holds());) {
    if (Date.now() > deadline) throw new Error(`${what} never came`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

const traceId = "0af7651916cd43dd8448eb211c80319c"
const parentId = "b7ad6b7169203331"
const secret = "a-secret-that-nobody-may-see"

/** Where ingestion halts at once: a lake whose first object is no ledger. */
const brokenLake = (): Record<string, string> => {
  const folder = Child.folder()
  const options = { networkPassphrase: "Test SDF Network ; September 2015" }
  const objects = Lake.pack([], options)
  objects.set(Lake.keyOf(64, options), Buffer.from("no ledger"))
  for (const [key, bytes] of objects) {
    mkdirSync(dirname(join(folder, key)), { recursive: true })
    writeFileSync(join(folder, key), bytes)
  }
  return {
    STELLAR_NETWORK: "testnet",
    STELLAR_SOURCE: "lake",
    STELLAR_LAKE_URL: folder,
    STELLAR_START_LEDGER: "64"
  }
}

it("scenario 18: spans and metrics of a whole life, the stop included, have arrived when the process ends", async () => {
  const collector = await collect()
  const service = Child.serve({
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_EXPORTER_OTLP_HEADERS: "x-collector-key=k%201",
    OTEL_RESOURCE_ATTRIBUTES: "deployment.environment.name=test",
    STELLAR_SIMULATED_INTERVAL: "0.1"
  })
  const url = await Child.url(service)
  await until(
    "a ledger",
    async () =>
      !(await (await fetch(`${url}/api/ledgers`, { headers: { connection: "close" } })).text()).includes(
        '"ledgers":[]'
      )
  )
  await fetch(`${url}/health/ready`)
  const answer = await fetch(`${url}/api/ledgers?limit=1&token=${secret}`, {
    headers: {
      traceparent: `00-${traceId}-${parentId}-01`,
      authorization: `Bearer ${secret}`,
      cookie: `session=${secret}`,
      "x-custom": secret
    }
  })
  await answer.text()
  service.kill("SIGTERM")
  const { code } = await service.end
  const atEnd = collector.spans.length
  assert.strictEqual(code, 0, service.stdout())

  const named = (name: string) => collector.spans.filter((span) => span.name === name)
  const [request] = collector.spans.filter(
    (span) => span.traceId === traceId && span.parentSpanId === parentId
  )
  assert.strictEqual(request?.name, "GET /api/ledgers")
  assert.deepInclude(request?.attributes, {
    "http.request.method": "GET",
    "http.route": "/api/ledgers",
    "url.path": "/api/ledgers",
    "http.response.status_code": 200
  })
  const sql = collector.spans.find((span) => span.traceId === traceId && span.name === "sql.execute")
  assert.include(String(sql?.attributes["db.query.text"]), "FROM ledger")
  assert.isFalse(
    collector.bodies.some((body) => body.includes(secret)),
    "a secret was exported"
  )
  assert.isFalse(collector.spans.some((span) => span.attributes["url.path"] === "/health/ready"))

  const [unit] = named("task ledger-ingestion")
  assert.isUndefined(unit?.parentSpanId)
  assert.include(
    collector.spans.filter((span) => span.traceId === unit?.traceId).map(({ name }) => name),
    "sql.transaction"
  )

  const [shutdown, ...others] = named("shutdown")
  assert.deepStrictEqual(others, [])
  assert.strictEqual(shutdown?.attributes["shutdown.reason"], "SIGTERM")
  assert.includeMembers(
    [...(shutdown?.events ?? [])],
    ["phase announcing", "phase draining", "phase releasing", "Drained"]
  )
  const steps = collector.spans.filter((span) => span.parentSpanId === shutdown?.spanId)
  assert.includeMembers(
    steps.map(({ name }) => name),
    [
      "quiesce http",
      "quiesce ledger-ingestion",
      "release http",
      "release realtime",
      "release database",
      "release telemetry"
    ]
  )
  for (const { attributes, name } of steps) {
    assert.strictEqual(
      attributes["shutdown.step.outcome"],
      name === "release telemetry" ? "open" : "completed",
      name
    )
  }

  const released = collector
    .metrics()
    .find(({ name }) => name === "shutdown_steps_total")
    ?.points.filter(({ attributes }) => attributes.kind === "release")
    .map(({ attributes }) => `${attributes.step} ${attributes.outcome}`)
  assert.includeMembers(released ?? [], ["http completed", "database completed"])
  assert.deepInclude(collector.resource(), {
    "service.name": "stellar-insights",
    "deployment.environment.name": "test"
  })
  assert.strictEqual(collector.headers()["x-collector-key"], "k 1")
  assert.strictEqual(collector.spans.length, atEnd)
})

it("scenario 18: neither a collector nor a Sentry that never answers costs more than the limit, or the clean exit", async () => {
  const collector = await collect("silence")
  const service = Child.serve({
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    SENTRY_DSN: collector.dsn,
    ...brokenLake()
  })
  const url = await Child.url(service)
  await (await fetch(`${url}/api/ledgers`, { headers: { connection: "close" } })).text()
  await service.says(/Ingestion is halted/)
  await until("an envelope", () => collector.bodies.some((body) => body.includes("Ingestion is halted")))
  service.kill("SIGTERM")
  const { code } = await service.end
  assert.strictEqual(code, 0, service.stdout())
  const events = service
    .lines()
    .map((line) => ({ type: line.event_type, step: line.step, exporter: line.exporter, line }))
  const released = events.find(({ step, type }) => step === "telemetry" && type === "shutdown_step_completed")
  assert.isBelow(Number(released?.line.duration_ms), 2000)
  const { timestamp, ...completed } = events.find(({ type }) => type === "shutdown_completed")!.line
  assert.isBelow(Date.parse(String(timestamp)) - Date.parse(String(released?.line.timestamp)), 1000)
  assert.strictEqual(completed.exit_code, 0)
  // Nothing that hangs holds the process once the stop is over: it need not be ended by force, half a second later.
  assert.notInclude(service.stderr(), "left open")
  const undelivered = events
    .filter(({ type }) => type === "telemetry_undelivered")
    .map(({ exporter }) => exporter)
  assert.deepStrictEqual(undelivered.toSorted(), ["otlp", "sentry"])
})

it("B4: a halt and a crash are reported to Sentry, the crash by the run after it", async () => {
  const sentry = await collect()
  const env = {
    SENTRY_DSN: sentry.dsn,
    SENTRY_ENVIRONMENT: "test",
    ...brokenLake()
  }
  const first = Child.serve(env)
  await Child.url(first)
  await until("a report of the halt", () =>
    sentry.events.some(({ message }) => message === "Ingestion is halted")
  )
  const halt = sentry.events.find(({ message }) => message === "Ingestion is halted")
  assert.strictEqual(halt?.environment, "test")
  assert.strictEqual(halt?.level, "error")
  assert.strictEqual(halt?.tags.component, "Ingestion")
  first.kill("SIGKILL")
  await first.end

  const second = Child.serve(env, first.folder)
  await Child.url(second)
  second.kill("SIGTERM")
  assert.strictEqual((await second.end).code, 0, second.stdout())
  assert.include(
    sentry.events.map(({ message }) => message),
    "the last run crashed"
  )
})
