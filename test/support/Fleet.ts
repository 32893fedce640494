/** Fleets of WebSocket clients in processes of their own: what they are asked, and what they answer. */
import { type ChildProcess, fork } from "node:child_process"
import * as Child from "./Child.js"

/** How the clients of a process are. */
export interface Settings {
  /** Where they connect. */
  readonly url: string
  /** How many they are. */
  readonly clients: number
  /** The channels that they have, by turns. */
  readonly channelSets: ReadonlyArray<ReadonlyArray<string>>
  /** Each says something once in so long. */
  readonly messageMillis: number
  /** What a server that is killed may have forgotten of a session: what happened less than this before. */
  readonly saveMillis: number
  /** What the server spreads the time of coming back over. */
  readonly spreadMillis: number
}

/** What is asked of a process. */
export type Ask = { readonly id: number } & (
  | { readonly what: "connect"; readonly millis: number }
  | { readonly what: "move"; readonly url: string }
  | { readonly what: "mark" }
  | { readonly what: "counts" }
  | { readonly what: "compare"; readonly more: ReadonlyArray<ReadonlyArray<number>> }
)

/** What clients have come to; the first group since the last mark. */
export interface Counts {
  /** Were told that the server stops. */
  readonly told: number
  /** Got bye, and how many of them when they were live. */
  readonly byes: number
  readonly whole: number
  /** Lost an open connection without. */
  readonly abrupt: number
  /** Did not get a connection, and how often that was a 503. */
  readonly refused: number
  readonly busy: number
  /** Went on with their session, or found that it was not known any more. */
  readonly resumed: number
  readonly forgotten: number
  /** When connections opened, in milliseconds since 1970. */
  readonly opened: ReadonlyArray<number>
  /** After what time they were told to come back, in milliseconds. */
  readonly hints: ReadonlyArray<number>
  /** How long each answer took, in milliseconds. */
  readonly waits: ReadonlyArray<number>
  /** Have their channels now; are connected. */
  readonly live: number
  readonly connected: number
  /** The oldest answered message that a killed server did not know of afterwards: so long before it was killed, in milliseconds. */
  readonly unsavedMillis: number
  readonly events: number
  readonly messages: number
  /** What was not as it should be, and some of it in words. */
  readonly problems: number
  readonly examples: ReadonlyArray<string>
}

/** How many have seen exactly what they should, the beginning of it, or something else. */
export interface Compared {
  readonly right: number
  readonly short: number
  readonly wrong: number
}

/** Clients in one or more processes. */
export interface Fleet {
  readonly size: number
  /** Connects all of them, spread evenly. */
  readonly connect: (millis: number) => Promise<void>
  /** From now on they connect there. */
  readonly move: (url: string) => Promise<void>
  /** Counts begin anew. */
  readonly mark: () => Promise<void>
  readonly counts: () => Promise<Counts>
  /** Waits until it is so; throws with the counts when `millis` have passed before. */
  readonly until: (is: (counts: Counts) => boolean, what: string, millis?: number) => Promise<Counts>
  /** Compares what they saw with these, for each set of channels, which continue those of the calls before. */
  readonly compare: (more: ReadonlyArray<ReadonlyArray<number>>) => Promise<Compared>
}

const processes = new Set<ChildProcess>()

/** Ends what tests have left over. */
export const clear = (): void => {
  for (const child of processes) child.kill("SIGKILL")
  processes.clear()
}

/** Asks one process, and waits for its answer. */
const asker = (child: ChildProcess) => {
  const waiting = new Map<number, { resolve: (answer: never) => void; reject: (error: Error) => void }>()
  let id = 0
  let end: Error | undefined
  child.on("message", (message: { id: number; answer: never }) => {
    waiting.get(message.id)?.resolve(message.answer)
    waiting.delete(message.id)
  })
  child.on("exit", (code, signal) => {
    processes.delete(child)
    end = new Error(`a fleet has ended: ${code} ${signal}`)
    for (const { reject } of waiting.values()) reject(end)
  })
  return <A>(ask: Omit<Ask, "id">): Promise<A> =>
    new Promise<A>((resolve, reject) => {
      if (end !== undefined) return reject(end)
      waiting.set(++id, { resolve, reject })
      child.send({ ...ask, id })
    })
}

const sum = <A extends object>(parts: ReadonlyArray<A>, how: Partial<Record<keyof A, "max">> = {}): A => {
  const keys = Object.keys(parts[0]!) as Array<keyof A>
  return Object.fromEntries(
    keys.map((key) => {
      const values = parts.map((part) => part[key])
      if (Array.isArray(values[0])) return [key, values.flat()]
      return [
        key,
        how[key] === "max"
          ? Math.max(...(values as Array<number>))
          : (values as Array<number>).reduce((a, b) => a + b, 0)
      ]
    })
  ) as A
}

/** Starts a fleet of `clients`, in so many processes. */
export const start = async (settings: Settings, inProcesses = 1): Promise<Fleet> => {
  const [program] = await Child.program("fleet.ts")
  const clients = Math.ceil(settings.clients / inProcesses)
  const ask = Array.from({ length: inProcesses }, () => {
    const child = fork(program!, {
      env: { PATH: process.env.PATH, FLEET: JSON.stringify({ ...settings, clients }) },
      execArgv: []
    })
    processes.add(child)
    return asker(child)
  })
  const all = <A>(question: Omit<Ask, "id"> & Record<string, unknown>) =>
    Promise.all(ask.map((one) => one<A>(question)))
  const counts = async () => sum(await all<Counts>({ what: "counts" }), { unsavedMillis: "max" })
  return {
    size: clients * inProcesses,
    connect: async (millis) => void (await all({ what: "connect", millis })),
    move: async (url) => void (await all({ what: "move", url })),
    mark: async () => void (await all({ what: "mark" })),
    counts,
    until: async (is, what, millis = 60_000) => {
      const until = performance.now() + millis
      for (;;) {
        const now = await counts()
        if (is(now)) return now
        if (performance.now() > until) {
          throw new Error(`not ${what}: ${JSON.stringify({ ...now, opened: 0, hints: 0, waits: 0 })}`)
        }
        await new Promise((resolve) => setTimeout(resolve, 25))
      }
    },
    compare: async (more) => sum(await all<Compared>({ what: "compare", more }))
  }
}

/** The most of these moments that lie within one stretch of `millis`. */
export const peak = (moments: ReadonlyArray<number>, millis: number): number => {
  const sorted = moments.toSorted((a, b) => a - b)
  let [most, first] = [0, 0]
  sorted.forEach((moment, i) => {
    while (moment - sorted[first]! >= millis) first++
    most = Math.max(most, i - first + 1)
  })
  return most
}
