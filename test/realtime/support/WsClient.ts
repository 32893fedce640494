/** A client on `ws`, whose messages tests can wait for. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as Scope from "effect/Scope"
import { WebSocket, type ClientOptions } from "ws"
import * as Protocol from "../../../src/realtime/Protocol.js"

type Op = Protocol.ServerMessage["op"]
type Of<O extends Op> = Extract<Protocol.ServerMessage, { op: O }>

export class WsClient {
  readonly ws: WebSocket
  readonly messages: Array<Protocol.ServerMessage> = []
  closed: { readonly code: number; readonly reason: string } | undefined = undefined
  pings = 0
  private readonly waiting = new Set<() => void>()

  constructor(ws: WebSocket) {
    this.ws = ws
    ws.on("message", (data) => {
      this.messages.push(Either.getOrThrow(Protocol.decodeServer(String(data))))
      this.wake()
    })
    ws.on("ping", () => {
      this.pings++
      this.wake()
    })
    ws.on("close", (code, reason) => {
      this.closed = { code, reason: reason.toString() }
      this.wake()
    })
    ws.on("error", () => {})
  }

  private wake(): void {
    for (const check of this.waiting) check()
  }

  /** Ends when `done` gives something; real time, whatever clock the test has. */
  until<A>(what: string, done: () => A | undefined | false): Effect.Effect<A> {
    return Effect.async<A>((resume) => {
      const timer = setTimeout(() => {
        this.waiting.delete(check)
        const seen = JSON.stringify(this.messages.slice(-5))
        resume(
          Effect.die(
            new Error(
              `no ${what}; closed ${JSON.stringify(this.closed)}, last of ${this.messages.length} messages ${seen}`
            )
          )
        )
      }, 8000)
      const check = () => {
        const value = done()
        if (value === undefined || value === false) return
        clearTimeout(timer)
        this.waiting.delete(check)
        resume(Effect.succeed(value))
      }
      this.waiting.add(check)
      check()
    })
  }

  all<O extends Op>(op: O): Array<Of<O>> {
    return this.messages.filter((message): message is Of<O> => message.op === op)
  }

  /** The `n`th message of a kind, from 1; the next one from now on without. */
  next<O extends Op>(op: O, n = this.all(op).length + 1): Effect.Effect<Of<O>> {
    return this.until(`${n}. ${op}`, () => this.all(op)[n - 1])
  }

  send(message: unknown): Effect.Effect<void> {
    return Effect.sync(() => this.ws.send(typeof message === "string" ? message : JSON.stringify(message)))
  }

  /** Sends, and waits for the next message of a kind. */
  ask<O extends Op>(message: Protocol.ClientMessage | string, op: O): Effect.Effect<Of<O>> {
    return Effect.suspend(() => {
      const n = this.all(op).length + 1
      return Effect.zipRight(this.send(message), this.next(op, n))
    })
  }

  subscribe(...channels: Array<string>) {
    return this.ask({ op: "subscribe", channels }, "subscription_confirm")
  }

  resume(token: string, lastEventId: number, channels?: ReadonlyArray<string>) {
    return this.ask(
      { op: "resume", token, lastEventId, ...(channels === undefined ? {} : { channels }) },
      "connected"
    )
  }

  /** Ids of the events so far. */
  ids(): Array<number> {
    return this.all("event").map(({ id }) => id)
  }

  readonly end = Effect.suspend(() => this.until("close", () => this.closed))
}

/** Connects, and waits for the first word. The client is gone with the scope. Dies when it is refused. */
export const connect = (
  port: number,
  options: ClientOptions & { readonly query?: string } = {}
): Effect.Effect<WsClient & { readonly first: Of<"connected"> }, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.async<WsClient>((resume) => {
      const ws = new WebSocket(`ws://127.0.0.1:${port}/ws${options.query ?? ""}`, options)
      const client = new WsClient(ws)
      const refused = (error: Error) => resume(Effect.die(error))
      ws.once("error", refused)
      ws.once("open", () => {
        ws.off("error", refused)
        resume(Effect.succeed(client))
      })
    }),
    (client) => Effect.sync(() => client.ws.terminate())
  ).pipe(
    Effect.flatMap((client) =>
      Effect.map(client.next("connected", 1), (first) => Object.assign(client, { first }))
    )
  )

/** What a refused upgrade is answered with. */
export const refusal = (
  port: number,
  options: ClientOptions & { readonly query?: string } = {}
): Effect.Effect<{
  readonly status: number
  readonly headers: Record<string, unknown>
  readonly body: string
}> =>
  Effect.async((resume) => {
    const ws = new WebSocket(`ws://127.0.0.1:${port}/ws${options.query ?? ""}`, options)
    ws.on("error", () => {})
    ws.on("open", () => {
      ws.terminate()
      resume(Effect.die(new Error("it was let in")))
    })
    ws.on("unexpected-response", (_, response) => {
      let body = ""
      response.on("data", (chunk) => (body += String(chunk)))
      response.on("end", () =>
        resume(Effect.succeed({ status: response.statusCode ?? 0, headers: response.headers, body }))
      )
    })
  })
