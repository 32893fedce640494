/** The proxy of the blue/green pair with the configuration that is shipped, but for where the replicas are and where it listens. */
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import * as Child from "./Child.js"

/** Where HAProxy is; undefined where it is not. */
export const program = ["/usr/sbin/haproxy", "/usr/local/sbin/haproxy"].find((file) => existsSync(file))

/** A replica, as compose would name it. */
export interface Replica {
  readonly name: string
  readonly port: number
  readonly health: number
}

/** What is shipped, for replicas on this machine. Throws where a line is not found that has to be changed. */
const configuration = (port: number, replicas: ReadonlyArray<Replica>): string => {
  let text = readFileSync("deploy/haproxy/haproxy.cfg", "utf8")
  const put = (from: string, to: string) => {
    if (!text.includes(from)) throw new Error(`deploy/haproxy/haproxy.cfg has no "${from}"`)
    text = text.replace(from, to)
  }
  put("bind :8080", `bind 127.0.0.1:${port}`)
  // Two file descriptors each, of which a machine for tests may not allow as many.
  put("maxconn 20000", "maxconn 2000")
  // Names of containers need the engine's resolver.
  put(" init-addr last,libc,none resolvers docker", "")
  for (const { health, name, port } of replicas) {
    put(`server ${name} ${name}:8080`, `server ${name} 127.0.0.1:${port} port ${health}`)
  }
  return text
}

/** Starts it in the foreground. */
export const start = (port: number, replicas: ReadonlyArray<Replica>): Child.Child => {
  const file = join(Child.folder(), "haproxy.cfg")
  writeFileSync(file, configuration(port, replicas))
  return Child.start(["-db", "-f", file], {}, undefined, program)
}
