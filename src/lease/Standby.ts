/** Waits for a lease, and asks for it when it can be had. */
import type { SqlError } from "@effect/sql/SqlError"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as ErrorText from "../lifecycle/ErrorText.js"
import type * as LeaseConfig from "./LeaseConfig.js"
import type * as Leases from "./Leases.js"

/** What is waited for, and how. */
export interface Options {
  /** The leases. */
  readonly leases: Leases.Shape
  /** Which one. */
  readonly name: string
  /** For whom. */
  readonly holder: string
  /** Whether the holder of that name is certainly gone; asked at the first look. */
  readonly isGone: (holder: string) => Effect.Effect<boolean>
  /** How long it is to hold, and how often to look. */
  readonly config: LeaseConfig.LeaseConfig
  /** Ends when the lease was said to be free; see `Wake.listen`. */
  readonly word: Effect.Effect<void>
  /** Whether it is wanted at the moment: a process that is about to stop leaves it to others. */
  readonly isWanted: Effect.Effect<boolean>
}

/** A lease that was just given. */
export interface Given {
  readonly lease: Leases.Lease
  /** When it was asked for, in milliseconds by the clock. */
  readonly askedAt: number
}

/** Whoever waits for one lease. */
export interface Standby {
  /**
   * Ends when the lease is given. After each look that brought nothing `onStandby` is run, with who has it, none when nobody could be asked. Never fails; it goes on
   * when the database does. Interrupted, it may have been given the lease all the same: see {@link withdraw}.
   */
  readonly wait: (
    onStandby: (held: Option.Option<Leases.Held>) => Effect.Effect<void>
  ) => Effect.Effect<Given>
  /**
   * The lease, where it is still held in this name: the last wait was interrupted between question and answer, and the database had said yes. Fails with `SqlError`;
   * interrupting it is free.
   */
  readonly withdraw: Effect.Effect<Option.Option<Leases.Lease>, SqlError>
  /** The lease that was given is in good hands: there is nothing to {@link withdraw} until the next wait. */
  readonly taken: Effect.Effect<void>
  /** Why nobody could be asked lately, several times in a row: where nobody has the lease, nobody does the work. None while that is not so. Never fails. */
  readonly trouble: Effect.Effect<Option.Option<string>>
}

/** So many looks in a row fail before that is more than a moment's. */
const manyFailures = 3

/** For one lease. */
export const make = ({ config, holder, isGone, isWanted, leases, name, word }: Options): Standby => {
  /** Asked, and not refused. */
  let unsure = false
  let failures = 0
  let why = ""
  let isFirst = true

  const ask = Effect.fnUntraced(function* (gone: Option.Option<Leases.Held>) {
    const askedAt = yield* Clock.currentTimeMillis
    unsure = true
    const given = yield* leases.acquire(name, holder, config.ttl, Option.getOrUndefined(gone))
    if (Option.isNone(given)) unsure = false
    return Option.map(given, (lease): Given => ({ lease, askedAt }))
  })

  /** The lease, or how long it may take until it is worth looking again. */
  const look = Effect.gen(function* () {
    if (!(yield* isWanted)) return { held: Option.none<Leases.Held>(), given: Option.none<Given>() }
    const before = yield* leases.look(name)
    // Looking is a read: asking each time would take the write lock from the one who works.
    const holding = Option.filter(before, ({ remaining }) => Duration.toMillis(remaining) > 0)
    const gone = isFirst && Option.isSome(holding) ? yield* isGone(holding.value.holder) : false
    isFirst = false
    const isFree = Option.isNone(holding) || gone
    const given = isFree ? yield* ask(holding) : Option.none<Given>()
    // Somebody else was quicker.
    const held = isFree && Option.isNone(given) ? yield* leases.look(name) : before
    if (failures > 0) yield* Effect.logInfo("Lease can be looked at again")
    failures = 0
    return { held, given }
  }).pipe(
    Effect.catchTag("SqlError", (error) => {
      failures += 1
      why = ErrorText.of(error.cause ?? error)
      const tell = failures === 1 ? Effect.logWarning("Lease could not be looked at", error) : Effect.void
      return Effect.as(tell, { held: Option.none<Leases.Held>(), given: Option.none<Given>() })
    }),
    Effect.annotateLogs({ lease: name })
  )

  // Repeated, not called by itself: a process may be on standby for weeks, and must not grow with each look.
  const wait: Standby["wait"] = (onStandby) =>
    Effect.gen(function* () {
      const { given, held } = yield* look
      if (Option.isSome(given)) return given.value
      yield* onStandby(held)
      // A little sooner than it must be: the interval is to be enough for taking the lease and beginning as well.
      const poll = Math.ceil(0.8 * Duration.toMillis(config.poll))
      const left = Option.match(held, {
        onNone: () => poll,
        onSome: ({ remaining }) => Duration.toMillis(remaining)
      })
      // The end of the lease may come sooner than the next look.
      yield* Effect.raceFirst(word, Effect.sleep(left > 0 ? Math.min(poll, left) : poll))
      return undefined
    }).pipe(Effect.repeat({ until: (given): given is Given => given !== undefined }))

  return {
    wait,
    trouble: Effect.sync(() =>
      failures < manyFailures
        ? Option.none()
        : Option.some(`the lease cannot be looked at or asked for: the database failed: ${why}`)
    ),
    taken: Effect.sync(() => {
      unsure = false
    }),
    withdraw: Effect.map(
      Effect.suspend(() => (unsure ? leases.look(name) : Effect.succeedNone)),
      Option.flatMap(({ epoch, holder: current, remaining }) =>
        current === holder && Duration.toMillis(remaining) > 0
          ? Option.some({ name, holder, epoch, ttl: config.ttl })
          : Option.none()
      )
    )
  }
}
