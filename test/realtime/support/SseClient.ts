/** A client of server-sent events on a connection of its own, whose events tests can wait for. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Http from "node:http"

export interface Sent {
  readonly event: string
  readonly id: string | undefined
  // What is in it is what the tests are about.
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly data: any
}

export class SseClient {
  readonly response: Http.IncomingMessage
  readonly events: Array<Sent> = []
  /** What a browser would say when it comes back. */
  lastEventId = ""
  /** How long a browser would wait before, in milliseconds. */
  retry = 0
  comments = 0
  closed: "end" | "cut" | undefined = undefined
  private text = ""
  private readonly waiting = new Set<() => void>()

  constructor(response: Http.IncomingMessage) {
    this.response = response
    response.setEncoding("utf8")
    response.on("data", (chunk: string) => {
      this.text += chunk
      const blocks = this.text.split("\n\n")
      this.text = blocks.pop()!
      for (const block of blocks) this.read(block)
      this.wake()
    })
    response.on("end", () => this.close("end"))
    response.on("error", () => this.close("cut"))
    response.on("close", () => this.close("cut"))
  }

  private close(how: "end" | "cut"): void {
    this.closed ??= how
    this.wake()
  }

  private read(block: string): void {
    const fields: Record<string, string> = {}
    for (const line of block.split("\n")) {
      if (line.startsWith(":")) this.comments++
      else fields[line.slice(0, line.indexOf(":"))] = line.slice(line.indexOf(":") + 1).trimStart()
    }
    if (fields.retry !== undefined) this.retry = Number(fields.retry)
    if (fields.id !== undefined) this.lastEventId = fields.id
    if (fields.data !== undefined) {
      this.events.push({ event: fields.event ?? "message", id: fields.id, data: JSON.parse(fields.data) })
    }
  }

  private wake(): void {
    for (const check of this.waiting) check()
  }

  /** Ends when `done`; real time, whatever clock the test has. */
  until(what: string, done: () => boolean): Effect.Effect<void> {
    return Effect.async<void>((resume) => {
      const timer = setTimeout(() => {
        this.waiting.delete(check)
        const seen = JSON.stringify(this.events.slice(-5)).slice(0, 1000)
        resume(
          Effect.die(new Error(`no ${what}; ${this.closed}, last of ${this.events.length} events ${seen}`))
        )
      }, 8000)
      const check = () => {
        if (!done()) return
        clearTimeout(timer)
        this.waiting.delete(check)
        resume(Effect.void)
      }
      this.waiting.add(check)
      check()
    })
  }

  all(event: string): Array<Sent> {
    return this.events.filter((sent) => sent.event === event)
  }

  /** The `n`th event of a kind, from 1. */
  next(event: string, n = 1): Effect.Effect<Sent> {
    return Effect.map(
      this.until(`${n}. ${event}`, () => this.all(event).length >= n),
      () => this.all(event)[n - 1]!
    )
  }

  /** Ids of the events of a kind so far. */
  ids(event = "said"): Array<number> {
    return this.all(event).map(({ data }) => data.id)
  }

  readonly end = Effect.suspend(() =>
    Effect.map(
      this.until("end", () => this.closed !== undefined),
      () => this.closed!
    )
  )
}

export interface Options {
  readonly headers?: Http.OutgoingHttpHeaders
  readonly method?: string
}

/** Asks. The connection is gone with the scope. */
export const ask = (
  port: number,
  path: string,
  options: Options = {}
): Effect.Effect<Http.IncomingMessage, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.async<{ readonly request: Http.ClientRequest; readonly response: Http.IncomingMessage }>(
      (resume) => {
        // As browsers do: that the connection ends is for the server to say.
        const headers = { connection: "keep-alive", ...options.headers }
        const { method = "GET" } = options
        const request = Http.request({ port, host: "127.0.0.1", path, agent: false, method, headers })
        request.on("error", (error) => resume(Effect.die(error)))
        request.on("response", (response) => resume(Effect.succeed({ request, response })))
        request.end()
      }
    ),
    ({ request }) => Effect.sync(() => request.destroy())
  ).pipe(Effect.map(({ response }) => response))

/** Listens; dies when it is refused. */
export const listen = (port: number, path: string, options: Options = {}) =>
  Effect.flatMap(ask(port, path, options), (response) =>
    response.statusCode === 200
      ? Effect.succeed(new SseClient(response))
      : Effect.dieMessage(`refused with ${response.statusCode}`)
  )

/** What a refused request is answered with. */
export const refusal = (port: number, path: string, options: Options = {}) =>
  Effect.flatMap(ask(port, path, options), (response) =>
    Effect.promise(async () => {
      let body = ""
      for await (const chunk of response) body += String(chunk)
      return { status: response.statusCode, headers: response.headers, body }
    })
  )
