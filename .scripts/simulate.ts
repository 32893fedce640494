/**
 * `npm run simulate -- --runs 1000000 --seed 7`: simulated stops, on all cores, until one breaks a law or all have held.
 * `npm run simulate -- --mutants`: whether the simulation and the tests notice the faults in `simulate/mutants.ts`.
 */
import { fork } from "node:child_process"
import { availableParallelism } from "node:os"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"
import * as Campaign from "../test/simulation/Campaign.js"
import { cases } from "../test/simulation/regressions/cases.js"
import { runMutants } from "./simulate/run-mutants.js"

/** Cases that a process runs before it says how far it is. */
const batch = 250

const { values } = parseArgs({
  options: {
    runs: { type: "string", default: "10000" },
    seed: { type: "string", default: "1" },
    /** Processes; as many as there are cores when absent. */
    jobs: { type: "string", default: String(availableParallelism()) },
    /** Only mutants whose reason contains this. */
    only: { type: "string", default: "" },
    mutants: { type: "boolean", default: false },
    regressions: { type: "boolean", default: false }
  }
})

/** What one process tells the other. */
export interface Message {
  readonly result: Omit<Campaign.Result, "failure">
  readonly failure: string | undefined
}

/** Runs its share: every `jobs`-th batch. */
const work = (seed: number, runs: number, tell: (message: Message) => void): void => {
  for (let done = 0; done < runs; done += batch) {
    const { failure, ...result } = Campaign.run(seed + done, Math.min(batch, runs - done))
    tell({ result, failure: failure === undefined ? undefined : Campaign.describe(failure) })
    if (failure !== undefined) return
  }
}

const share = (job: number, seed: number, runs: number, jobs: number, tell: (message: Message) => void) => {
  const size = Math.ceil(runs / jobs)
  const own = Math.min(size, runs - job * size)
  return new Promise<void>((resolve) => {
    if (own <= 0) return resolve()
    // A run makes much that lives for an instant: room for it saves a sixth of the time.
    const execArgv = [...process.execArgv, "--max-semi-space-size=96"]
    const args = ["--runs", String(own), "--seed", String(seed + job * size), "--jobs", "1"]
    const child = fork(fileURLToPath(import.meta.url), args, { execArgv })
    child.on("message", (message) => "result" in (message as object) && tell(message as Message))
    child.on("exit", () => resolve())
  })
}

const simulate = async (seed: number, runs: number, jobs: number): Promise<boolean> => {
  const start = performance.now()
  let cases = 0
  let foretold = 0
  let resources = 0
  const failures: Array<string> = []
  const tell = ({ failure, result }: Message) => {
    cases += result.cases
    foretold += result.foretold
    resources += result.resources
    if (failure !== undefined) failures.push(failure)
    if (runs > 50_000 && cases % 10_000 < batch) console.log(`${cases} of ${runs}`)
  }
  if (jobs === 1) work(seed, runs, tell)
  else await Promise.all(Array.from({ length: jobs }, (_, job) => share(job, seed, runs, jobs, tell)))
  const seconds = (performance.now() - start) / 1000
  const rate = Math.round(cases / seconds)
  console.log(
    `${cases} cases in ${seconds.toFixed(1)} s: ${rate} a second, ${(resources / cases).toFixed(1)} resources each, ` +
      `${((100 * foretold) / cases).toFixed(0)} % foretold to the millisecond, ${failures.length} failures (seed ${seed})`
  )
  for (const failure of failures) console.log(failure)
  return failures.length === 0 && cases === runs
}

const regressions = (): boolean => {
  const broken = Object.entries(cases).filter(([, of]) => Campaign.judge(of).violations.length > 0)
  for (const [title] of broken) console.log(`broken again: ${title}`)
  return broken.length === 0
}

const main = async (): Promise<boolean> => {
  const seed = Number(values.seed)
  const runs = Number(values.runs)
  if (values.mutants) return runMutants(values.only)
  if (values.regressions && !regressions()) return false
  if (process.send === undefined) return simulate(seed, runs, Number(values.jobs))
  // In a child the parent does the talking.
  work(seed, runs, (message) => process.send!(message))
  return true
}

const code = (await main()) ? 0 : 1
// Stops that were left to wait for ever hold timers, so the process would not end by itself; what was told has to arrive first.
if (process.send === undefined) process.exit(code)
else process.send({ done: true }, () => process.exit(code))
