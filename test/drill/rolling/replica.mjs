// A replica that announces its stop for 400 ms and then drains; or, by FAULT, one that is wrong in some way.
import { createServer } from "node:http"

const fault = process.env.FAULT ?? ""
let stopping = false
const server = createServer((request, response) => {
  if (stopping) response.setHeader("connection", "close")
  if (request.url === "/ready") return response.writeHead(stopping ? 503 : 200).end()
  if (fault === "wrong" && Math.random() < 0.05) return response.writeHead(500).end()
  if (request.method !== "POST") return response.end("ok")
  const chunks = []
  request.on("data", (chunk) => chunks.push(chunk))
  request.on("end", () => response.end(Buffer.concat(chunks)))
})
server.keepAliveTimeout = 60_000
server.listen(Number(process.env.PORT), "127.0.0.1")
process.on("SIGTERM", () => {
  if (fault === "abrupt") process.exit(0)
  if (fault === "stays") return
  stopping = true
  setTimeout(() => {
    server.close(() => process.exit(0))
    setTimeout(() => server.closeIdleConnections(), 100)
  }, 400)
})
