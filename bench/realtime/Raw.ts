/**
 * What a careful engineer writes on `ws` alone: clients subscribe, messages are counted and made into text once for all who get them, whoever does not answer pings
 * goes, and everybody gets a notice, a goodbye with a total of their own and 1001. With `notice-only` there is no goodbye.
 */
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { type WebSocket, WebSocketServer } from "ws"
import * as Subject from "./Subject.js"

interface Client {
  readonly channels: Set<string>
  total: number
  isAlive: boolean
}

const saysGoodbye = process.argv[2] !== "notice-only"
const http = createServer()
// Tracks its clients, as it does when nothing is said.
const server = new WebSocketServer({
  server: http,
  path: "/ws",
  perMessageDeflate: false,
  maxPayload: 65_536
})
const clients = new Map<WebSocket, Client>()

server.on("connection", (ws) => {
  const client: Client = { channels: new Set(), total: 0, isAlive: true }
  clients.set(ws, client)
  ws.on("message", (data, isBinary) => {
    if (isBinary) return
    const message = JSON.parse(String(data)) as { op: string; channels: Array<string> }
    client.total++
    if (message.op === "subscribe") for (const channel of message.channels) client.channels.add(channel)
    ws.send(JSON.stringify({ op: "subscription_confirm", channels: [...client.channels] }))
  })
  ws.on("pong", () => {
    client.isAlive = true
  })
  ws.on("close", () => clients.delete(ws))
  ws.on("error", () => {})
  ws.send(JSON.stringify({ op: "connected" }))
})

const heartbeat = setInterval(() => {
  for (const [ws, client] of clients) {
    if (!client.isAlive) ws.terminate()
    client.isAlive = false
    ws.ping()
  }
}, 30_000)

const stop = async (): Promise<void> => {
  clearInterval(heartbeat)
  const notice = JSON.stringify({ op: "server_shutdown", message: Subject.telling, reconnectAfterMs: 5000 })
  for (const ws of clients.keys()) ws.send(notice)
  const closed = [...clients.keys()].map((ws) => new Promise((resolve) => ws.once("close", resolve)))
  for (const [ws, { total }] of clients) {
    if (saysGoodbye) ws.send(JSON.stringify({ op: "bye", bye: true, total, message: Subject.parting }))
    ws.close(1001)
  }
  await Promise.all(closed)
}

http.listen(0, "127.0.0.1", () =>
  Subject.run({
    port: (http.address() as AddressInfo).port,
    connections: () => clients.size,
    publish: (events) => {
      for (const { channels, id, payload, type } of events) {
        const channel = channels[0]!
        const text = JSON.stringify({ op: "event", id, channel, type, payload })
        for (const [ws, client] of clients) if (client.channels.has(channel)) ws.send(text)
      }
    },
    stop
  })
)
