/** A real Redis on a socket in a folder of its own, which a test may kill, stop, start again and make refuse. */
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { existsSync, mkdtempSync, rmSync } from "node:fs"
import * as Net from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Installed from "./Installed.js"

/** The program, or why there is none. */
export const tool = await Installed.tool("redis-server", "redis-server")

export interface RedisServer {
  /** What `REDIS_URL` is to be. */
  readonly url: string
  /** Path of the socket. */
  readonly socket: string
  /** Sends a command of words without spaces on a connection of its own; gives the answer as Redis wrote it. */
  readonly ask: (command: string) => Promise<string>
  /** Sends a signal: SIGSTOP and SIGCONT, or SIGKILL. */
  readonly signal: (signal: NodeJS.Signals) => void
  /** Kills it and waits until it is gone. */
  readonly kill: () => Promise<void>
  /** Starts it again, empty, and waits until it answers. */
  readonly start: () => Promise<void>
}

const say = (socket: string, command: string) =>
  new Promise<string>((resolve, reject) => {
    const connection = Net.connect(socket, () => connection.write(`${command}\r\n`))
    connection.on("error", reject)
    connection.on("data", (data) => {
      connection.destroy()
      resolve(data.toString("utf8"))
    })
    connection.on("close", () => reject(new Error(`no answer to ${command}`)))
  })

// The server dies with the test, however that ends.
const command = (path: string): ReadonlyArray<string> =>
  existsSync("/usr/bin/setpriv") ? ["/usr/bin/setpriv", "--pdeathsig", "KILL", path] : [path]

const make = () => {
  const folder = mkdtempSync(join(tmpdir(), "redis-"))
  const socket = join(folder, "s")
  const options = [
    "--port",
    "0",
    "--unixsocket",
    socket,
    "--dir",
    folder,
    "--save",
    "",
    "--loglevel",
    "warning"
  ]
  let child: ChildProcess | undefined
  const kill = async () => {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const gone = once(child, "exit")
    child.kill("SIGKILL")
    await gone
  }
  const start = async () => {
    const [program, ...rest] = [...command(tool.path!), ...options]
    const started = spawn(program!, rest, { stdio: "ignore" })
    child = started
    for (;;) {
      const answer = await say(socket, "PING").catch(() => "")
      if (answer.startsWith("+PONG")) return
      if (started.exitCode !== null) throw new Error(`redis-server ended with ${started.exitCode}`)
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }
  const server: RedisServer = {
    url: `unix:${socket}`,
    socket,
    ask: (command) => say(socket, command),
    signal: (signal) => void child?.kill(signal),
    kill,
    start
  }
  return {
    server,
    end: async () => {
      await kill()
      rmSync(folder, { recursive: true, force: true })
    }
  }
}

/** A server that runs until the scope closes. */
export const run: Effect.Effect<RedisServer, never, Scope.Scope> = Effect.acquireRelease(
  Effect.sync(make),
  ({ end }) => Effect.promise(end)
).pipe(
  Effect.tap(({ server }) => Effect.promise(server.start)),
  Effect.map(({ server }) => server)
)

/** A server that is not there: its socket leads nowhere until `start`. */
export const absent: Effect.Effect<RedisServer, never, Scope.Scope> = Effect.acquireRelease(
  Effect.sync(make),
  ({ end }) => Effect.promise(end)
).pipe(Effect.map(({ server }) => server))
