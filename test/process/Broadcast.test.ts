/** Two processes on one database: what is said to one of them, and what one of them does, is told by both. */
import { afterEach, assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import * as SseClient from "../realtime/support/SseClient.js"
import * as WsClient from "../realtime/support/WsClient.js"
import * as Child from "../support/Child.js"
import * as RedisServer from "../support/RedisServer.js"

afterEach(Child.clear)

const { note, path } = RedisServer.tool

const key = "a-key-for-these-tests"

interface Place {
  readonly child: Child.Child
  readonly url: string
  readonly port: number
}

const json = async (url: string, init?: RequestInit) => {
  const response = await fetch(url, init)
  // What form it has is what the tests are about.
  // oxlint-disable-next-line typescript/no-explicit-any
  return { status: response.status, body: (await response.json()) as any }
}

/** Two processes: the first has the tasks, the second is on standby. */
const pair = async (env: Record<string, string>): Promise<readonly [Place, Place]> => {
  const folder = Child.folder()
  const start = async (): Promise<Place> => {
    const child = Child.serve({
      ...env,
      DATABASE_URL: `sqlite:${join(folder, "insights.db")}`,
      ADMIN_KEYS: key,
      WEBHOOK_ALLOW_HTTP: "true",
      WEBHOOK_ALLOW_PRIVATE: "true",
      STELLAR_SIMULATED_INTERVAL: "0.4"
    })
    const url = await Child.url(child)
    return { child, url, port: Number(new URL(url).port) }
  }
  const first = await start()
  const second = await start()
  const states = await Promise.all(
    [first, second].map(async ({ url }) => (await json(`${url}/health`)).body.leases[0].state as string)
  )
  assert.deepStrictEqual(states, ["held", "standby"])
  // Whoever asks the one on standby for its tasks learns where they are.
  const [mine, theirs] = await Promise.all(
    [first, second].map(async ({ url }) => (await json(`${url}/api/tasks`)).body)
  )
  const names = (body: { readonly tasks: ReadonlyArray<{ readonly name: string }> }) =>
    body.tasks.map(({ name }) => name)
  assert.include(names(mine), "ledger-ingestion")
  assert.notInclude(names(theirs), "ledger-ingestion")
  assert.match(theirs.leases[0].holder, new RegExp(`:${first.child.pid}#`))
  assert.deepInclude(theirs.leases[0], { state: "standby", epoch: mine.leases[0].epoch })
  return [first, second]
}

/** An endpoint for webhooks, that the process on standby is asked to tell of notices. What arrives there is told by the holder. */
const endpoint = (standby: Place) =>
  Effect.gen(function* () {
    const arrived: Array<string> = []
    const server = yield* Effect.acquireRelease(
      Effect.sync(() =>
        createServer((incoming, response) => {
          let text = ""
          incoming.setEncoding("utf8").on("data", (chunk: string) => (text += chunk))
          incoming.on("end", () => {
            arrived.push(JSON.parse(text).data.message)
            response.writeHead(204).end()
          })
        })
      ),
      (server) => Effect.sync(() => server.close().closeAllConnections())
    )
    yield* Effect.promise(async () => {
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
      const { port } = server.address() as AddressInfo
      const made = await json(`${standby.url}/api/webhooks`, {
        method: "POST",
        headers: { "content-type": "application/json", authorization: `Bearer ${key}` },
        body: JSON.stringify({ url: `http://127.0.0.1:${port}/`, eventTypes: ["notice"] })
      })
      assert.strictEqual(made.status, 201, JSON.stringify(made.body))
    })
    return arrived
  })

/** What arrived of a notice, by its text, and when. */
interface Ear {
  readonly name: string
  readonly heard: Array<{ readonly message: string; readonly at: number; readonly id: number | undefined }>
}

/** A client with the channel, one without, and a stream of events. */
const ears = (place: Place, name: string): Effect.Effect<ReadonlyArray<Ear>, never, Scope.Scope> =>
  Effect.gen(function* () {
    const having = yield* WsClient.connect(place.port)
    yield* having.subscribe("notices")
    const lacking = yield* WsClient.connect(place.port)
    const stream = yield* SseClient.listen(place.port, "/api/events?channels=tasks")
    yield* stream.next("connected")
    const ear = (what: string): Ear => ({ name: `${what} at the ${name}`, heard: [] })
    const [withIt, without, sse] = [ear("with the channel"), ear("without"), ear("stream")]
    const onMessage =
      ({ heard }: Ear) =>
      (data: unknown) => {
        const { id, message, op, payload, type } = JSON.parse(String(data))
        if (op === "notice") heard.push({ message, id: undefined, at: performance.now() })
        if (op === "event" && type === "notice")
          heard.push({ message: payload.message, id, at: performance.now() })
      }
    having.ws.on("message", onMessage(withIt))
    lacking.ws.on("message", onMessage(without))
    let seen = 0
    stream.response.on("data", () => {
      const notices = stream.all("notice")
      for (; seen < notices.length; seen++) {
        const { id, payload } = notices[seen]!.data
        sse.heard.push({ message: payload.message, id, at: performance.now() })
      }
    })
    return [withIt, without, sse]
  })

const until = async (what: () => string | undefined) => {
  const limit = performance.now() + 15_000
  for (;;) {
    const missing = what()
    if (missing === undefined) return
    if (performance.now() > limit) throw new Error(missing)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

const spread = (millis: ReadonlyArray<number>) => {
  const sorted = millis.toSorted((a, b) => a - b)
  return `${sorted[sorted.length >> 1]!.toFixed(0)} ms in the middle, ${sorted.at(-1)!.toFixed(0)} at most`
}

const cases = [
  // How often something is said, by turns to one process and the other; the outbox is looked at once in a second.
  { name: "with Redis", hasRedis: true, times: 8 },
  { name: "without Redis", hasRedis: false, times: 2 }
].filter(({ hasRedis }) => !hasRedis || path !== undefined)

describe(`two processes on one database${note}`, () => {
  it.scopedLive.each(cases)("tell everybody everything exactly once, $name", ({ hasRedis, name, times }) =>
    Effect.gen(function* () {
      const env = hasRedis ? { REDIS_URL: (yield* RedisServer.run).url } : {}
      const places = yield* Effect.promise(() => pair(env))
      const [holder, standby] = places
      const here = yield* ears(holder, "holder")
      const there = yield* ears(standby, "standby")
      const all = [...here, ...there]
      const delivered = yield* endpoint(standby)
      yield* Effect.promise(async () => {
        const said: Array<{ readonly message: string; readonly id: number }> = []
        const own: Array<number> = []
        const other: Array<number> = []
        for (let i = 0; i < times; i++) {
          const message = `notice ${i}`
          const sent = performance.now()
          const { body, status } = await json(`${places[i % 2]!.url}/api/broadcast`, {
            method: "POST",
            headers: { "content-type": "application/json", authorization: `Bearer ${key}` },
            body: JSON.stringify({ message, title: "To all", level: "warning" })
          })
          assert.strictEqual(status, 202)
          said.push({ message, id: body.id })
          await until(() => {
            const deaf = all.find(({ heard }) => !heard.some((one) => one.message === message))
            return deaf === undefined ? undefined : `${deaf.name} never heard of ${message}`
          })
          for (const [at, listeners] of [here, there].entries()) {
            const took = listeners.map(({ heard }) => heard.find((one) => one.message === message)!.at - sent)
            ;(at === i % 2 ? own : other).push(...took)
          }
        }
        // Ledgers go on, and with them whatever might tell something again; the longest pause between two looks at the outbox passes.
        const last = said.at(-1)!.id
        const { body } = await json(`${standby.url}/api/ledgers/latest`)
        let sequence: number = body.sequence
        const woken: Array<number> = []
        while (sequence < body.sequence + 3) {
          // Both wait for the same ledger: the one who commits it, and the one who hears of it.
          const next = async ({ url }: Place) => {
            const answer = await json(`${url}/api/ledgers/next?after=${sequence}&timeout=10`)
            assert.strictEqual(answer.status, 200)
            return { ledger: answer.body.sequence as number, at: performance.now() }
          }
          const [first, second] = await Promise.all([next(holder), next(standby)])
          assert.strictEqual(second.ledger, sequence + 1)
          woken.push(second.at - first.at)
          sequence = second.ledger
        }
        for (const { heard, name } of all) {
          assert.deepStrictEqual(
            heard.map(({ message }) => message),
            said.map(({ message }) => message),
            name
          )
          // Without the channel a notice has no id.
          const ids = name.startsWith("without") ? said.map(() => undefined) : said.map(({ id }) => id)
          assert.deepStrictEqual(
            heard.map(({ id }) => id),
            ids,
            name
          )
        }
        assert.isAbove(last, 0)
        for (const { url } of places) {
          const stats = await json(`${url}/api/cache/stats`)
          assert.deepInclude(stats, { status: 200 })
          assert.strictEqual(stats.body.kind, hasRedis ? "redis" : "memory")
          assert.strictEqual(stats.body.redis?.state, hasRedis ? "connected" : undefined)
        }
        const { body: hooks } = await json(`${holder.url}/api/webhooks`, {
          headers: { authorization: `Bearer ${key}` }
        })
        assert.lengthOf(hooks.webhooks, 1)
        await until(() => (delivered.length < said.length ? "not every notice became a webhook" : undefined))
        assert.deepStrictEqual(
          delivered,
          said.map(({ message }) => message)
        )
        console.log(
          `${name}: ${said.length} notices to ${all.length} clients; same process ${spread(own)}; other process ${spread(other)}; ` +
            `a ledger on the standby process after the holder ${spread(woken)}`
        )
        for (const { child } of places) child.kill("SIGTERM")
        for (const { child } of places) assert.strictEqual((await child.end).code, 0, child.stdout())
      })
    })
  )
})
