// A server that stops badly in the way its first argument names, for the tests of the accounting.
import { createServer } from "node:http"

const how = process.argv[2]
const sockets = new Set()
let stopping = false

const server = createServer((req, res) => {
  if (req.url.startsWith("/slow")) {
    setTimeout(() => res.end('{"waited":200}'), 200)
    return
  }
  if (how === "cuts" && stopping) {
    res.writeHead(200, { "content-length": 11 })
    res.write('{"ok"')
    setTimeout(() => res.socket.destroy(), 20)
    return
  }
  if (how === "hangs" && stopping) return
  if (how === "declines" && stopping) res.writeHead(503, { connection: "close" })
  res.end('{"ok":true}')
})
server.on("connection", (socket) => {
  sockets.add(socket)
  socket.on("close", () => {
    sockets.delete(socket)
    if (stopping && sockets.size === 0) process.exit(0)
  })
})
process.on("SIGTERM", () => {
  stopping = true
  if (how === "ignores") return
  if (how === "resets") for (const socket of sockets) socket.resetAndDestroy()
  if (how === "fails") process.exit(7)
  // Reads what comes and answers nothing, then closes in an orderly way.
  if (how === "swallows") {
    server.removeAllListeners("request")
    server.on("request", (_req, res) => setTimeout(() => res.socket.destroy(), 60))
  }
})
server.listen(Number(process.env.PORT), "127.0.0.1", () =>
  process.stdout.write(`listening ${server.address().port}\n`)
)
