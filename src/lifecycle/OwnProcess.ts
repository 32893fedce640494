/**
 * Who this process is, and whether another one still lives. The one for Node is in `node/ProcessAlive.ts`; tests have their own.
 *
 * @module
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"

/** The process, as far as its record is concerned. */
export interface Shape {
  /** The process id: unique among the living of one host (of one container, where processes live in one). */
  readonly pid: number
  /** The host's name, or the container's. */
  readonly hostname: string
  /** Whether a process of this host has that id. Never fails. */
  readonly isAlive: (pid: number) => Effect.Effect<boolean>
}

/** This process among others. */
export class OwnProcess extends Context.Tag("stellar-insights/lifecycle/OwnProcess")<OwnProcess, Shape>() {}
