/** What the system knows of a process. */
import * as Fs from "node:fs"

const read = (file: string): string => {
  try {
    return Fs.readFileSync(file, "utf8")
  } catch {
    return ""
  }
}

const figure = (text: string, name: string): number =>
  Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(text)?.[1] ?? Number.NaN)

/** Resident memory, in MB (10^6 bytes). */
export const resident = (pid: number): number => (figure(read(`/proc/${pid}/status`), "VmRSS") * 1024) / 1e6

/** What a process has used so far, with all of its threads. */
export interface Used {
  /** Milliseconds of CPU. */
  readonly cpu: number
  /** How often a thread began to wait: as often as one is woken. */
  readonly waits: number
}

/** Zero for a process that is gone. */
export const used = (pid: number): Used => {
  let threads: ReadonlyArray<string> = []
  try {
    threads = Fs.readdirSync(`/proc/${pid}/task`)
  } catch {
    // It is gone.
  }
  const folders = threads.map((thread) => `/proc/${pid}/task/${thread}`)
  const sum = (of: (folder: string) => number) =>
    folders.reduce((total, folder) => total + (of(folder) || 0), 0)
  return {
    cpu: sum((folder) => Number(read(`${folder}/schedstat`).split(" ")[0])) / 1e6,
    waits: sum((folder) => figure(read(`${folder}/status`), "voluntary_ctxt_switches"))
  }
}
