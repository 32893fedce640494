/** A client that speaks HTTP by hand, so that tests decide what is on the wire and when. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Net from "node:net"

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** How a connection ended: by the other side's FIN, or by an error such as ECONNRESET. */
export type End = "fin" | string

/** Takes one whole answer off the front of `text`; undefined while it is not whole. */
const parse = (
  text: string,
  isHead: boolean
): { readonly answer: Answer; readonly rest: string } | undefined => {
  const split = text.indexOf("\r\n\r\n")
  if (split < 0) return undefined
  const [line = "", ...lines] = text.slice(0, split).split("\r\n")
  const status = Number(line.split(" ")[1])
  const headers = Object.fromEntries(
    lines.map((entry) => {
      const colon = entry.indexOf(":")
      return [entry.slice(0, colon).toLowerCase(), entry.slice(colon + 1).trim()]
    })
  )
  let rest = text.slice(split + 4)
  let body = ""
  if (headers["transfer-encoding"] === "chunked" && !isHead) {
    for (;;) {
      const end = rest.indexOf("\r\n")
      if (end < 0) return undefined
      const size = Number.parseInt(rest.slice(0, end), 16)
      if (rest.length < end + 4 + size) return undefined
      body += rest.slice(end + 2, end + 2 + size)
      rest = rest.slice(end + 4 + size)
      if (size === 0) break
    }
  } else if (status >= 200 && status !== 204 && !isHead) {
    const length = Number(headers["content-length"] ?? 0)
    if (rest.length < length) return undefined
    body = rest.slice(0, length)
    rest = rest.slice(length)
  }
  return { answer: { status, headers, body }, rest }
}

export class RawClient {
  readonly socket: Net.Socket
  readonly answers: Array<Answer> = []
  text = ""
  end: End | undefined = undefined
  private readonly waiting = new Set<() => void>()

  constructor(socket: Net.Socket) {
    this.socket = socket
    socket.setEncoding("latin1")
    socket.on("data", (chunk: string) => {
      this.text += chunk
      for (;;) {
        const parsed = parse(this.text, false)
        if (parsed === undefined) break
        this.answers.push(parsed.answer)
        this.text = parsed.rest
      }
      this.wake()
    })
    socket.on("end", () => {
      this.end ??= "fin"
      this.wake()
    })
    socket.on("error", (error: NodeJS.ErrnoException) => {
      this.end ??= error.code ?? "error"
      this.wake()
    })
  }

  private wake(): void {
    for (const check of this.waiting) check()
  }

  until(done: () => boolean): Effect.Effect<void> {
    return Effect.async<void>((resume) => {
      const check = () => {
        if (done()) {
          this.waiting.delete(check)
          resume(Effect.void)
        }
      }
      this.waiting.add(check)
      check()
      return Effect.sync(() => this.waiting.delete(check))
    }).pipe(
      Effect.timeoutFail({
        duration: "8 seconds",
        onTimeout: () =>
          new Error(`waited in vain; ${this.answers.length} answers, end ${this.end}, "${this.text}"`)
      }),
      Effect.orDie
    )
  }

  send(text: string): Effect.Effect<void> {
    return Effect.sync(() => this.socket.write(text, "latin1"))
  }

  /** The `n`th answer, from 1. */
  answer(n = 1): Effect.Effect<Answer> {
    return Effect.map(
      this.until(() => this.answers.length >= n || this.end !== undefined),
      () => {
        const answer = this.answers[n - 1]
        if (answer === undefined) throw new Error(`no answer ${n}: ended by ${this.end} after "${this.text}"`)
        return answer
      }
    )
  }

  get(path: string, headers = ""): Effect.Effect<Answer> {
    const n = this.answers.length + 1
    return Effect.zipRight(this.send(request("GET", path, headers)), this.answer(n))
  }

  readonly ended: Effect.Effect<End> = Effect.suspend(() =>
    Effect.map(
      this.until(() => this.end !== undefined),
      () => this.end!
    )
  )
}

export const request = (method: string, path: string, headers = "", body = ""): string =>
  `${method} ${path} HTTP/1.1\r\nhost: test\r\n${headers}${body === "" ? "" : `content-length: ${body.length}\r\n`}\r\n${body}`

/** A connection, closed with the scope. Dies when it is refused. */
export const connect = (
  port: number,
  options?: Partial<Net.NetConnectOpts>
): Effect.Effect<RawClient, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.async<RawClient>((resume) => {
      const socket = Net.connect({ port, host: "127.0.0.1", ...options } as Net.NetConnectOpts)
      const refused = (error: Error) => resume(Effect.die(error))
      socket.once("error", refused)
      socket.once("connect", () => {
        socket.off("error", refused)
        resume(Effect.succeed(new RawClient(socket)))
      })
    }),
    (client) => Effect.sync(() => client.socket.destroy())
  )

/** Whether a new connection to the port is accepted. */
export const isOpen = (port: number): Effect.Effect<boolean> =>
  Effect.async<boolean>((resume) => {
    const socket = Net.connect({ port, host: "127.0.0.1" })
    socket.once("connect", () => {
      socket.destroy()
      resume(Effect.succeed(true))
    })
    socket.once("error", () => resume(Effect.succeed(false)))
  })
