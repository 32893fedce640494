import { afterEach, assert, describe, it } from "@effect/vitest"
import { spawnSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { createConnection } from "node:net"
import * as Child from "../support/Child.js"
import { eventually } from "../support/Eventually.js"
import * as PrometheusText from "../support/PrometheusText.js"

afterEach(Child.clear)

interface Row {
  readonly name: string
  readonly type: string
  readonly labels: ReadonlyArray<string>
  readonly from: string
}

/** The tables of the page. */
const documented: ReadonlyArray<Row> = readFileSync("docs/metrics.md", "utf8")
  .split("\n")
  .map((line) => line.split("|").map((cell) => cell.trim()))
  .filter((cells) => cells.length === 7 && /^`\w+`$/.test(cells[1]!))
  .map(([, name = "", type = "", labels = "", from = ""]) => ({
    name: name.slice(1, -1),
    type,
    labels: [...labels.matchAll(/`(\w+)`/g)].map((match) => match[1]!),
    from
  }))

const scrape = async (url: string) => {
  const response = await fetch(`${url}/metrics`)
  const text = await response.text()
  assert.strictEqual(response.status, 200, text)
  return { text, headers: response.headers, families: PrometheusText.parse(text) }
}

const urls = async (child: Child.Child) => {
  const where = async (message: string) =>
    (await child.says(new RegExp(`"message":"${message}".*?"url":"([^"]+)"`)))[1]!
  const found = { url: await where("listening"), health: await where("health is listening") }
  await child.says(/"service_ready"/)
  return found
}

/** What Prometheus' own tool has to say of it; undefined where that is not installed. */
const promtool = (text: string) => {
  const { error, status, stderr, stdout } = spawnSync("promtool", ["check", "metrics"], {
    input: text,
    encoding: "utf8"
  })
  return error === undefined ? { status, output: `${stdout}${stderr}` } : undefined
}

describe("metrics of the service", () => {
  it("are the ones in docs/metrics.md, on both ports, and count what was done", async (context) => {
    const child = Child.serve({ HEALTH_PORT: "0", STELLAR_SIMULATED_INTERVAL: "0.2" })
    const { health, url } = await urls(child)
    const status = async (path: string) => (await fetch(`${url}${path}`)).status
    await eventually(async () => ((await status("/api/ledgers/latest")) === 200 ? true : undefined))
    assert.strictEqual(await status("/api/ledgers/2"), 200)
    assert.strictEqual(await status("/api/ledgers/3000000000"), 404)
    const { families, headers, text } = await eventually(async () => {
      const scraped = await scrape(url)
      const value = (name: string) => PrometheusText.value(scraped.families, name) ?? 0
      return value("ledgers_ingested_total") >= 3 ? scraped : undefined
    })
    assert.strictEqual(headers.get("content-type"), "text/plain; version=0.0.4; charset=utf-8")
    assert.strictEqual(headers.get("cache-control"), "no-store")

    const described = (family: PrometheusText.Family) => ({
      type: family.type,
      labels: [...new Set(family.samples.flatMap(({ labels }) => Object.keys(labels)))]
        .filter((label) => label !== "le")
        .toSorted()
    })
    const told = new Map(families.map((family) => [family.name, described(family)]))
    const written = new Map(
      documented.map(({ labels, name, type }) => [name, { type, labels: labels.toSorted() }])
    )
    assert.strictEqual(written.size, documented.length)
    for (const [name, family] of told) assert.deepStrictEqual(family, written.get(name), name)
    const missing = documented.filter(({ from, name }) => from === "start" && !told.has(name))
    assert.deepStrictEqual(
      missing.map(({ name }) => name),
      []
    )

    const value = (name: string, labels: Record<string, string> = {}) =>
      PrometheusText.value(families, name, labels)
    const route = { method: "GET", route: "/api/ledgers/:sequence", outcome: "answered" }
    assert.strictEqual(value("http_requests_total", { ...route, status: "200" }), 1)
    assert.strictEqual(value("http_requests_total", { ...route, status: "404" }), 1)
    assert.strictEqual(value("http_request_duration_seconds_count", { route: route.route }), 2)
    assert.strictEqual(value("service_ready"), 1)
    assert.strictEqual(value("in_flight_requests"), 1)
    assert.isAbove(value("payments_ingested_total") ?? 0, 0)
    assert.isAbove(value("sqlite_transactions_total", { outcome: "committed" }) ?? 0, 3)
    // How much of it has been written back is another matter.
    const bytes = (value("sqlite_database_bytes") ?? 0) + (value("sqlite_wal_bytes") ?? 0)
    assert.isAbove(bytes, 100_000)
    const { families: ofHealth } = await scrape(health)
    assert.isAtLeast(
      PrometheusText.value(ofHealth, "ledger_last_sequence") ?? 0,
      value("ledger_last_sequence") ?? Number.NaN
    )

    const verdict = promtool(text)
    if (verdict === undefined) context.annotate("promtool is not installed: only our own parser has read it")
    else assert.strictEqual(verdict.status, 0, verdict.output)
    child.kill("SIGTERM")
    assert.strictEqual((await child.end).code, 0)
  })

  it("are told on the health port throughout the drain, and carried over to the next run", async () => {
    const key = "0123456789abcdef0123456789abcdef"
    const child = Child.serve({
      HEALTH_PORT: "0",
      ADMIN_KEYS: key,
      SHUTDOWN_GRACEFUL_TIMEOUT: "1",
      SHUTDOWN_IDLE_GRACE: "0.1"
    })
    const { health, url } = await urls(child)
    const value = async (name: string, labels: Record<string, string> = {}) =>
      PrometheusText.value((await scrape(health)).families, name, labels)
    // A request that nobody can answer: its body never comes.
    const { hostname, port } = new URL(url)
    const socket = createConnection(Number(port), hostname)
    socket.on("error", () => {})
    socket.write(
      "POST /api/broadcast HTTP/1.1\r\nhost: x\r\nx-request-id: stuck\r\ncontent-type: application/json\r\n" +
        `authorization: Bearer ${key}\r\ncontent-length: 9\r\n\r\n`
    )
    await eventually(async () => (await value("in_flight_requests")) === 1 || undefined)
    child.kill("SIGTERM")
    await eventually(async () => (await value("service_phase", { phase: "draining" })) === 1 || undefined)
    assert.strictEqual(await value("service_ready"), 0)
    assert.strictEqual(await value("in_flight_requests"), 1)
    await child.end
    socket.destroy()
    const told = child.lines().filter(({ event_type: type }) => type === "request")
    assert.strictEqual(told.length, 1)
    assert.deepInclude(told[0], {
      level: "info",
      method: "POST",
      path: "/api/broadcast",
      request_id: "stuck",
      outcome: "interrupted",
      client: "127.0.0.1"
    })

    const again = Child.serve({ HEALTH_PORT: "0" }, child.folder)
    const { families } = await scrape((await urls(again)).url)
    const now = (name: string, labels?: Record<string, string>) =>
      PrometheusText.value(families, name, labels)
    assert.deepStrictEqual(
      [
        now("requests_interrupted_total"),
        now("requests_interrupted"),
        now("shutdown_duration_seconds_count"),
        now("app_shutdown_duration_seconds_count"),
        now("shutdown_steps_total", { step: "database", kind: "release", outcome: "completed" })
      ],
      [1, 1, 1, 1, 1]
    )
    assert.isAtLeast(now("active_connections_at_shutdown") ?? 0, 1)
    again.kill("SIGTERM")
    await again.end
  })
})
