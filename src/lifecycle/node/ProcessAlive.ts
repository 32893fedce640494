/**
 * This Node process among the others of its host.
 *
 * @module
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { hostname } from "node:os"
import * as OwnProcess from "../OwnProcess.js"

const isAlive = (pid: number): boolean => {
  try {
    // Signal 0 is never delivered; it only asks.
    return process.kill(pid, 0)
  } catch (error) {
    // A process that belongs to another user is alive all the same.
    return error instanceof Error && "code" in error && error.code === "EPERM"
  }
}

/** As the operating system says. */
export const layer: Layer.Layer<OwnProcess.OwnProcess> = Layer.sync(OwnProcess.OwnProcess, () => ({
  pid: process.pid,
  hostname: hostname(),
  isAlive: (pid) => Effect.sync(() => isAlive(pid))
}))
