import { spawn } from "node:child_process"
import { once } from "node:events"
import * as Net from "node:net"
import { assert, describe, it } from "@effect/vitest"
import * as Port from "../../src/drill/Port.js"
import * as Processes from "../../src/drill/Processes.js"

describe("Processes", () => {
  it("finds what was marked, in whatever session, and nothing else", async () => {
    const env = { ...process.env, [Processes.marker]: `test-${process.pid}` }
    const marked = spawn("sleep", ["20"], { detached: true, env })
    const other = spawn("sleep", ["20"], { detached: true })
    try {
      await Promise.all([once(marked, "spawn"), once(other, "spawn")])
      const found = Processes.find(-1, `test-${process.pid}`)
      assert.deepStrictEqual(
        found.map(({ pid }) => pid),
        [marked.pid]
      )
      assert.deepStrictEqual(
        Processes.find(other.pid!, "none").map(({ pid }) => pid),
        [other.pid]
      )
      assert.isEmpty(Processes.find(-1, `test-${process.pid}0`))
    } finally {
      marked.kill("SIGKILL")
      other.kill("SIGKILL")
    }
  })

  it("knows who listens where, on both protocols", async () => {
    for (const host of ["127.0.0.1", "::1"]) {
      const server = Net.createServer()
      server.listen(0, host)
      await once(server, "listening")
      const { port } = server.address() as Net.AddressInfo
      const own = { pid: process.pid, command: "" }
      const [listener] = Processes.listenersOf([own]).filter((one) => one.port === port)
      assert.isDefined(listener)
      assert.isTrue(Processes.listeners().some(({ inode }) => inode === listener?.inode))
      server.close()
      await once(server, "close")
      assert.isFalse(Processes.listeners().some(({ inode }) => inode === listener?.inode))
    }
  })
})

describe("Port", () => {
  it("knows this machine from others", () => {
    for (const host of ["127.0.0.1", "127.8.0.1", "localhost", "::1"])
      assert.isTrue(Port.isLoopback(host), host)
    for (const host of [
      "10.0.0.1",
      "example.org",
      "localhost.example.org",
      "127.0.0.1.example.org",
      "0.0.0.0"
    ]) {
      assert.isFalse(Port.isLoopback(host), host)
    }
  })
})
