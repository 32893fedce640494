// A server that stops badly in the way its first argument names; `right` stops well, and tells its steps.
import { fork, spawn } from "node:child_process"
import { createServer } from "node:http"

const how = process.argv[2]
const sockets = new Set()
let stopping = false
let asked = 0

// The child of `port`: keeps listening when its parent is gone.
if (how === "keeper") {
  process.on("message", (_, server) => {
    globalThis.kept = server
    process.send("have it")
  })
  setTimeout(() => process.exit(), 20_000)
} else if (how === "never-listens") setTimeout(() => process.exit(), 20_000)
else if (how === "fails-to-start") {
  process.stderr.write("there is no database\n")
  process.exit(4)
} else serve()

function block(ms) {
  const until = performance.now() + ms
  while (performance.now() < until);
}

function answer(req, res) {
  asked++
  if (how === "crashes" && asked === 20) process.exit(0)
  if (req.url.startsWith("/slow")) return setTimeout(() => res.end('{"slow":true}'), 200)
  if (stopping && how === "cuts") {
    res.writeHead(200, { "content-length": 11 })
    res.write('{"ok"')
    return setTimeout(() => res.socket?.destroy(), 20)
  }
  if (stopping && how === "hangs") return
  if (stopping && how === "swallows") return setTimeout(() => res.socket?.destroy(), 60)
  // The last answer on its connection: closing the listener also closes those that are idle, which would drop what is on its way.
  if (stopping && how === "forgets") res.writeHead(404, { connection: "close" })
  if (stopping && how === "garbles") return res.socket.end("it was nice to meet you\r\n\r\n")
  if (stopping && how === "declines") res.writeHead(503, { connection: "close" })
  if (stopping && how === "right") res.setHeader("connection", "close")
  res.end('{"ok":true}')
}

function serve() {
  const server = createServer(answer)
  server.on("connection", (socket) => {
    sockets.add(socket)
    socket.on("close", () => {
      sockets.delete(socket)
      if (stopping && sockets.size === 0 && how !== "never-exits") leave(server)
    })
  })
  process.on("SIGTERM", () => {
    if (stopping) return
    stopping = true
    stop(server)
  })
  if (how === "never-exits") setInterval(() => undefined, 1000)
  server.listen(Number(process.env.PORT), "127.0.0.1", () => {
    // One with a session of its own, which no process group tells of.
    if (how === "child") spawn("sleep", ["20"], { detached: true, stdio: "ignore" }).unref()
  })
}

function tell(fields) {
  process.stdout.write(
    JSON.stringify({ timestamp: new Date().toISOString(), level: "info", ...fields }) + "\n"
  )
}

async function leave(server) {
  if (how === "port") {
    const keeper = fork(new URL(import.meta.url), ["keeper"])
    keeper.send("keep it", server)
    await new Promise((resolve) => keeper.on("message", resolve))
  }
  if (how === "right") {
    tell({
      event_type: "shutdown_step_completed",
      message: "quiesce completed",
      step: "http",
      kind: "quiesce",
      duration_ms: 50
    })
    tell({ event_type: "shutdown_completed", message: "shutdown completed", duration_ms: 60 })
  }
  process.exit(how === "code" ? 7 : 0)
}

function stop(server) {
  if (how === "right") tell({ event_type: "shutdown_phase", message: "phase draining" })
  if (how === "resets") for (const socket of sockets) socket.resetAndDestroy()
  if (how === "closes") for (const socket of sockets) socket.destroy()
  // What has come meanwhile waits in the queue of the listener, and is reset with it.
  if (how === "early") {
    block(100)
    server.close()
  }
  // Connections that are under way are taken before the listener goes.
  if (how !== "port") setTimeout(() => server.close(), 100)
  setTimeout(() => {
    if (sockets.size === 0 && how !== "never-exits") leave(server)
  }, 150)
}
