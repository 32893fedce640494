/**
 * The service under the drill: any command, known only from outside.
 *
 * It is started without a shell, as the leader of a session and a process group of its own, so that a key press at the drill's terminal does not reach it and
 * all that it starts can be found.
 *
 * @module
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { ChildProcess } from "node:child_process"
import { spawn } from "node:child_process"
import { randomUUID } from "node:crypto"
import * as CommandLine from "./CommandLine.js"
import { DrillError } from "./DrillOptions.js"
import * as Port from "./Port.js"
import * as Processes from "./Processes.js"
import * as Ready from "./Ready.js"
import * as Steps from "./Steps.js"
import { pause } from "./Pause.js"

/** How to start a service. */
export interface Service {
  /** See `DrillOptions`. */
  readonly command: string
  /** See `DrillOptions`. */
  readonly cwd?: string
  /** See `DrillOptions`. */
  readonly url: string
  /** See `DrillOptions`. */
  readonly env?: Readonly<Record<string, string>>
  /** Path that answers 2xx once the service is ready; a TCP connection is enough when absent. */
  readonly ready?: string
  /** How long it may take to be ready, in milliseconds. 30,000. */
  readonly startMillis?: number
}

/** How a process ended. */
export interface Exit {
  /** When, of `performance.now()`. */
  readonly at: number
  /** Its exit code; null when a signal ended it. */
  readonly code: number | null
  /** The signal that ended it; null when it exited. */
  readonly signal: NodeJS.Signals | null
}

/** What was there when the process was gone. */
export interface Leftovers {
  /** Processes it had started. */
  readonly children: ReadonlyArray<Processes.Process>
  /** Ports that are still listened on by the sockets that it had, or by what it left. */
  readonly ports: ReadonlyArray<number>
}

/** A service that was started. */
export interface Subject {
  /** Number of the process. */
  readonly pid: number
  /** Where it listens, or will. */
  readonly host: string
  /** Where it listens, or will. */
  readonly port: number
  /** When it was started, of `performance.now()`. */
  readonly startedAt: number
  /** Its end, however it came. Never rejects. */
  readonly exited: Promise<Exit>
  /** Its end, once it has come. */
  readonly exit: () => Exit | undefined
  /** Milliseconds from the start until it was ready; rejects with a {@link DrillError} when it ends before or takes too long. */
  readonly ready: Promise<number>
  /** Sends a signal to the process, as a supervisor does; does nothing when it is gone. */
  readonly signal: (name: NodeJS.Signals) => void
  /** Kills it and all it has started; done when all are gone. */
  readonly kill: () => Promise<void>
  /** Sockets that it and what it started listen on now; empty where the system does not tell. */
  readonly listeners: () => ReadonlyArray<Processes.Listener>
  /** What it left, asked after its end, given the sockets it had. Waits up to 300 ms for what is about to go. */
  readonly leftovers: (had: ReadonlyArray<Processes.Listener>) => Promise<Leftovers>
  /** The end of what it wrote to standard output and error. */
  readonly output: () => string
  /** What it told of its stop, in milliseconds since the epoch less `epochMillis`. */
  readonly steps: Steps.Reader["steps"]
}

const send = (pid: number, signal: NodeJS.Signals): void => {
  try {
    process.kill(pid, signal)
  } catch {
    // Gone already.
  }
}

/** Groups whose leader lives; undefined before the first. */
let alive: Set<number> | undefined

/** Whatever ends the drill, short of a kill, ends the group with it, also where no finalizer runs any more. Returns what calls that off. */
const guard = (pid: number): (() => void) => {
  if (alive === undefined) {
    const groups = new Set<number>()
    process.once("exit", () => groups.forEach((group) => send(-group, "SIGKILL")))
    alive = groups
  }
  const groups = alive.add(pid)
  return () => groups.delete(pid)
}

/** How much of the output is kept, in characters. */
const tail = 4000

/** Reads a child's output line by line and keeps the end of it; what is not read would block the child. */
const listen = (child: ChildProcess) => {
  const reader = Steps.make()
  let kept = ""
  for (const stream of [child.stdout!, child.stderr!]) {
    let line = ""
    stream.setEncoding("utf8").on("data", (text: string) => {
      kept = (kept + text).slice(-tail)
      const lines = (line + text).split("\n")
      line = lines.pop()!.slice(-1_000_000)
      for (const whole of lines) reader.push(whole)
    })
    stream.on("error", () => undefined)
  }
  return { output: () => kept, steps: reader.steps }
}

const launch = (service: Service, place: Port.Place): Subject | DrillError => {
  const fill = (text: string) => text.replaceAll("{port}", String(place.port))
  const parsed = CommandLine.parse(fill(service.command))
  if (typeof parsed === "string") return new DrillError({ reason: "usage", message: parsed })
  const mark = randomUUID()
  const env: Record<string, string | undefined> = { ...process.env }
  if (place.chosen) env["PORT"] = String(place.port)
  Object.assign(env, parsed.env)
  for (const [key, value] of Object.entries(service.env ?? {})) env[key] = fill(value)
  env[Processes.marker] = mark
  const [program, ...args] = parsed.argv
  const startedAt = performance.now()
  const child = spawn(program, args, {
    env,
    ...(service.cwd === undefined ? {} : { cwd: service.cwd }),
    detached: true,
    stdio: ["ignore", "pipe", "pipe"]
  })
  let exit: Exit | undefined
  let failure = ""
  const exited = new Promise<Exit>((resolve) => {
    child.once("exit", (code, signal) => {
      exit = { at: performance.now(), code, signal }
      resolve(exit)
    })
    child.once("error", (error) => {
      failure = error.message
      exit ??= { at: performance.now(), code: 127, signal: null }
      resolve(exit)
    })
  })
  // What was written last is read after the exit; a child that lives on may hold the pipe open.
  const closed = new Promise<void>((resolve) => child.once("close", () => resolve()))
  const { output, steps } = listen(child)
  const pid = child.pid ?? 0
  if (pid !== 0) void exited.then(guard(pid))
  const family = () => (pid === 0 ? [] : Processes.find(pid, mark))

  const why = (what: string) =>
    new DrillError({ reason: "start", message: `${what}\n${failure}${output()}`.trim() })
  const ready = Ready.poll(place, service.ready, {
    limit: service.startMillis ?? 30_000,
    since: startedAt,
    exited
  }).catch(async (error: Error) => {
    if (exit !== undefined) await Promise.race([closed, pause(100)])
    throw why(`${parsed.argv.join(" ")} ${error.message}`)
  })
  // Whoever waits for it is told; nobody has to.
  ready.catch(() => undefined)

  return {
    pid,
    host: place.host,
    port: place.port,
    startedAt,
    exited,
    exit: () => exit,
    ready,
    signal: (name) => {
      if (exit === undefined) child.kill(name)
    },
    kill: async () => {
      // A group whose leader is gone may have none of ours in it: its number may be somebody else's by now.
      if (exit === undefined && pid !== 0) send(-pid, "SIGKILL")
      for (let round = 0; round < 20; round++) {
        const left = family()
        for (const one of left) send(one.pid, "SIGKILL")
        if (left.length === 0 && exit !== undefined) break
        await Promise.race([pause(25), ...(exit === undefined ? [exited] : [])])
      }
      child.stdout?.destroy()
      child.stderr?.destroy()
    },
    listeners: () => Processes.listenersOf(family()),
    leftovers: async (had) => {
      await Promise.race([closed, pause(100)])
      let found: Leftovers = { children: [], ports: [] }
      for (let waited = 0; waited <= 300; waited += 50) {
        const children = family()
        const inodes = new Set([...had, ...Processes.listenersOf(children)].map(({ inode }) => inode))
        const open = Processes.listeners().filter(({ inode }) => inodes.has(inode))
        found = { children, ports: [...new Set(open.map(({ port }) => port))] }
        if (children.length === 0 && found.ports.length === 0) break
        await pause(50)
      }
      return found
    },
    output,
    steps
  }
}

/**
 * Starts a service. Whatever it is, it and all it has started are killed when the scope closes. Fails with `usage`, `port` or `remote`; a program that cannot
 * be started makes `ready` reject. Interruption kills what was started.
 */
export const start: (
  service: Service,
  options?: { readonly allowRemote?: boolean }
) => Effect.Effect<Subject, DrillError, Scope.Scope> = Effect.fn("Subject.start")(function* (
  service: Service,
  options: { readonly allowRemote?: boolean } = {}
) {
  const place = yield* Port.prepare(service.url, options.allowRemote === true)
  return yield* Effect.acquireRelease(
    Effect.suspend(() => {
      const subject = launch(service, place)
      return subject instanceof DrillError ? subject : Effect.succeed(subject)
    }),
    (subject) => Effect.promise(() => subject.kill())
  )
})

/** As {@link start}, and waits until it is ready. Fails with `start` as well, with the service's last words. */
export const startReady: (
  service: Service,
  options?: { readonly allowRemote?: boolean }
) => Effect.Effect<Subject, DrillError, Scope.Scope> = Effect.fn("Subject.startReady")(function* (
  service: Service,
  options: { readonly allowRemote?: boolean } = {}
) {
  const subject = yield* start(service, options)
  yield* Effect.tryPromise({ try: () => subject.ready, catch: (error) => error as DrillError })
  return subject
})
