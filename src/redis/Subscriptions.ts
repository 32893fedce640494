/**
 * Channels that this process listens to, over a connection of their own, since one that listens can do nothing else.
 *
 * Redis tells a message once, to whoever listens then. What is told while the connection is gone is lost, and nobody could say how much. So a listener hears
 * of every moment from which on it may have missed something, and looks for itself.
 */
import type { Redis as Client } from "ioredis"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"

/** What a listener hears. */
export type Heard =
  /** A message. */
  | { readonly _tag: "Message"; readonly text: string }
  /**
   * Whatever was told before this may have been missed: heard first when listening has begun, again after every interruption of the connection, and when the
   * listener itself was too slow.
   */
  | { readonly _tag: "Gap" }

/** What is listened to. */
export interface Subscriptions {
  /** What is told on `channel` from its first {@link Heard} on. Ends when Redis is released; stopping to read it stops listening. */
  readonly listen: (channel: string) => Stream.Stream<Heard>
  /** The connection can be used, for the first time or again. */
  readonly resume: () => void
  /** The connection is gone. */
  readonly pause: () => void
}

/** What a listener may be behind; beyond it the oldest is dropped and a gap is told. */
export const capacity = 1024

/** A channel that somebody listens to. */
interface Channel {
  readonly listeners: Set<Queue.Queue<Heard>>
  /** Whether Redis has confirmed it on the connection of now. */
  isLive: boolean
}

const gap: Heard = { _tag: "Gap" }

const tell = (channel: Channel, heard: Heard) => {
  for (const queue of channel.listeners) {
    const isFull = Option.exists(queue.unsafeSize(), (size) => size >= capacity)
    // The queue drops its oldest for this one. The gap comes last, so that the listener looks when it has heard the rest.
    queue.unsafeOffer(isFull ? gap : heard)
  }
}

/** Listens on a client until the scope closes; then what is listened to ends. `refused` is called when Redis does not let it listen. */
export const make = (
  client: Client,
  isReady: () => boolean,
  refused: (error: unknown) => void
): Effect.Effect<Subscriptions, never, Scope.Scope> =>
  Effect.gen(function* () {
    const channels = new Map<string, Channel>()
    client.on("message", (name: string, text: string) => {
      const channel = channels.get(name)
      if (channel !== undefined) tell(channel, { _tag: "Message", text })
    })

    const ask = (names: ReadonlyArray<string>) => {
      if (names.length === 0 || !isReady()) return
      client.subscribe(...names).then(
        () => {
          for (const name of names) {
            const channel = channels.get(name)
            if (channel === undefined) continue
            channel.isLive = true
            tell(channel, gap)
          }
        },
        (error: unknown) => {
          // Where the connection has ended, the next one asks again.
          if (isReady()) refused(error)
        }
      )
    }

    const join = (name: string) =>
      Effect.gen(function* () {
        const queue = yield* Queue.sliding<Heard>(capacity)
        const known = channels.get(name)
        if (known === undefined) {
          channels.set(name, { listeners: new Set([queue]), isLive: false })
          ask([name])
        } else {
          known.listeners.add(queue)
          if (known.isLive) queue.unsafeOffer(gap)
        }
        return queue
      })

    const leave = (name: string, queue: Queue.Queue<Heard>) =>
      Effect.suspend(() => {
        const channel = channels.get(name)
        channel?.listeners.delete(queue)
        if (channel?.listeners.size === 0) {
          channels.delete(name)
          if (isReady()) client.unsubscribe(name).catch(() => {})
        }
        return Queue.shutdown(queue)
      })

    yield* Effect.addFinalizer(() =>
      Effect.forEach(
        [...channels.values()].flatMap(({ listeners }) => [...listeners]),
        Queue.shutdown,
        { discard: true }
      )
    )

    return {
      listen: (name) =>
        Stream.unwrapScoped(
          Effect.map(
            Effect.acquireRelease(join(name), (queue) => leave(name, queue)),
            (queue) => Stream.fromQueue(queue)
          )
        ),
      resume: () => ask([...channels.keys()]),
      pause: () => {
        for (const channel of channels.values()) channel.isLive = false
      }
    }
  })
