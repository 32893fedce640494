/** The requests that loads send, each with the answer that it must get. */
import { createHash, randomBytes } from "node:crypto"
import type { Exchange } from "./Connection.js"

const json = (body: Buffer): Record<string, unknown> => {
  try {
    const value: unknown = JSON.parse(body.toString())
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}

const get = (route: string, query: string, check: (body: Buffer) => boolean): Exchange => ({
  kind: `GET ${route}`,
  method: "GET",
  path: route + query,
  check
})

/** Answered at once. */
export const fast: Exchange = get("/fast", "", (body) => json(body)["ok"] === true)

/** Answered after `ms`. */
export const slow = (ms: number): Exchange => get("/slow", `?ms=${ms}`, (body) => json(body)["waited"] === ms)

/** Answered at once; then the server's event loop is blocked for `ms`. */
export const busy = (ms: number): Exchange => get("/busy", `?ms=${ms}`, (body) => json(body)["ok"] === true)

/** Twenty pieces of 1 KiB over `ms`; a piece that is missing or changed makes the answer wrong. */
export const stream = (ms: number): Exchange =>
  get(
    "/stream",
    `?ms=${ms}`,
    (body) =>
      body.length === 20 * 1024 &&
      Array.from({ length: 20 }, (_, i) => body.subarray(i * 1024, (i + 1) * 1024)).every((piece, i) =>
        piece.equals(Buffer.alloc(1024, 97 + i))
      )
  )

/** A hundred bodies of 100 bytes to 8 KiB: the server must say how long each was and what it hashes to. */
const echoes: ReadonlyArray<Exchange> = Array.from({ length: 100 }, (_, i) => {
  const body = randomBytes(100 + Math.floor((i * 8092) / 99))
  const sha256 = createHash("sha256").update(body).digest("hex")
  return {
    kind: "POST /echo",
    method: "POST",
    path: "/echo",
    body,
    check: (answer) => json(answer)["length"] === body.length && json(answer)["sha256"] === sha256
  }
})

/** A POST that is sent at once; `pick` (0 to 1) chooses its body. */
export const echo = (pick: number): Exchange => echoes[Math.floor(pick * echoes.length)]!

const uploadBody = Buffer.alloc(64 * 1024, 120)

/** A POST of 64 KiB that takes `ms` to send. */
export const upload = (ms: number): Exchange => ({
  kind: "POST /upload",
  method: "POST",
  path: "/upload",
  body: uploadBody,
  pieces: { count: 20, every: ms / 20 },
  check: (answer) => json(answer)["bytes"] === uploadBody.length
})
