// Fastify 5 with close-with-grace, as its own template wires them. The limit comes from the environment (seconds).
import { createHash } from "node:crypto"
import { Readable } from "node:stream"
import { setTimeout as sleep } from "node:timers/promises"
import closeWithGrace from "close-with-grace"
import Fastify from "fastify"

const app = Fastify({ logger: false })
// Bodies come as they arrive; the handlers read them to the end themselves.
app.addContentTypeParser("*", (_request, payload, done) => done(null, payload))

const block = (ms) => {
  const until = performance.now() + ms
  while (performance.now() < until);
}

app.get("/fast", () => ({ ok: true }))

// Fastify itself answers 503 to whatever comes while it closes.
app.get("/health/ready", () => ({ ok: true }))

app.get("/slow", async (request) => {
  const ms = Number(request.query.ms)
  await sleep(ms)
  return { waited: ms }
})

for (const path of ["/block", "/busy"]) {
  app.get(path, (request) => {
    setTimeout(block, 2, Number(request.query.ms))
    return { ok: true }
  })
}

app.get("/stream", (request, reply) => {
  const every = Number(request.query.ms) / 20
  async function* pieces() {
    for (let i = 0; i < 20; i++) {
      await sleep(every)
      yield Buffer.alloc(1024, 97 + i)
    }
  }
  return reply.type("text/plain").send(Readable.from(pieces(), { objectMode: false }))
})

app.get("/events", (request, reply) => {
  async function* ticks() {
    for (;;) {
      yield "data: tick\n\n"
      await sleep(25)
    }
  }
  return reply.type("text/event-stream").send(Readable.from(ticks(), { objectMode: false }))
})

app.post("/echo", async (request) => {
  const hash = createHash("sha256")
  let length = 0
  for await (const chunk of request.raw) {
    length += chunk.length
    hash.update(chunk)
  }
  return { length, sha256: hash.digest("hex") }
})

app.post("/upload", async (request) => {
  let bytes = 0
  for await (const chunk of request.raw) bytes += chunk.length
  return { bytes }
})

const seconds = process.env.SHUTDOWN_GRACEFUL_TIMEOUT
closeWithGrace({ delay: seconds === undefined ? 10_000 : Number(seconds) * 1000 }, () => app.close())
await app.listen({ port: Number(process.env.PORT ?? 0), host: "127.0.0.1" })
process.stdout.write(`listening ${app.server.address().port}\n`)
