/** Clients that ask the API all the time, and what became of each request. */
import { assert } from "@effect/vitest"
import { Agent, request } from "node:http"

/** No request may take longer than this, whatever becomes of Redis: some times its patience. In milliseconds. */
const bound = 8000

const pause = (millis: number) => new Promise((resolve) => setTimeout(resolve, millis))

/** An answer, or that there was none. */
export interface Answer {
  readonly path: string
  /** The status; the code of the error when there was none. */
  readonly status: number | string
  readonly millis: number
  readonly text: string
}

/** Asks once. Never fails. */
export const ask = (url: string, path: string, agent?: Agent): Promise<Answer> =>
  new Promise((resolve) => {
    const started = performance.now()
    const end = (status: number | string, text = "") =>
      resolve({ path, status, text, millis: performance.now() - started })
    const failed = (error: NodeJS.ErrnoException) => end(error.code ?? error.message)
    request(`${url}${path}`, agent === undefined ? {} : { agent }, (response) => {
      let text = ""
      response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk))
      response.on("end", () => end(response.statusCode!, text))
      response.on("error", failed)
    })
      .on("error", failed)
      .end()
  })

/** What can be answered without Redis. */
export const paths = [
  "/api/corridors?window=24h",
  "/api/ledgers?limit=5",
  "/api/network",
  "/api/ledgers/latest",
  "/api/payments?limit=5",
  "/api/liquidity-pools?limit=5",
  "/api/cache/stats",
  "/api/corridors?window=1h&limit=3"
]

/** Clients that ask all the time on connections that they keep. */
export const load = (url: string, clients = 4) => {
  const answers: Array<Answer> = []
  let isOver = false
  const client = async (first: number) => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    for (let i = first; !isOver; i++) {
      const answer = await ask(url, paths[i % paths.length]!, agent)
      // After the stop there is nobody who could answer.
      if (answer.status === "ECONNREFUSED") break
      answers.push(answer)
      await pause(5)
    }
    agent.destroy()
  }
  const running = Promise.all(Array.from({ length: clients }, (_, i) => client(i * 2)))
  return {
    answers,
    end: async () => {
      isOver = true
      await running
    }
  }
}

/** Every answer is one, and came in time. */
export const assertAnswered = (answers: ReadonlyArray<Answer>, what: string, least: number) => {
  assert.isAtLeast(answers.length, least, what)
  const wrong = answers.filter(({ millis, status }) => status !== 200 || millis > bound)
  assert.deepStrictEqual(wrong.slice(0, 3), [], `${what}: ${wrong.length} of ${answers.length}`)
}

/** How long the slowest took, in milliseconds. */
export const slowest = (answers: ReadonlyArray<Answer>) =>
  Math.round(Math.max(...answers.map(({ millis }) => millis)))
