/** A place behind the balancer, where one process of the service follows the other on the same port. */
import * as Effect from "effect/Effect"
import * as ExecutionStrategy from "effect/ExecutionStrategy"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import type { DrillError } from "../DrillOptions.js"
import * as Port from "../Port.js"
import * as Subject from "../Subject.js"

/** How its processes are started. */
export interface Options {
  /** What reports call the service. */
  readonly name: string
  /** Command line, as in `DrillOptions`. The service listens on the port in the environment variable `PORT`, or at `{port}` in the command. */
  readonly command: string
  /** More of its environment; `{port}` is filled in. */
  readonly env: Readonly<Record<string, string>>
  /** Path that answers 200 when it is ready; both the drill and the balancer ask there. */
  readonly ready: string
}

/** A running process of it. */
export interface Running {
  /** The process. */
  readonly subject: Subject.Subject
  /** Kills what is left of it and forgets it. */
  readonly close: Effect.Effect<void>
}

/** Ports that nobody listens on, all different. */
export const freePorts = (count: number): Effect.Effect<ReadonlyArray<number>, DrillError> =>
  Effect.gen(function* () {
    const found = new Set<number>()
    while (found.size < count) found.add((yield* Port.prepare("http://127.0.0.1:0", false)).port)
    return [...found]
  })

/** Starts a process and waits until it is ready. It is killed when the scope closes. Fails when it is not ready in time, or ends before. */
export const start = (
  { command, env, ready }: Options,
  port: number
): Effect.Effect<Running, DrillError, Scope.Scope> =>
  Effect.gen(function* () {
    // Each process has a scope of its own, so that those that have gone are forgotten.
    const scope = yield* Scope.fork(yield* Effect.scope, ExecutionStrategy.sequential)
    const subject = yield* Subject.startReady({
      command,
      url: `http://127.0.0.1:${port}`,
      env: { ...env, PORT: String(port) },
      ready
    }).pipe(Scope.extend(scope))
    return { subject, close: Scope.close(scope, Exit.void) }
  })

/** Sends SIGTERM and waits for the exit, for at most `cap` milliseconds; then it is killed. Returns how it ended: its exit code, a signal, or `killed`. */
export const stop = ({ close, subject }: Running, cap: number): Effect.Effect<string> =>
  Effect.gen(function* () {
    subject.signal("SIGTERM")
    const how = yield* Effect.promise(() => subject.exited).pipe(
      Effect.timeoutTo({
        duration: cap,
        onTimeout: () => "killed",
        onSuccess: ({ code, signal }) => String(code ?? signal)
      })
    )
    yield* close
    return how
  })
