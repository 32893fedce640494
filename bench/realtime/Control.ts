/** How the bench talks to the processes that it measures: one request at a time over IPC, each with one answer. */
import type { ChildProcess } from "node:child_process"
import { fork } from "node:child_process"

/** Microseconds by the clock that all processes of the machine share. */
export const micros = (): number => Number(process.hrtime.bigint() / 1000n)

/** CPU time of this process so far, all of its threads, in microseconds. */
export const cpu = (): number => {
  const { system, user } = process.cpuUsage()
  return system + user
}

/** What a process does on request, by name. */
export type Deeds = Readonly<Record<string, (argument: never) => unknown>>

interface Asked {
  readonly n: number
  readonly deed: string
  readonly argument: unknown
}

interface Answered {
  readonly n: number
  readonly value?: unknown
  readonly error?: string
}

/** Does what the parent asks for, until the parent is gone. */
export const obey = (deeds: Deeds): void => {
  process.on("message", ({ argument, deed, n }: Asked) => {
    const answer = async () => deeds[deed]!(argument as never)
    answer().then(
      (value) => process.send!({ n, value } satisfies Answered),
      (error: unknown) => process.send!({ n, error: String(error) } satisfies Answered)
    )
  })
  process.on("disconnect", () => process.exit())
}

/** A process that obeys. */
export interface Servant<D extends Deeds> {
  /** Has something done. Fails when that failed, or when the process ends before it has answered. */
  readonly ask: <K extends keyof D & string>(
    deed: K,
    ...argument: Parameters<D[K]>
  ) => Promise<Awaited<ReturnType<D[K]>>>
  /** Ends it. */
  readonly dismiss: () => void
}

/** Starts the module in `file` with `argv`, and lets it collect garbage when it wants to. */
export const employ = <D extends Deeds>(file: string, ...argv: ReadonlyArray<string>): Servant<D> => {
  const child: ChildProcess = fork(file, argv, {
    execArgv: ["--expose-gc"],
    stdio: ["ignore", "inherit", "inherit", "ipc"]
  })
  const waiting = new Map<number, (answer: Answered) => void>()
  let asked = 0
  child.on("message", (answer: Answered) => {
    waiting.get(answer.n)?.(answer)
    waiting.delete(answer.n)
  })
  child.on("exit", (code, signal) => {
    for (const [n, then] of waiting) then({ n, error: `${file} has ended: ${code ?? signal}` })
    waiting.clear()
  })
  return {
    ask: (deed, ...[argument]) =>
      new Promise((resolve, reject) => {
        const n = ++asked
        waiting.set(n, ({ error, value }) =>
          error === undefined ? resolve(value as never) : reject(new Error(error))
        )
        child.send({ n, deed, argument } satisfies Asked)
      }),
    dismiss: () => void child.kill("SIGKILL")
  }
}
