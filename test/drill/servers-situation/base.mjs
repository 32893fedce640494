// A small server on node:http and ws that stops as it should. Each of its decisions can be replaced, so that a server which is wrong on purpose is
// wrong in one way only.
import { createServer } from "node:http"
import * as Net from "node:net"
import { setTimeout as sleep } from "node:timers/promises"
import { WebSocketServer } from "ws"

const idleGrace = 600
const tooMuch = 1024 * 1024

const json = (res, status, body) => {
  const text = JSON.stringify(body)
  res.writeHead(status, { "content-type": "application/json", "content-length": Buffer.byteLength(text) })
  res.end(text)
}

const right = {
  // A connection was accepted while draining.
  accepted: () => {},
  // A request arrived while draining; true when it was taken care of.
  late: (_req, res) => void res.setHeader("connection", "close"),
  // Nothing was asked on a connection for the grace.
  idle: (socket) => socket.end(),
  idleGrace,
  // No more connections are taken.
  close: (server) => Net.Server.prototype.close.call(server),
  // A WebSocket client is told; and one that did not answer for half a second is given up.
  tell: (client) => {
    client.send("going")
    client.close(1001, "going")
  },
  giveUp: (client) => client.terminate(),
  // An upgrade arrived while draining; true when it was taken care of.
  upgrade: (_req, socket) => {
    socket.end("HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")
    return true
  },
  // A stream without an end is told.
  events: (res) => res.end("event: shutdown\ndata: {}\n\n"),
  // The body is larger than allowed: answered before it is read, which goes on until the client is through.
  tooLarge: (_req, res) => {
    res.setHeader("connection", "close")
    json(res, 413, {})
  },
  lingering: true,
  ready: (draining) => (draining ? 503 : 200),
  live: () => 200,
  // The limit of requests in flight is over.
  cut: (pending) => {
    for (const res of pending) if (!res.headersSent) json(res, 503, {})
    process.exitCode = 3
    setTimeout(() => process.exit(), 20)
  },
  // The first signal and the second one.
  first: (drain) => drain(),
  second: () => process.exit(3),
  // What happens before the port opens; and a signal meanwhile.
  start: () => {},
  early: () => process.exit(0),
  // Everything that anybody wanted is done.
  done: () => process.exit()
}

export const serve = async (wrong = {}) => {
  const is = { ...right, ...wrong }
  const sockets = new Map()
  const pending = new Set()
  const streams = new Set()
  const hub = new WebSocketServer({ noServer: true })
  let draining = false

  const answer = (req, res) => {
    const url = new URL(req.url, "http://base")
    const ms = Number(url.searchParams.get("ms"))
    switch (url.pathname) {
      case "/fast":
        return json(res, 200, { ok: true })
      case "/slow":
        return setTimeout(() => {
          if (!res.headersSent) json(res, 200, { waited: ms })
        }, ms)
      case "/upload":
        if (Number(req.headers["content-length"]) > tooMuch) return is.tooLarge(req, res)
        req.resume()
        return req.on("end", () => json(res, 200, {}))
      case "/sse": {
        res.writeHead(200, { "content-type": "text/event-stream" })
        const timer = setInterval(() => res.write("data: beat\n\n"), 50)
        streams.add(res)
        return res.on("close", () => clearInterval(timer) ?? streams.delete(res)).write("data: hello\n\n")
      }
      case "/ready":
        return json(res, is.ready(draining), {})
      case "/live":
        return json(res, is.live(draining), {})
      default:
        return json(res, 404, {})
    }
  }

  const server = createServer((req, res) => {
    const { socket } = req
    sockets.set(socket, (sockets.get(socket) ?? 0) + 1)
    pending.add(res)
    res.on("close", () => {
      pending.delete(res)
      if (sockets.has(socket)) sockets.set(socket, sockets.get(socket) - 1)
    })
    if (draining && is.late(req, res) === true) return
    // An answer that was begun before the signal can still say that it is the last.
    res.writeHead = ((head) => (status, fields) => {
      if (draining && is.late === right.late) res.setHeader("connection", "close")
      return head.call(res, status, fields)
    })(res.writeHead)
    answer(req, res)
  })
  server.on("connection", (socket) => {
    sockets.set(socket, 0)
    socket.on("close", () => sockets.delete(socket))
    socket.on("error", () => {})
    // Node destroys a socket after its last answer, which resets whoever is still sending.
    if (is.lingering) socket.destroySoon = () => socket.end()
    if (draining) is.accepted(socket)
  })
  hub.on("connection", (client) =>
    client.on("error", () => {}).on("message", (data) => client.send(String(data)))
  )
  server.on("upgrade", (req, socket, head) => {
    if (draining && is.upgrade(req, socket)) return
    hub.handleUpgrade(req, socket, head, (client) => {
      hub.emit("connection", client, req)
      if (draining && is.upgrade === right.upgrade) is.tell(client)
    })
  })

  const drain = async () => {
    draining = true
    const limit = Number(process.env.LIMIT ?? 10_000)
    setTimeout(() => is.cut(pending), limit)
    for (const client of hub.clients) is.tell(client)
    for (const res of streams) is.events(res)
    await sleep(20)
    is.close(server)
    setTimeout(() => {
      for (const client of hub.clients) is.giveUp(client)
    }, 500)
    const since = performance.now()
    while (sockets.size > 0) {
      await sleep(10)
      if (performance.now() - since < is.idleGrace) continue
      for (const [socket, count] of sockets) {
        const upgraded = [...hub.clients].some((client) => client._socket === socket)
        if (count === 0 && !upgraded) is.idle(socket)
      }
    }
    is.done()
  }

  let signals = 0
  let listening = false
  process.on("SIGTERM", () => {
    signals++
    if (!listening) is.early()
    else if (signals === 1) is.first(drain, pending)
    else is.second()
  })
  await is.start()
  server.listen(Number(process.env.PORT ?? 0), "127.0.0.1", () => {
    listening = true
  })
}
