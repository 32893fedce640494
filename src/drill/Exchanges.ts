/**
 * Requests for the paths that a service is said to have.
 *
 * @module
 */
import type { ExchangeOptions } from "./Scenario.js"
import type { Checks, Target, Targets } from "./Targets.js"
import { withMillis } from "./Targets.js"
import type { Exchange } from "./wire/Exchange.js"
import { get, post } from "./wire/Exchange.js"

/** Bytes that are not all alike, so that a body that was mixed up is seen by whoever checks it. */
const body = (bytes: number, random: () => number): Buffer => {
  const from = Math.floor(random() * 256)
  return Buffer.from(Uint8Array.from({ length: bytes }, (_, i) => from + i * 7 + (i >> 8)))
}

/** In how many pieces a body is sent that takes its time. */
const pieces = 20

/** Makes the exchanges of a stop. Throws when the path is not given: a scenario names what it needs. */
export const make =
  (targets: Targets, checks: Checks, random: () => number) =>
  (target: Target, options: ExchangeOptions = {}): Exchange => {
    const template = targets[target]
    if (template === undefined) throw new Error(`the path "${target}" is not given`)
    const path = withMillis(template, options.millis ?? 500)
    const isPost = target === "echo" || target === "upload"
    const sent = isPost
      ? body(options.bytes ?? (target === "upload" ? 64 * 1024 : 1024), random)
      : Buffer.alloc(0)
    const check = checks[target]
    const more: Partial<Exchange> = {
      ...(check === undefined ? {} : { check: (answer: Buffer) => check(answer, sent, path) }),
      ...(options.accept === undefined ? {} : { accept: options.accept }),
      ...(options.onBody === undefined ? {} : { onBody: options.onBody }),
      ...(options.headers === undefined ? {} : { headers: options.headers })
    }
    if (!isPost) return get(path, more)
    return options.sendMillis === undefined
      ? post(path, sent, more)
      : post(path, sent, { ...more, pieces: { count: pieces, every: options.sendMillis / pieces } })
  }
