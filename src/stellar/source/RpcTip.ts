/** Waiting for the ledger that comes next, and saying so when it takes strangely long. */
import * as Clock from "effect/Clock"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Ref from "effect/Ref"

/** A network closes a ledger every five or six seconds: after this many milliseconds without one something is odd. */
const odd = 60_000

/** A wait that is under way. */
interface Wait {
  readonly sequence: number
  /** When it began, in milliseconds. */
  readonly since: number
  readonly told: boolean
}

/**
 * Sleeps for an interval each time that a server has turned out not to have a ledger yet, and logs once per ledger when a minute has gone by. Never fails.
 */
export const make = Effect.fnUntraced(function* (server: string, interval: Duration.DurationInput) {
  const waiting = yield* Ref.make<Wait>({ sequence: -1, since: 0, told: false })
  return Effect.fnUntraced(function* (sequence: number, latest: number) {
    const now = yield* Clock.currentTimeMillis
    const before = yield* Ref.get(waiting)
    const wait = before.sequence === sequence ? before : { sequence, since: now, told: false }
    const tell = !wait.told && now - wait.since >= odd
    if (tell) {
      // A node may be behind the others and one restored from a copy far behind; a network that was reset begins anew, under the same passphrase.
      yield* Effect.logWarning(
        latest < sequence - 1
          ? "The RPC server has been behind for a minute: its latest ledger is older than the last one read"
          : "The RPC server has had no new ledger for a minute"
      ).pipe(Effect.annotateLogs({ server, wanted: sequence, latest }))
    }
    yield* Ref.set(waiting, tell ? { ...wait, told: true } : wait)
    yield* Effect.sleep(interval)
  })
})
