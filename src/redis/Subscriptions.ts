/**
 * Channels that this process listens to, over a connection of their own, since one that listens can do nothing else.
 *
 * Redis tells a message once, to whoever listens then. What is told while the connection is gone is lost, and nobody could say how much. So a listener hears
 * of every moment from which on it may have missed something, and looks for itself.
 *
 * @module
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

/** What a listener may be behind; what is told beyond that is dropped, and a gap is told in its place. */
export const capacity = 1024

/** One who listens. */
interface Listener {
  readonly queue: Queue.Queue<Heard>
  /** Whether the last that waits is the gap that stands for what was dropped. */
  isBehind: boolean
}

/** A channel that somebody listens to. */
interface Channel {
  readonly listeners: Set<Listener>
  /** Whether Redis has confirmed it on the connection of now. */
  isLive: boolean
}

const gap: Heard = { _tag: "Gap" }

const offer = (listener: Listener, heard: Heard) => {
  const isFull = Option.exists(listener.queue.unsafeSize(), (size) => size >= capacity)
  // What is dropped is told before the listener gets to its gap, which is the last that waits.
  if (!isFull || !listener.isBehind) listener.queue.unsafeOffer(isFull ? gap : heard)
  listener.isBehind = isFull
}

const tell = (channel: Channel, heard: Heard) => {
  for (const listener of channel.listeners) offer(listener, heard)
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
      Effect.map(Queue.unbounded<Heard>(), (queue): Listener => {
        const listener = { queue, isBehind: false }
        const known = channels.get(name)
        if (known === undefined) {
          channels.set(name, { listeners: new Set([listener]), isLive: false })
          ask([name])
        } else {
          known.listeners.add(listener)
          if (known.isLive) offer(listener, gap)
        }
        return listener
      })

    const leave = (name: string, listener: Listener) =>
      Effect.suspend(() => {
        const channel = channels.get(name)
        channel?.listeners.delete(listener)
        if (channel?.listeners.size === 0) {
          channels.delete(name)
          if (isReady()) client.unsubscribe(name).catch(() => {})
        }
        return Queue.shutdown(listener.queue)
      })

    yield* Effect.addFinalizer(() =>
      Effect.forEach(
        [...channels.values()].flatMap(({ listeners }) => [...listeners]),
        ({ queue }) => Queue.shutdown(queue),
        { discard: true }
      )
    )

    return {
      listen: (name) =>
        Stream.unwrapScoped(
          Effect.map(
            Effect.acquireRelease(join(name), (listener) => leave(name, listener)),
            ({ queue }) => Stream.fromQueue(queue)
          )
        ),
      resume: () => ask([...channels.keys()]),
      pause: () => {
        for (const channel of channels.values()) channel.isLive = false
      }
    }
  })
