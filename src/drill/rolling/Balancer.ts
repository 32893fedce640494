/**
 * HAProxy in the foreground, on loopback, in front of replicas; its configuration is ours and part of the report.
 *
 * @module
 */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { execFile } from "node:child_process"
import * as Fs from "node:fs/promises"
import * as Net from "node:net"
import * as Os from "node:os"
import * as Path from "node:path"
import * as Ready from "../Ready.js"
import * as Process from "./Process.js"

/** HAProxy is not there, or does not start. */
export class BalancerFailed extends Data.TaggedError("BalancerFailed")<{ readonly message: string }> {}

/** How a balancer is set up. */
export interface Setup {
  /** What reports call it. */
  readonly id: string
  /** In a line. */
  readonly title: string
  /** Lines of the `backend` section beside the servers and the path of the check. */
  readonly backend: ReadonlyArray<string>
  /** Options of every server, for `default-server`; empty for HAProxy's own. */
  readonly servers: string
  /** The longest time from a replica's first 503 to the moment it is not chosen any more, in milliseconds: checks times interval, and their answers on a busy machine. */
  readonly looksAwayWithin: number
}

/** A lost request shows: nothing is tried twice, connections to replicas are shared by all clients, and a replica that is not ready is noticed in a fifth of a second. */
export const strict: Setup = {
  id: "strict",
  title: "retries 0, no redispatch, http-reuse always, a check every 100 ms, down after 2",
  // Without a timeout of its own a check must be answered within its interval: a busy machine would take both replicas out at once.
  backend: ["retries 0", "no option redispatch", "http-reuse always", "timeout check 2s"],
  servers: "inter 100ms fall 2 rise 2",
  looksAwayWithin: 1500
}

/** HAProxy as it comes: 3 retries on the same server a second apart, reuse where it is safe, a check every 2 s, down after 3. */
export const standard: Setup = {
  id: "standard",
  title: "HAProxy's defaults: retries 3 without redispatch, http-reuse safe, a check every 2 s, down after 3",
  backend: [],
  servers: "",
  looksAwayWithin: 6500
}

/** Every setup, in the order in which they are run. */
export const setups: ReadonlyArray<Setup> = [strict, standard]

/** One server as HAProxy sees it. */
export interface Seen {
  /** It gets requests. */
  readonly up: boolean
  /** In HAProxy's words: `UP`, `DOWN 1/2`, ... */
  readonly status: string
  /** Requests that were sent to it, or tried. */
  readonly requests: number
  /** Connections that could not be made. */
  readonly connectErrors: number
  /** Responses that broke or never came. */
  readonly responseErrors: number
  /** Times a connection was tried again. */
  readonly retries: number
  /** Requests sent on a connection that had been used before. */
  readonly reused: number
}

/** A running balancer. */
export interface Balancer {
  readonly port: number
  /** `HAProxy version 2.6.12-...`. */
  readonly version: string
  /** The whole configuration file. */
  readonly configuration: string
  /** What it sees of a server, by the name in the configuration. Fails when it has gone. */
  readonly seen: (server: string) => Effect.Effect<Seen, BalancerFailed>
  /** Lines that it logged: requests that failed or were tried again, checks that changed their mind. */
  readonly log: () => ReadonlyArray<string>
}

/** Servers by name, with their ports. */
export type Servers = Readonly<Record<string, number>>

/** The configuration file. Requests that went well are not logged. */
export const configuration = (options: {
  readonly setup: Setup
  readonly port: number
  readonly ready: string
  readonly servers: Servers
  readonly socket: string
}): string => {
  const { port, ready, servers, setup, socket } = options
  const backend = [
    "balance roundrobin",
    ...setup.backend,
    "option httpchk",
    `http-check send meth GET uri ${ready} ver HTTP/1.1 hdr host replicas`,
    "http-check expect status 200",
    ...(setup.servers === "" ? [] : [`default-server ${setup.servers}`]),
    ...Object.entries(servers).map(([name, at]) => `server ${name} 127.0.0.1:${at} check`)
  ]
  const section = (title: string, lines: ReadonlyArray<string>) =>
    [title, ...lines.map((line) => `  ${line}`), ""].join("\n")
  return [
    section("global", [
      "maxconn 2000",
      "log stdout format raw local0",
      `stats socket ${socket} mode 600 level admin`
    ]),
    section("defaults", [
      "mode http",
      "log global",
      "option httplog",
      "option dontlog-normal",
      "option dontlognull",
      "timeout connect 5s",
      "timeout client 60s",
      "timeout server 60s"
    ]),
    section("frontend public", [`bind 127.0.0.1:${port}`, "default_backend replicas"]),
    section("backend replicas", backend)
  ].join("\n")
}

const places = ["haproxy", "/usr/sbin/haproxy", "/usr/local/sbin/haproxy"]

const versionOf = (program: string): Promise<string | undefined> =>
  new Promise((resolve) =>
    execFile(program, ["-v"], (error, stdout) =>
      resolve(error === null ? (stdout.split("\n")[0] ?? "") : undefined)
    )
  )

/** The program and its version; fails with what to do when there is none. */
export const find: Effect.Effect<{ readonly program: string; readonly version: string }, BalancerFailed> =
  Effect.flatMap(
    Effect.promise(async () => {
      for (const program of places) {
        const version = await versionOf(program)
        if (version !== undefined) return { program, version }
      }
      return undefined
    }),
    (found) =>
      found === undefined
        ? new BalancerFailed({
            message: "haproxy is not installed; on Debian and Ubuntu: apt-get install haproxy"
          })
        : Effect.succeed(found)
  )

/** Asks HAProxy's own socket. */
const command = (socket: string, line: string): Promise<string> =>
  new Promise((resolve, reject) => {
    let answer = ""
    const connection = Net.connect(socket)
    connection.setEncoding("utf8")
    connection.on("data", (text: string) => (answer += text))
    connection.on("end", () => resolve(answer))
    connection.on("error", reject)
    connection.write(`${line}\n`)
  })

/** Reads a line of `show stat`. */
export const parseStat = (csv: string, server: string): Seen | undefined => {
  const [head, ...rows] = csv.split("\n")
  const names = (head ?? "").replace(/^# /, "").split(",")
  const row = rows.map((line) => line.split(",")).find((cells) => cells[names.indexOf("svname")] === server)
  if (row === undefined) return undefined
  const number = (name: string) => Number(row[names.indexOf(name)] ?? 0)
  const status = row[names.indexOf("status")] ?? ""
  return {
    up: status.startsWith("UP"),
    status,
    requests: number("stot"),
    connectErrors: number("econ"),
    responseErrors: number("eresp"),
    retries: number("wretr"),
    reused: number("reuse")
  }
}

/** Starts HAProxy; it is killed when the scope closes. */
export const start = (options: {
  readonly setup: Setup
  readonly port: number
  /** The path that is checked. */
  readonly ready: string
  readonly servers: Servers
}): Effect.Effect<Balancer, BalancerFailed, Scope.Scope> =>
  Effect.gen(function* () {
    const { program, version } = yield* find
    const folder = yield* Effect.acquireRelease(
      Effect.promise(() => Fs.mkdtemp(Path.join(Os.tmpdir(), "rolling-"))),
      (made) => Effect.promise(() => Fs.rm(made, { recursive: true, force: true }))
    )
    const socket = Path.join(folder, "stats")
    const text = configuration({ ...options, socket })
    const file = Path.join(folder, "haproxy.cfg")
    yield* Effect.promise(() => Fs.writeFile(file, text))
    const child = yield* Process.scoped([program, "-db", "-f", file])
    const failed = (why: string) =>
      new BalancerFailed({ message: `${version} ${why}\n${child.output().slice(-2000)}` })
    const ask = (line: string) =>
      Effect.tryPromise({
        try: () => command(socket, line),
        catch: (error) => failed(`does not answer: ${error}`)
      })
    const isUp = Effect.promise(() => Ready.isReady({ host: "127.0.0.1", port: options.port }, undefined))
    yield* Effect.gen(function* () {
      while (!(yield* isUp)) {
        if (child.ended()) return yield* failed("does not start")
        yield* Effect.sleep(20)
      }
    }).pipe(Effect.timeoutFail({ duration: 5000, onTimeout: () => failed("does not listen") }))
    return {
      port: options.port,
      version,
      configuration: text,
      seen: (server) =>
        Effect.flatMap(ask("show stat"), (csv) => {
          const seen = parseStat(csv, server)
          return seen === undefined ? failed(`knows no server ${server}`) : Effect.succeed(seen)
        }),
      // What it logs it also says on standard error, in other words.
      log: () =>
        child
          .output()
          .split("\n")
          .filter((line) => line !== "" && !line.startsWith("["))
    }
  })
