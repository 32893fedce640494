/** Ports for servers that come back on the same one. */
import { once } from "node:events"
import { createServer } from "node:net"

/** A free port below those that the system gives to outgoing connections: a client that tries while nobody listens could otherwise meet itself. */
export const freePort = async (): Promise<number> => {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000)
    const server = createServer().listen(port, "127.0.0.1")
    const isFree = await once(server, "listening").then(
      () => true,
      () => false
    )
    if (!isFree) continue
    server.close()
    await once(server, "close")
    return port
  }
}
