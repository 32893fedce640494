/**
 * A client that outlives its connections: it connects again when one ends, goes on after the last event that it received, and hands out every event once
 * and in order, however often the server was restarted, killed or replaced by another one over the same database.
 *
 * @module
 */
import * as Backoff from "./Backoff.js"
import { Conversation } from "./Conversation.js"
import { Deliveries } from "./Deliveries.js"
import type { Incoming } from "./Incoming.js"
import * as Link from "./Link.js"
import type { Client, Options, State } from "./Options.js"
import { type Close, constructorOf, urlOf } from "./Socket.js"
import * as Timers from "./Timers.js"

/** Codes after which the same would happen again: policy, too big a message, and a session that somebody else goes on with. */
const finalCodes: ReadonlyArray<number> = [1008, 1009, 4001]

/** The session was resumed on another connection. */
const resumedElsewhere = 4001

/** The longest time to stay away that a server is believed, in milliseconds. */
const mostHint = 600_000

/** Calls a handler. What it throws goes where errors of listeners go, not into ours. */
const call = <A>(handler: ((value: A) => void) | undefined, value: A): void => {
  try {
    handler?.(value)
  } catch (error) {
    queueMicrotask(() => {
      throw error
    })
  }
}

/**
 * Connects, and stays connected until it is closed. Throws when that cannot work: without a class of WebSockets (Node before version 22 has none), with a `url` that is
 * none, with names that no channel can have, with a `session` that is not what {@link Client.resumeState} gives.
 */
export const connect = (options: Options): Client => {
  const WebSocket = constructorOf(options.WebSocket)
  const url = urlOf(options.url, options.token)
  const schedule = options.schedule ?? Timers.schedule
  const random = options.random ?? Math.random
  const backoff = { ...Backoff.defaults, ...options.backoff }
  const patience = { ...Link.defaults, ...options.patience }
  const reconnects = options.reconnects ?? (({ code }: Close) => !finalCodes.includes(code))

  let state: State = { status: "connecting", failures: 0 }
  let link: Link.Link | undefined
  let failures = 0
  /** When the server asked us to come back, in milliseconds from the end. */
  let hint: number | undefined
  let callOff: (() => void) | undefined

  const deliveries = new Deliveries(options.buffer ?? 10_000, () => conversation.ask())
  const conversation = new Conversation({
    session: options.session ?? undefined,
    lastEventId: options.lastEventId,
    channels: options.channels ?? options.session?.channels ?? [],
    schedule,
    isFull: () => deliveries.isFull,
    deliver: (item, before) => {
      deliveries.push(item, before)
      if (item.op === "event") call(options.onEvent, item)
      else call(options.onGap, item)
    },
    refused: (refusal) => call(options.onRefusal, refusal),
    opened: (session, resumed) => {
      // A server that takes clients and loses them is no reason to come back at once.
      later(backoff.resetAfterMs, () => {
        failures = 0
      })
      become({ status: "open", session, resumed })
    }
  })

  const later = (millis: number, then: () => void) => {
    callOff?.()
    callOff = schedule(millis, () => {
      callOff = undefined
      then()
    })
  }
  const become = (next: State) => {
    state = next
    call(options.onState, next)
  }

  const heard = (from: Link.Link, message: Incoming) => {
    if (message === "unknown") return
    if (message === "unreadable") {
      const text = "a message of the server could not be read"
      return call(options.onRefusal, { code: message, message: text, channels: [] })
    }
    call(options.onMessage, message)
    // A handler may have closed it.
    if (from !== link) return
    if (message.op === "notice") return call(options.onNotice, message)
    if (message.op === "server_shutdown") hint = Math.min(Math.max(0, message.reconnectAfterMs), mostHint)
    conversation.hear(message)
  }

  const ended = (close: Close) => {
    link = undefined
    callOff?.()
    callOff = undefined
    conversation.end()
    if (close.code === resumedElsewhere) conversation.leaveSession()
    const asked = hint
    hint = undefined
    if (!reconnects(close)) {
      const text = `the server has closed the connection for good: ${close.code} ${close.reason}`.trim()
      deliveries.end(new Error(text))
      return become({ status: "closed", close })
    }
    // Who was asked to come back does not come back to a server in trouble.
    if (asked !== undefined) failures = 0
    const delayMs = asked ?? Backoff.delay(backoff, failures++, random)
    later(delayMs, () => {
      try {
        open()
      } catch (error) {
        return ended({ code: 1006, reason: String(error) })
      }
      become({ status: "connecting", failures })
    })
    become({ status: "waiting", failures, delayMs, close })
  }

  const open = () => {
    const opening = Link.open({
      url,
      WebSocket,
      schedule,
      patience,
      onOpen: ({ send }) => conversation.begin(send),
      onMessage: heard,
      onEnd: ended
    })
    link = opening
  }

  open()
  return {
    get state() {
      return state
    },
    get channels() {
      return conversation.channels
    },
    subscribe: (...channels) => conversation.want(channels),
    unsubscribe: (...channels) => conversation.drop(channels),
    resumeState: () => conversation.resumeState((received) => deliveries.dealtWith(received)),
    reconnect: () => {
      if (link !== undefined) return
      open()
      callOff?.()
      callOff = undefined
      deliveries.begin()
      state = { status: "connecting", failures }
    },
    close: () => {
      callOff?.()
      callOff = undefined
      link?.close()
      link = undefined
      conversation.end()
      deliveries.end()
      state = { status: "closed" }
    },
    [Symbol.asyncIterator]: () => deliveries.iterate()
  }
}
