/** One look at a service. Never rejects: whatever happens is what was seen. */
import * as Http from "node:http"
import * as Net from "node:net"

/** What one attempt saw. */
export interface Seen {
  /**
   * - `ready`: a whole 2xx.
   * - `not ready`: any other whole answer.
   * - `gone`: nothing listens, the connection was refused.
   * - `listening`: a connection was accepted; only {@link listens} says so.
   * - `silent`: neither in time.
   * - `broken`: no connection for another reason, or an answer that is none.
   */
  readonly state: "ready" | "not ready" | "gone" | "listening" | "silent" | "broken"
  /** For people, in half a sentence. */
  readonly detail: string
  /** Status of a whole answer. */
  readonly status?: number
  /** What the answer says of the service's phase. */
  readonly phase?: string
  /** What the service does without, as the answer says, and why; not there where that is nothing. */
  readonly degraded?: string
  /** From the attempt's begin to its end, in milliseconds. */
  readonly millis: number
}

/** More of an answer than this is not read, in bytes. */
const most = 64 * 1024

const ofError = (error: NodeJS.ErrnoException): Omit<Seen, "millis"> =>
  error.code === "ECONNREFUSED"
    ? { state: "gone", detail: "nothing listens, the connection was refused" }
    : error.code?.startsWith("HPE_") === true
      ? { state: "broken", detail: `the answer is not HTTP: ${error.message}` }
      : error.code === "ENOTFOUND" || error.code === "EAI_AGAIN"
        ? { state: "broken", detail: "the host name is not known" }
        : { state: "broken", detail: error.message === "" ? String(error.code) : error.message }

const ofDegradation = (entry: unknown): ReadonlyArray<string> => {
  if (typeof entry !== "object" || entry === null) return []
  const { name, reason } = entry as Record<string, unknown>
  return typeof name === "string" && typeof reason === "string" ? [`${name}: ${reason}`] : []
}

/** What a problem (RFC 9457) or a status of ours says. */
const ofBody = (
  body: string
): { readonly phase?: string; readonly reason?: string; readonly degraded?: string } => {
  try {
    const json: unknown = JSON.parse(body)
    if (typeof json !== "object" || json === null) return {}
    const { degraded, detail, phase } = json as Record<string, unknown>
    const without = Array.isArray(degraded) ? degraded.flatMap(ofDegradation).join("; ") : ""
    return {
      ...(typeof phase === "string" ? { phase } : {}),
      ...(typeof detail === "string" ? { reason: detail } : {}),
      ...(without === "" ? {} : { degraded: without })
    }
  } catch {
    return {}
  }
}

/** Runs one attempt against the clock; whichever word comes first counts. */
const within = (
  timeout: number,
  attempt: (say: (seen: Omit<Seen, "millis">) => void) => { destroy: () => unknown }
): Promise<Seen> =>
  new Promise((resolve) => {
    const from = performance.now()
    let over = false
    const say = (seen: Omit<Seen, "millis">) => {
      if (over) return
      over = true
      clearTimeout(timer)
      // A word may come before the attempt is in hand.
      setImmediate(() => running.destroy())
      resolve({ ...seen, millis: Math.round(performance.now() - from) })
    }
    const timer = setTimeout(
      () => say({ state: "silent", detail: `no answer within ${timeout / 1000} s` }),
      timeout
    )
    const running = attempt(say)
  })

/** Asks for `url`, and takes the answer for whole only when it has been read to its end (64 KiB at most). */
export const ask = async (url: URL, timeout: number): Promise<Seen> => {
  const { request } = url.protocol === "https:" ? await import("node:https") : Http
  return within(timeout, (say) => {
    const asking = request(
      url,
      { agent: false, headers: { accept: "application/json", connection: "close" } },
      (response) => {
        const status = response.statusCode ?? 0
        let body = ""
        const whole = () => {
          const { degraded, phase, reason } = ofBody(body)
          const state = status >= 200 && status < 300 ? "ready" : "not ready"
          const why = state === "ready" || reason === undefined || reason === "" ? "" : `: ${reason}`
          say({
            state,
            detail: `answered ${status}${why}`,
            status,
            ...(phase === undefined ? {} : { phase }),
            ...(degraded === undefined ? {} : { degraded })
          })
        }
        response.setEncoding("utf8")
        response.on("data", (text: string) => {
          body += text
          if (body.length > most) whole()
        })
        // An answer that is cut off has no end, only a close.
        response.on("end", whole)
        response.on("close", () => say({ state: "broken", detail: `the answer (${status}) is cut off` }))
      }
    )
    asking.on("error", (error) => say(ofError(error)))
    return asking.end()
  })
}

/** Whether anything listens where `url` points. */
export const listens = (url: URL, timeout: number): Promise<Seen> =>
  within(timeout, (say) => {
    const port = url.port === "" ? (url.protocol === "https:" ? 443 : 80) : Number(url.port)
    const socket = Net.connect({ host: url.hostname.replace(/^\[|\]$/g, ""), port })
    socket.on("connect", () => say({ state: "listening", detail: "a connection is accepted" }))
    socket.on("error", (error) => say(ofError(error)))
    return socket
  })
