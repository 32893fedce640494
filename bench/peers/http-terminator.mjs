// node:http with http-terminator, used as its README shows it: terminate() in the place of server.close().
import { createHash } from "node:crypto"
import { createServer } from "node:http"
import { createHttpTerminator } from "http-terminator"

const json = (res, body) => {
  const text = JSON.stringify(body)
  res.writeHead(200, { "content-type": "application/json", "content-length": Buffer.byteLength(text) })
  res.end(text)
}

const block = (ms) => {
  const until = performance.now() + ms
  while (performance.now() < until);
}

const stream = (res, ms) => {
  res.writeHead(200, { "content-type": "text/plain" })
  let piece = 0
  const timer = setInterval(() => {
    res.write(Buffer.alloc(1024, 97 + piece))
    if (++piece < 20) return
    clearInterval(timer)
    res.end()
  }, ms / 20)
}

const events = (res) => {
  res.writeHead(200, { "content-type": "text/event-stream" })
  const tick = () => res.write("data: tick\n\n")
  tick()
  const timer = setInterval(tick, 25)
  res.on("close", () => clearInterval(timer))
}

const server = createServer((req, res) => {
  const url = new URL(req.url, "http://peer")
  const ms = Number(url.searchParams.get("ms"))
  switch (url.pathname) {
    case "/fast":
    case "/health/ready":
      return json(res, { ok: true })
    case "/slow":
      return setTimeout(() => json(res, { waited: ms }), ms)
    case "/block":
      setTimeout(block, 2, ms)
      return json(res, { ok: true })
    case "/stream":
      return stream(res, ms)
    case "/events":
      return events(res)
    case "/echo":
    case "/upload": {
      const hash = createHash("sha256")
      let length = 0
      req.on("data", (chunk) => {
        length += chunk.length
        hash.update(chunk)
      })
      return req.on("end", () =>
        json(res, url.pathname === "/echo" ? { length, sha256: hash.digest("hex") } : { bytes: length })
      )
    }
    default:
      res.writeHead(404)
      res.end()
  }
})

const grace = process.env.SHUTDOWN_GRACEFUL_TIMEOUT
const terminator = createHttpTerminator({
  server,
  // The same limit as the others have; its default is five seconds.
  gracefulTerminationTimeout: grace === undefined ? 10_000 : Number(grace) * 1000
})
server.listen(Number(process.env.PORT ?? 0), "127.0.0.1", () =>
  process.stdout.write(`listening ${server.address().port}\n`)
)
process.once("SIGTERM", () => terminator.terminate())
