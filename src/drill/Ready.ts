/**
 * Waits until a service answers.
 *
 * @module
 */
import type { Place } from "./Port.js"
import { Connection } from "./wire/Connection.js"
import { get } from "./wire/Exchange.js"
import { pause } from "./Pause.js"

/** Time between two tries (ms); also how exact the time to ready is. */
const every = 10

/** An answer that takes longer than this is asked for again (ms). */
const patience = 2000

/** Whether the service answers now: 2xx on the path, or takes a connection where there is none. Never rejects. */
export const isReady = async (
  place: Pick<Place, "host" | "port">,
  path: string | undefined
): Promise<boolean> => {
  const connection = new Connection(place.port, { host: place.host })
  const timer = setTimeout(() => connection.giveUp(), patience)
  try {
    if (!(await connection.opened)) return false
    return path === undefined || (await connection.request(get(path))).outcome === "complete"
  } finally {
    clearTimeout(timer)
    connection.giveUp()
  }
}

/** Milliseconds from `since` until it is ready. Rejects, in words that follow the name of the program, when it exits before or after `limit` milliseconds. */
export const poll = async (
  place: Pick<Place, "host" | "port">,
  path: string | undefined,
  options: {
    readonly limit: number
    readonly since: number
    readonly exited: Promise<{ readonly code: number | null }>
  }
): Promise<number> => {
  let code: number | null | undefined
  void options.exited.then((exit) => (code = exit.code))
  for (;;) {
    const ready = await isReady(place, path)
    const millis = performance.now() - options.since
    if (code !== undefined)
      throw new Error(`ended before it was ready${code === null ? "" : `, code ${code}`}`)
    if (ready) return millis
    if (millis > options.limit) throw new Error(`was not ready within ${options.limit} ms`)
    await Promise.race([pause(every), options.exited])
  }
}
