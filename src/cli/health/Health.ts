/**
 * `stellar-insights health`: asks a service whether it is ready, or waits until it is ready or gone.
 *
 * It is done before the command line library would be loaded, so it knows nothing of Effect.
 */
import * as Arguments from "./Arguments.js"
import * as Probe from "./Probe.js"
import * as Where from "./Where.js"

/** Between two attempts while waiting, in milliseconds. */
const pauseMillis = 100

/** What it came to. */
export interface Outcome {
  /** 0 ready, or gone when that was waited for; 1 otherwise. */
  readonly code: 0 | 1
  /** What the last attempt saw. */
  readonly seen: Probe.Seen
  readonly attempts: number
  /** All attempts and the pauses between them, in milliseconds. */
  readonly millis: number
}

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

/** Asks once, or again and again until what is waited for is there; `tell` hears of every attempt. Never rejects. */
export const look = async (
  url: URL,
  { timeout, wait }: Pick<Arguments.Arguments, "timeout" | "wait">,
  tell: (seen: Probe.Seen) => void = () => {}
): Promise<Outcome> => {
  const from = performance.now()
  const goal = wait?.until === "shutdown" ? "gone" : "ready"
  const probe = wait?.until === "shutdown" ? Probe.listens : Probe.ask
  const until = from + (wait?.within ?? 0)
  for (let attempts = 1; ; attempts++) {
    const left = wait === undefined ? timeout : Math.max(1, Math.round(until - performance.now()))
    const seen = await probe(url, Math.min(timeout, left))
    tell(seen)
    const isGoal = seen.state === goal
    const now = performance.now()
    if (isGoal || wait === undefined || now >= until)
      return { code: isGoal ? 0 : 1, seen, attempts, millis: Math.round(now - from) }
    await sleep(Math.min(pauseMillis, until - now))
  }
}

const sentence = (url: URL, { code, millis, seen }: Outcome, wait: Arguments.Arguments["wait"]): string => {
  const after = wait === undefined ? `${seen.millis} ms` : `${(millis / 1000).toFixed(1)} s`
  const word =
    wait?.until === "shutdown" ? (code === 0 ? "stopped" : "not stopped") : code === 0 ? "ready" : "not ready"
  return `${word}: ${url.href} ${seen.detail} (${after})`
}

/** Writes to a pipe may still be under way when the program ends, so the exit code is set and nothing is cut. */
const write = (stream: NodeJS.WriteStream, line: string) => void stream.write(`${line}\n`)

/** Runs the command with what follows `health` and sets the exit code: 0, 1 or 2. Never rejects. */
export const main = async (args: ReadonlyArray<string>): Promise<void> => {
  try {
    const read = Arguments.read(args)
    if (read.help) return void process.stdout.write(Arguments.help)
    const url = read.url ?? (await Where.url())
    const outcome = await look(url, read, ({ degraded, detail, millis, phase, state }) => {
      if (!read.verbose) return
      const inPhase = phase === undefined ? "" : `, phase ${phase}`
      const without = degraded === undefined ? "" : `, degraded: ${degraded}`
      write(
        process.stderr,
        `${new Date().toISOString()} ${state}: ${detail}${inPhase}${without} (${millis} ms)`
      )
    })
    if (read.json) {
      const { attempts, code, millis, seen } = outcome
      write(process.stdout, JSON.stringify({ ok: code === 0, url: url.href, ...seen, attempts, millis }))
    } else write(outcome.code === 0 ? process.stdout : process.stderr, sentence(url, outcome, read.wait))
    process.exitCode = outcome.code
  } catch (error) {
    if (!(error instanceof Arguments.Refused)) throw error
    write(process.stderr, `stellar-insights health: ${error.message}`)
    process.exitCode = 2
  }
}
