/** Finds out who is gone without having said so: a peer that leaves two pings unanswered is dead at the third. */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as EventLoop from "../http/EventLoop.js"
import type { Client } from "./Client.js"
import * as Frame from "./Frame.js"

/** Pings that a peer may leave unanswered. */
export const mostMissed = 2

/** Clients that are pinged in one turn of the event loop. */
const slice = 500

const beat = (client: Client, dead: (client: Client) => void) => {
  if (client.missed >= mostMissed) return dead(client)
  client.missed++
  if (client.isOpen) client.answer(Frame.ping)
}

/** Does something with all of them at intervals, until `until` ends or the scope closes. */
export const every = <A>(options: {
  readonly interval: Duration.Duration
  readonly all: ReadonlySet<A>
  readonly until: Effect.Effect<void>
  readonly act: (one: A) => void
}): Effect.Effect<void, never, Scope.Scope> =>
  Effect.sleep(options.interval).pipe(
    Effect.zipRight(Effect.suspend(() => EventLoop.inSlices([...options.all], slice, options.act))),
    Effect.forever,
    Effect.raceFirst(options.until),
    Effect.forkScoped,
    Effect.asVoid
  )

/** Pings every client at intervals, until `until` ends or the scope closes. `dead` is called for those who do not answer. */
export const run = (options: {
  readonly interval: Duration.Duration
  readonly clients: ReadonlySet<Client>
  readonly until: Effect.Effect<void>
  readonly dead: (client: Client) => void
}): Effect.Effect<void, never, Scope.Scope> =>
  every({
    interval: options.interval,
    all: options.clients,
    until: options.until,
    act: (client) => beat(client, options.dead)
  })
