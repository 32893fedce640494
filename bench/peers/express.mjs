// Express 5 with @godaddy/terminus, wired as terminus's README shows it; SHUTDOWN_ANNOUNCE_DELAY (seconds) is the delay that it recommends behind a balancer.
import { createHash } from "node:crypto"
import { createServer } from "node:http"
import { setTimeout as sleep } from "node:timers/promises"
import { createTerminus } from "@godaddy/terminus"
import express from "express"

const app = express()

const block = (ms) => {
  const until = performance.now() + ms
  while (performance.now() < until);
}

app.get("/fast", (_request, response) => response.json({ ok: true }))

app.get("/slow", async (request, response) => {
  const ms = Number(request.query.ms)
  await sleep(ms)
  response.json({ waited: ms })
})

app.get("/block", (request, response) => {
  setTimeout(block, 2, Number(request.query.ms))
  response.json({ ok: true })
})

app.get("/stream", async (request, response) => {
  const every = Number(request.query.ms) / 20
  response.type("text/plain")
  for (let i = 0; i < 20; i++) {
    await sleep(every)
    response.write(Buffer.alloc(1024, 97 + i))
  }
  response.end()
})

app.get("/events", (_request, response) => {
  response.type("text/event-stream")
  const tick = () => response.write("data: tick\n\n")
  tick()
  const timer = setInterval(tick, 25)
  response.on("close", () => clearInterval(timer))
})

app.post("/echo", async (request, response) => {
  const hash = createHash("sha256")
  let length = 0
  for await (const chunk of request) {
    length += chunk.length
    hash.update(chunk)
  }
  response.json({ length, sha256: hash.digest("hex") })
})

app.post("/upload", async (request, response) => {
  let bytes = 0
  for await (const chunk of request) bytes += chunk.length
  response.json({ bytes })
})

const server = createServer(app)
const grace = process.env.SHUTDOWN_GRACEFUL_TIMEOUT
createTerminus(server, {
  healthChecks: { "/health/ready": () => Promise.resolve() },
  // The same limit as the others have; its default is one second.
  timeout: grace === undefined ? 10_000 : Number(grace) * 1000,
  useExit0: true,
  beforeShutdown: () => sleep(Number(process.env.SHUTDOWN_ANNOUNCE_DELAY ?? 0) * 1000)
})
server.listen(Number(process.env.PORT ?? 0), "127.0.0.1", () =>
  process.stdout.write(`listening ${server.address().port}\n`)
)
