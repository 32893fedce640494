/**
 * What the system knows of a service's processes and ports, read from `/proc`. Where there is none, nothing is found.
 *
 * @module
 */
import * as Fs from "node:fs"

/** The variable that marks every process of a service: children inherit it, also those that left the process group and the session. */
export const marker = "DRILL_SUBJECT"

/** A process. */
export interface Process {
  /** Its number. */
  readonly pid: number
  /** Its command line, the arguments parted by blanks. */
  readonly command: string
}

const read = (path: string): string => {
  try {
    return Fs.readFileSync(path, "latin1")
  } catch {
    // Gone in between, or not ours.
    return ""
  }
}

const list = (path: string): Array<string> => {
  try {
    return Fs.readdirSync(path)
  } catch {
    return []
  }
}

/** Living processes of the session `session`, or marked with `mark`. */
export const find = (session: number, mark: string): ReadonlyArray<Process> => {
  const found: Array<Process> = []
  for (const entry of list("/proc")) {
    if (!/^\d+$/.test(entry) || Number(entry) === process.pid) continue
    const stat = read(`/proc/${entry}/stat`)
    // The name in parentheses may contain anything; state, parent, group and session follow it.
    const [state, , , its] = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
    if (state === undefined || state === "" || "ZX".includes(state)) continue
    const ours =
      Number(its) === session || read(`/proc/${entry}/environ`).split("\0").includes(`${marker}=${mark}`)
    if (!ours) continue
    const command = read(`/proc/${entry}/cmdline`).split("\0").join(" ").trim()
    found.push({ pid: Number(entry), command: command.slice(0, 300) })
  }
  return found
}

/** A socket that is listened on. */
export interface Listener {
  /** Its port. */
  readonly port: number
  /** Its number in the system; another listener on the same port has another one. */
  readonly inode: string
}

// The kernel lists listening sockets before all others, so the beginning of the file is enough.
const beginning = Buffer.alloc(16 * 1024)

const readListeners = (file: string): ReadonlyArray<Listener> => {
  let text: string
  try {
    const descriptor = Fs.openSync(file, "r")
    try {
      text = beginning.toString("latin1", 0, Fs.readSync(descriptor, beginning, 0, beginning.length, 0))
    } finally {
      Fs.closeSync(descriptor)
    }
  } catch {
    return []
  }
  return text.split("\n").flatMap((line) => {
    const [, local, , state, , , , , , inode] = line.trim().split(/\s+/)
    if (state !== "0A" || inode === undefined) return []
    return [{ port: Number.parseInt(local!.split(":")[1]!, 16), inode }]
  })
}

/** All sockets of the system that are listened on. */
export const listeners = (): ReadonlyArray<Listener> => [
  ...readListeners("/proc/net/tcp"),
  ...readListeners("/proc/net/tcp6")
]

/** Those that the processes hold. */
export const listenersOf = (processes: ReadonlyArray<Process>): ReadonlyArray<Listener> => {
  const held = new Set<string>()
  for (const { pid } of processes) {
    for (const entry of list(`/proc/${pid}/fd`)) {
      try {
        const inode = /^socket:\[(\d+)\]$/.exec(Fs.readlinkSync(`/proc/${pid}/fd/${entry}`))?.[1]
        if (inode !== undefined) held.add(inode)
      } catch {
        // Closed in between.
      }
    }
  }
  return listeners().filter(({ inode }) => held.has(inode))
}
