/** The requests that the servers under test answer, each with the answer that it must get. */
import { createHash } from "node:crypto"
import type { Checks } from "../../src/drill/Targets.js"
import type { Exchange } from "../../src/drill/wire/Exchange.js"
import { get, post } from "../../src/drill/wire/Exchange.js"

const json = (body: Buffer): Record<string, unknown> => {
  try {
    const value: unknown = JSON.parse(body.toString())
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}

/** Answered at once. */
export const fast: Exchange = get("/fast", { check: (body) => json(body)["ok"] === true })

/** Answered after `ms`. */
export const slow = (ms: number): Exchange =>
  get(`/slow?ms=${ms}`, { check: (body) => json(body)["waited"] === ms })

/** Bodies of 100 bytes to 8 KiB: the server must say how long each was and what it hashes to. */
const echoes: ReadonlyArray<Exchange> = Array.from({ length: 100 }, (_, i) => {
  const body = Buffer.alloc(100 + Math.floor((i * 8092) / 99), `${i} of a hundred, `)
  const sha256 = createHash("sha256").update(body).digest("hex")
  return post("/echo", body, {
    check: (answer) => json(answer)["length"] === body.length && json(answer)["sha256"] === sha256
  })
})

/** A POST that is sent at once; `pick` (0 to 1) chooses its body. */
export const echo = (pick: number): Exchange => echoes[Math.floor(pick * echoes.length)]!

const millisOf = (path: string): number => Number(new URL(path, "http://peer").searchParams.get("ms"))

const pieces = Buffer.concat(Array.from({ length: 20 }, (_, i) => Buffer.alloc(1024, 97 + i)))

/** The judges of bodies that the drill is given. */
export const checks: Checks = {
  fast: (body) => json(body)["ok"] === true,
  slow: (body, _, path) => json(body)["waited"] === millisOf(path),
  echo: (body, sent) =>
    json(body)["length"] === sent.length &&
    json(body)["sha256"] === createHash("sha256").update(sent).digest("hex"),
  upload: (body, sent) => json(body)["bytes"] === sent.length,
  // Twenty pieces: one that is missing or changed makes the answer wrong.
  stream: (body) => body.equals(pieces)
}
