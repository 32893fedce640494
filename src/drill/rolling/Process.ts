/** Child processes in groups of their own, gone at the latest when the scope closes; and ports for them. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { spawn } from "node:child_process"
import * as Net from "node:net"

/** How a process ended. */
export interface Exit {
  /** When, of `performance.now()`. */
  readonly at: number
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** A process that was started. */
export interface Child {
  readonly pid: number
  /** Of `performance.now()`. */
  readonly startedAt: number
  /** The last 256 KiB of what it wrote, on both outputs. */
  readonly output: () => string
  readonly exit: () => Exit | undefined
  readonly exited: Promise<Exit>
  /** To the process itself; does nothing when it is gone. */
  readonly signal: (signal: NodeJS.Signals) => void
  /** SIGKILL, to the process and all that it started. */
  readonly kill: () => void
}

const kept = 256 * 1024

const start = (argv: ReadonlyArray<string>, env: Readonly<Record<string, string>>): Child => {
  const [program, ...args] = argv
  let text = ""
  let exit: Exit | undefined
  // A group of its own: what it starts in turn is ended with it, and a Ctrl+C meant for the drill does not reach it.
  const child = spawn(program!, args, {
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true
  })
  const hear = (chunk: Buffer) => {
    text = (text + chunk.toString()).slice(-kept)
  }
  child.stdout.on("data", hear)
  child.stderr.on("data", hear)
  const exited = new Promise<Exit>((resolve) => {
    const end = (code: number | null, signal: NodeJS.Signals | null) => {
      exit ??= { at: performance.now(), code, signal }
      resolve(exit)
    }
    child.once("exit", end)
    child.once("error", (error) => {
      text += error.message
      end(127, null)
    })
  })
  return {
    pid: child.pid ?? 0,
    startedAt: performance.now(),
    output: () => text,
    exit: () => exit,
    exited,
    signal: (signal) => void child.kill(signal),
    kill: () => {
      if (child.pid === undefined) return
      try {
        process.kill(-child.pid, "SIGKILL")
      } catch {
        // The group has gone.
      }
    }
  }
}

/** Starts a program; never fails (one that cannot be started has ended with 127). Its group is killed when the scope closes. */
export const scoped = (
  argv: ReadonlyArray<string>,
  env: Readonly<Record<string, string>>
): Effect.Effect<Child, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => start(argv, env)),
    (child) => Effect.promise(() => (child.kill(), child.exited))
  )

/** Whether anybody accepts connections on a loopback port. */
export const listens = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = Net.connect({ port, host: "127.0.0.1" })
    socket.on("connect", () => {
      socket.destroy()
      resolve(true)
    })
    socket.on("error", () => resolve(false))
  })

const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = Net.createServer()
    server.once("error", () => resolve(false))
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)))
  })

/**
 * Ports that nobody listens on. They are below those that systems give to outgoing connections: while a replica is down, its port must
 * not be taken by a connection of the balancer.
 */
export const freePorts = (count: number): Effect.Effect<ReadonlyArray<number>> =>
  Effect.promise(async () => {
    const found = new Set<number>()
    while (found.size < count) {
      const port = 20_000 + Math.floor(Math.random() * 12_000)
      if (await isFree(port)) found.add(port)
    }
    return [...found]
  })
