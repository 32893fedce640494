/** What the hub does with what a client says. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import type { Channels } from "./Channels.js"
import type { Client } from "./Client.js"
import type * as EventLog from "./EventLog.js"
import type { HubConfig } from "./HubConfig.js"
import type { LiveSession } from "./LiveSession.js"
import * as Protocol from "./Protocol.js"
import * as Replay from "./Replay.js"
import type { Sessions } from "./Sessions.js"

/** Refusals in a row after which a client is closed. */
const mostStrikes = 3

/** Whether a channel exists: none when it does, else in half a sentence why not. It must not throw. */
export type Accepts = (channel: string) => Option.Option<string>

/** What a conversation is made of. */
export interface Parts {
  readonly config: HubConfig
  readonly accepts: Accepts
  readonly channels: Channels
  readonly sessions: Sessions
  readonly log: EventLog.Shape
  /** Milliseconds by Effect's clock. */
  readonly now: () => number
  /** Runs what takes its time. */
  readonly fork: (effect: Effect.Effect<void>) => void
  /** Called when a client has no message in hand any more. */
  readonly settled: () => void
}

/** The conversation with every client of a hub. Nothing in it throws. */
export interface Conversation {
  /** The first word. */
  readonly greet: (client: Client) => void
  /** A message has arrived. */
  readonly receive: (client: Client, data: Buffer, isBinary: boolean) => void
  /** Something that is no message has arrived, which counts towards the rate all the same. */
  readonly hear: (client: Client) => void
  /** Messages that were handled, of all clients. */
  readonly unsafeHandled: () => number
}

const greeting = (session: LiveSession, resumed: boolean, lastEventId: number): Protocol.ServerMessage => ({
  op: "connected",
  session: session.id,
  token: session.token,
  resumed,
  channels: session.channels,
  total: session.total,
  lastEventId
})

/** The conversation of one hub. */
export const make = (parts: Parts): Conversation => {
  const { accepts, channels, config, sessions } = parts
  const perMilli = config.messageRate / 1000
  const most = config.messageRate * 2
  let handled = 0

  const refuse = (
    client: Client,
    code: "malformed" | "unknown_channel" | "too_many_channels",
    message: string,
    details: { readonly channel?: string } = {}
  ) => {
    client.say({ op: "error", code, message, ...details })
    client.strikes++
    if (client.strikes >= mostStrikes) client.close(Protocol.CloseCode.policy, "three refusals in a row")
  }

  /** Whether the names may all be had; if not, it has been said why. */
  const mayHave = (client: Client, names: ReadonlyArray<string>, all: ReadonlySet<string>): boolean => {
    for (const name of names) {
      const reason = accepts(name)
      if (Option.isNone(reason)) continue
      const message = `channel ${JSON.stringify(name)}: ${reason.value}`
      refuse(client, "unknown_channel", message, { channel: name })
      return false
    }
    if (all.size <= config.maxChannels) return true
    refuse(
      client,
      "too_many_channels",
      `a client may have ${config.maxChannels} channels, this would make ${all.size}`
    )
    return false
  }

  const count = (client: Client) => {
    handled++
    client.strikes = 0
    client.session.total++
    client.session.isDirty = true
  }

  const change = (client: Client, all: ReadonlySet<string>) => {
    const { session } = client
    session.channels = [...all]
    const lastEventId = Math.max(channels.position, client.ahead)
    channels.join(client, lastEventId)
    client.say({ op: "subscription_confirm", channels: session.channels, lastEventId })
  }

  const resume = (client: Client, message: typeof Protocol.Resume.Type): Effect.Effect<void> =>
    Effect.gen(function* () {
      const previous = client.session
      const found = yield* sessions.claim(message.token, client)
      if (!client.isOpen) {
        // The claim has made this connection the owner; it goes as it came, for the next one to find.
        if (Option.isSome(found)) {
          client.session = found.value
          sessions.attach(client)
          sessions.detach(client)
        }
        return
      }
      if (Option.isNone(found) && message.channels === undefined) {
        const text = "no session has this token; give channels to resume without one, or subscribe anew"
        return client.say({ op: "error", code: "unknown_session", message: text })
      }
      channels.leave(client)
      client.ahead = 0
      if (Option.isSome(found) && found.value !== previous) {
        client.session = found.value
        client.session.total += previous.total
        client.session.isDirty = true
        sessions.replace(previous, client)
      }
      const own = message.channels ?? [...client.session.channels, ...previous.channels]
      const known = own.filter((channel) => Option.isNone(accepts(channel)))
      client.session.channels = [...new Set(known)].slice(0, config.maxChannels)
      client.say(greeting(client.session, Option.isSome(found), message.lastEventId))
      yield* Replay.run(parts.log, channels, client, message.lastEventId)
    }).pipe(
      Effect.catchTag("EventLogError", (error) => {
        client.say({
          op: "error",
          code: "unavailable",
          message: "events cannot be read now; try again later"
        })
        client.close(Protocol.CloseCode.tryAgainLater, "events cannot be read now")
        return Effect.annotateLogs(Effect.logWarning("events could not be read for a client", error), {
          event_type: "ws_resume_failed",
          session: client.session.id
        })
      })
    )

  /** Handles what takes its time; what arrives meanwhile waits, in the socket as far as it can. */
  const later = (client: Client, work: Effect.Effect<void>) => {
    client.busy = true
    client.ws.pause()
    parts.fork(
      Effect.ensuring(
        work,
        Effect.sync(() => {
          client.busy = false
          while (client.isOpen && !client.busy && client.inbox !== undefined) {
            const next = client.inbox.shift()
            if (client.inbox.length === 0) client.inbox = undefined
            if (next !== undefined) handle(client, next)
          }
          if (client.busy) return
          client.ws.resume()
          parts.settled()
        })
      )
    )
  }

  const handle = (client: Client, text: string): void => {
    const decoded = Protocol.decodeClient(text)
    if (Either.isLeft(decoded)) return refuse(client, "malformed", decoded.left)
    const message = decoded.right
    switch (message.op) {
      case "ping": {
        count(client)
        const isLive = client.group !== undefined || client.ahead > 0
        return client.say({
          op: "pong",
          ...(message.nonce === undefined ? {} : { nonce: message.nonce }),
          ...(isLive ? { lastEventId: Math.max(channels.position, client.ahead) } : {})
        })
      }
      case "subscribe": {
        const all = new Set([...client.session.channels, ...message.channels])
        if (!mayHave(client, message.channels, all)) return
        count(client)
        return change(client, all)
      }
      case "unsubscribe": {
        count(client)
        const gone = new Set(message.channels)
        return change(client, new Set(client.session.channels.filter((channel) => !gone.has(channel))))
      }
      case "resume": {
        if (message.channels !== undefined && !mayHave(client, message.channels, new Set(message.channels)))
          return
        count(client)
        return later(client, resume(client, message))
      }
    }
  }

  /** Nothing that a client sends may reach further than to its own connection. */
  const guarded = (client: Client, act: () => void) => {
    try {
      act()
    } catch (error) {
      client.close(1011, "internal error")
      parts.fork(
        Effect.annotateLogs(Effect.logError("a message could not be handled", error), {
          event_type: "ws_message_failed",
          session: client.session.id
        })
      )
    }
  }

  /** Whether it is within the rate. */
  const hear = (client: Client): boolean => {
    client.missed = 0
    if (!client.isOpen) return false
    const now = parts.now()
    client.allowance = Math.min(most, client.allowance + Math.max(0, now - client.refilledAt) * perMilli)
    client.refilledAt = now
    if (client.allowance >= 1) {
      client.allowance--
      // Made up for one by one: a flood also has some that are within the rate.
      if (client.overs > 0) client.overs--
      return true
    }
    if (client.overs++ === 0) {
      const message = `more than ${config.messageRate} messages a second: this one and those that follow too soon are not handled`
      client.say({ op: "error", code: "too_many_messages", message })
    } else if (client.overs > most) {
      client.close(Protocol.CloseCode.policy, "too many messages")
    }
    return false
  }

  return {
    greet: (client) => client.say(greeting(client.session, false, client.session.lastEventId)),
    hear: (client) => guarded(client, () => void hear(client)),
    receive: (client, data, isBinary) =>
      guarded(client, () => {
        if (!hear(client)) return
        if (isBinary) return refuse(client, "malformed", "messages are text, this one is binary")
        const text = data.toString("utf8")
        if (client.busy) (client.inbox ??= []).push(text)
        else handle(client, text)
      }),
    unsafeHandled: () => handled
  }
}
