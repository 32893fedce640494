/** A helper process whose whole output matters, gone at the latest when the scope closes. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { spawn } from "node:child_process"

/** A process that was started. */
export interface Helper {
  /** The last 256 KiB of what it wrote, on both outputs. */
  readonly output: () => string
  /** Whether it is gone. */
  readonly ended: () => boolean
}

const kept = 256 * 1024

/**
 * Starts a program; never fails (one that cannot be started has ended, and says so in its output). Its process group is killed when the scope closes: a Ctrl+C
 * that is meant for the drill does not reach it.
 */
export const scoped = (
  argv: readonly [string, ...Array<string>]
): Effect.Effect<Helper, never, Scope.Scope> =>
  Effect.gen(function* () {
    let text = ""
    let ended = false
    const { child } = yield* Effect.acquireRelease(
      Effect.sync(() => {
        const [program, ...args] = argv
        const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"], detached: true })
        const exited = new Promise<void>((resolve) => {
          const end = () => {
            ended = true
            resolve()
          }
          child.once("exit", end)
          child.once("error", (error) => {
            text += error.message
            end()
          })
        })
        return { child, exited }
      }),
      ({ child, exited }) =>
        Effect.promise(() => {
          if (child.pid !== undefined && !ended) process.kill(-child.pid, "SIGKILL")
          return exited
        })
    )
    const hear = (chunk: Buffer) => {
      text = (text + chunk.toString()).slice(-kept)
    }
    child.stdout.on("data", hear)
    child.stderr.on("data", hear)
    return { output: () => text, ended: () => ended }
  })
