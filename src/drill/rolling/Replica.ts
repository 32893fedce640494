/** A place behind the balancer, where one process of the service follows the other on the same port. */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as ExecutionStrategy from "effect/ExecutionStrategy"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import * as Http from "node:http"
import * as Process from "./Process.js"

/** A process is not ready in time, or the balancer does not see that it is. */
export class ReplicaFailed extends Data.TaggedError("ReplicaFailed")<{ readonly message: string }> {}

/** How its processes are started. */
export interface Options {
  /** What reports call the service. */
  readonly name: string
  /** Program and arguments; it listens on the port in the environment variable `PORT`. */
  readonly command: ReadonlyArray<string>
  /** More of its environment. */
  readonly env: Readonly<Record<string, string>>
  /** Path of its readiness. */
  readonly ready: string
}

/** A running process of it. */
export interface Running {
  readonly child: Process.Child
  /** Kills what is left of it and forgets it. */
  readonly close: Effect.Effect<void>
}

/** How long a process may take until it is ready, in milliseconds. */
const readyWithin = 20_000

const isReady = (port: number, path: string): Promise<boolean> =>
  new Promise((resolve) => {
    const request = Http.get({ port, host: "127.0.0.1", path, agent: false, timeout: 2000 }, (response) => {
      response.resume()
      resolve(response.statusCode === 200)
    })
    request.on("timeout", () => request.destroy())
    request.on("error", () => resolve(false))
  })

/** Starts a process and waits until it is ready. It is killed when the scope closes. */
export const start = (options: Options, port: number): Effect.Effect<Running, ReplicaFailed, Scope.Scope> =>
  Effect.gen(function* () {
    // Each process has a scope of its own, so that those that have gone are forgotten.
    const scope = yield* Scope.fork(yield* Effect.scope, ExecutionStrategy.sequential)
    const child = yield* Scope.extend(
      Process.scoped(options.command, { ...options.env, PORT: String(port) }),
      scope
    )
    const failed = (why: string) =>
      new ReplicaFailed({ message: `${options.name} on port ${port} ${why}\n${child.output().slice(-2000)}` })
    yield* Effect.gen(function* () {
      while (!(yield* Effect.promise(() => isReady(port, options.ready)))) {
        if (child.exit() !== undefined) return yield* failed("ended before it was ready")
        yield* Effect.sleep(10)
      }
    }).pipe(Effect.timeoutFail({ duration: readyWithin, onTimeout: () => failed("is not ready in time") }))
    return { child, close: Scope.close(scope, Exit.void) }
  })

/** Sends SIGTERM and waits for the exit, for at most `cap` milliseconds; then it is killed. Returns how it ended. */
export const stop = ({ child, close }: Running, cap: number): Effect.Effect<string> =>
  Effect.gen(function* () {
    child.signal("SIGTERM")
    const exit = yield* Effect.promise(() => child.exited).pipe(
      Effect.timeoutTo({
        duration: cap,
        onTimeout: () => undefined,
        onSuccess: (it) => it
      })
    )
    yield* close
    return exit === undefined ? "killed" : String(exit.code ?? exit.signal)
  })
