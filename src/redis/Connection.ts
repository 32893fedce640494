/**
 * One connection of ioredis, made to keep its promises: a command ends in time, nothing waits in a queue for better days, a connection that is silent although
 * it owes answers is replaced, and closing it ends.
 *
 * ioredis reconnects by itself, after 50 ms and twice as long each time, up to two seconds. What it would do beyond that is switched off: it would send
 * commands again that may have been done, keep any number of them for later, and subscribe again without anybody hearing that it failed.
 */
import type { Redis as Client, RedisOptions } from "ioredis"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import type { Endpoint } from "./RedisConfig.js"
import { RedisError } from "./RedisError.js"

/** What a connection is, and who hears of it. */
export interface Options {
  /** The server. */
  readonly endpoint: Endpoint
  /** How the server's list of clients shows it. */
  readonly name: string
  /** See `RedisConfig.connectTimeout`. */
  readonly connectTimeout: Duration.Duration
  /** See `RedisConfig.commandTimeout`. */
  readonly commandTimeout: Duration.Duration
  /** It can be used from now on, for the first time or again. */
  readonly onReady: () => void
  /** It cannot be used any more, or could not be made; called for each attempt. */
  readonly onLost: () => void
}

/** A connection. */
export interface Connection {
  /** ioredis itself, for what is told by events. */
  readonly client: Client
  /** Whether commands can be sent. */
  readonly isReady: () => boolean
  /** Commands that were sent and not answered. */
  readonly pending: () => number
  /** What went wrong last, in words; undefined when nothing did since it was ready. */
  readonly lastError: () => string | undefined
  /** Sends a command, or fails at once. Interrupting it forgets the answer. */
  readonly call: (command: string, args: ReadonlyArray<string | number>) => Effect.Effect<unknown, RedisError>
  /** Ends it with the attempt under way, so that ioredis makes a new one. */
  readonly renew: () => void
  /** Ends it for good, at once. Unanswered commands fail. */
  readonly close: Effect.Effect<void>
}

/** Commands that may wait for their answers at once. Beyond them a command fails at once: a server that is slow is not helped by more. */
export const mostPending = 1000

/** How often a connection is looked after. */
export const watchInterval = Duration.millis(500)

/** Milliseconds before attempt number `times` to connect again; spread, since all processes lose a server at the same time. */
const backoff = (times: number): number => Math.min(2000, 25 * 2 ** times) * (0.5 + Math.random() / 2)

const settings = ({ connectTimeout, endpoint, name }: Options): RedisOptions => ({
  ...(Redacted.value(endpoint.address) as RedisOptions),
  connectionName: name,
  lazyConnect: true,
  // What is not sent now is not sent: callers know better what to do without Redis.
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  // With 0, what is unanswered when a connection ends fails then, and not some attempts later.
  maxRetriesPerRequest: 0,
  autoResubscribe: false,
  disableClientInfo: true,
  connectTimeout: Duration.toMillis(connectTimeout),
  // Streams are destroyed here. All that its timer could do is to keep the process, which it does where a stream has ended before.
  disconnectTimeout: 0,
  maxLoadingRetryTime: 500,
  keepAlive: 10_000,
  // After a failover the old connection leads to a replica.
  reconnectOnError: (error) => error.message.startsWith("READONLY")
})

/**
 * Ends when the sockets have been read once more. A process that was busy finds its timers due before it has read the answers that came meanwhile, and they are
 * not late.
 */
const polled = Effect.async<void>((resume) => {
  const handle = setImmediate(() => resume(Effect.void))
  return Effect.sync(() => clearImmediate(handle))
})

const isReply = (error: unknown): error is Error => error instanceof Error && error.name === "ReplyError"

/** Opens a connection and keeps it until the scope closes. Does not wait for it, and never fails. */
export const make = (options: Options): Effect.Effect<Connection, never, Scope.Scope> =>
  Effect.gen(function* () {
    // Loaded by those who use it. What it exports as default is the one thing that Node and bundlers agree on where a CommonJS module is imported at run time.
    const { default: ioredis } = yield* Effect.promise(() => import("ioredis"))
    const clock = yield* Effect.clock
    const now = () => clock.unsafeCurrentTimeMillis()
    const silence = Duration.toMillis(options.connectTimeout)
    /** When each unanswered command was sent; answers come in order, so the first is the oldest. */
    const unanswered = new Map<number, number>()
    /** Who waits for an answer, and until when. */
    const waiting = new Map<number, { readonly until: number; readonly giveUp: () => void }>()
    /** Told when somebody begins to wait. */
    const patience = yield* Queue.sliding<void>(1)
    let sent = 0
    let isClosed = false
    let error: string | undefined
    /** When the attempt under way began. */
    let connectingSince = now()

    const client = new ioredis.Redis({
      ...settings(options),
      retryStrategy: (times) => (isClosed ? null : backoff(times))
    })
    client.on("error", (cause: Error & { readonly code?: string }) => {
      error = cause.message === "" ? (cause.code ?? cause.name) : cause.message
    })
    client.on("connecting", () => void (connectingSince = now()))
    client.on("ready", () => {
      error = undefined
      if (!isClosed) options.onReady()
    })
    client.on("close", () => {
      error ??= "the connection ended"
      if (!isClosed) options.onLost()
    })
    const connect = () => void client.connect().catch(() => {})
    connect()

    // `disconnect(true)` would wait for the peer to hang up as well, which one that is stopped does not.
    const renew = () => void client.stream?.destroy()

    const fail = (command: string, cause: unknown) =>
      isReply(cause)
        ? new RedisError({ reason: "refused", command, cause })
        : new RedisError({ reason: isClosed ? "closed" : "lost", command, cause })

    const refusal = () => {
      if (isClosed) return "closed"
      if (client.status !== "ready") return "away"
      return unanswered.size >= mostPending ? "busy" : undefined
    }

    const call: Connection["call"] = (command, args) =>
      Effect.async((resume) => {
        const refused = refusal()
        if (refused !== undefined) {
          return resume(Effect.fail(new RedisError({ reason: refused, command })))
        }
        const id = sent++
        const at = now()
        const answered = () => {
          unanswered.delete(id)
          waiting.delete(id)
        }
        if (waiting.size === 0) patience.unsafeOffer(void 0)
        unanswered.set(id, at)
        waiting.set(id, {
          until: at + Duration.toMillis(options.commandTimeout),
          giveUp: () => resume(Effect.fail(new RedisError({ reason: "timeout", command })))
        })
        client.call(command, [...args]).then(
          (reply) => {
            answered()
            resume(Effect.succeed(reply))
          },
          (cause: unknown) => {
            answered()
            resume(Effect.fail(fail(command, cause)))
          }
        )
        return Effect.sync(() => void waiting.delete(id))
      })

    /** Gives up what waits for too long: one timer for all, since all wait equally long and the first that was sent is the first to be late. */
    const giveUp = Effect.gen(function* () {
      yield* Queue.take(patience)
      for (;;) {
        const [first] = waiting.values()
        if (first === undefined) return
        yield* Effect.sleep(Math.max(0, first.until - now()))
        yield* polled
        for (const [id, { giveUp, until }] of waiting) {
          if (until > now()) break
          waiting.delete(id)
          giveUp()
        }
      }
    })

    const watch = Effect.sync(() => {
      if (isClosed) return
      const [oldest] = unanswered.values()
      if (client.status === "end") {
        // ioredis gives up for good when a socket cannot even be made.
        connect()
      } else if (client.status === "connect" && now() - connectingSince > silence) {
        error = `no answer within ${silence} ms of connecting`
        renew()
      } else if (client.status === "ready" && oldest !== undefined && now() - oldest > silence) {
        error = `no answer for ${silence} ms`
        renew()
      }
    })
    const close = Effect.sync(() => {
      if (isClosed) return
      isClosed = true
      client.disconnect()
      client.stream?.destroy()
    })
    yield* Effect.addFinalizer(() => close)
    yield* Effect.forkScoped(Effect.forever(giveUp))
    yield* Effect.forkScoped(Effect.repeat(Effect.zipRight(polled, watch), Schedule.spaced(watchInterval)))

    return {
      client,
      isReady: () => client.status === "ready" && !isClosed,
      pending: () => unanswered.size,
      lastError: () => error,
      call,
      renew,
      close
    }
  })
