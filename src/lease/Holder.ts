/**
 * How a process calls itself as the holder of leases, and whether it knows that another holder is gone.
 *
 * A process that is started again after it was killed finds its own lease still held, by nobody. On the same host it can tell, and need not wait for the end. It is asked
 * once, at the first look: hosts may share a name and not see each other's processes, and those would take the lease from each other for ever.
 *
 * @module
 */
import * as Effect from "effect/Effect"
import * as OwnProcess from "../lifecycle/OwnProcess.js"

/** A holder of leases. */
export interface Holder {
  /** How people recognise it. Something unique is added to it for each lease. */
  readonly label: string
  /** Whether the holder of that name is certainly gone. Never fails. */
  readonly isGone: (holder: string) => Effect.Effect<boolean>
}

/** One that knows nothing of others. */
export const named = (label: string): Holder => ({ label, isGone: () => Effect.succeed(false) })

/** `host:pid`. Gone is who has this host's name and a process id that nobody has, or this very process's: then it is an earlier one's. */
export const ofProcess: Effect.Effect<Holder, never, OwnProcess.OwnProcess> = Effect.map(
  OwnProcess.OwnProcess,
  ({ hostname, isAlive, pid }) => ({
    label: `${hostname}:${pid}`,
    isGone: (holder) => {
      const match = /^(.*):(\d+)#/.exec(holder)
      if (match === null || match[1] !== hostname) return Effect.succeed(false)
      const other = Number(match[2])
      return other === pid ? Effect.succeed(true) : Effect.map(isAlive(other), (alive) => !alive)
    }
  })
)
