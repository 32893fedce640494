/** Children that are the first process of a namespace of their own, as in a container. */
import { spawnSync } from "node:child_process"
import { readFileSync } from "node:fs"
import * as Child from "./Child.js"

const flags = ["--pid", "--fork", "--mount-proc", "--kill-child"]

/** Whether this machine allows it: Linux, and root or unprivileged namespaces. */
export const isPermitted: boolean =
  process.platform === "linux" && spawnSync("unshare", [...flags, "true"]).status === 0

export interface Pid1 extends Child.Child {
  /** Its id out here; inside it is 1. Ends when there is one. */
  readonly outerPid: Promise<number>
}

const outerPid = async (parent: number): Promise<number> => {
  for (let i = 0; i < 500; i++) {
    const [pid] = readFileSync(`/proc/${parent}/task/${parent}/children`, "utf8").split(" ")
    if (pid !== undefined && pid !== "") return Number(pid)
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
  throw new Error("the namespace has no first process")
}

/** Starts node with `args` as process 1. What it ends with is passed on; signals have to be sent to {@link Pid1.outerPid}. */
export const start = (args: ReadonlyArray<string>, env: Record<string, string> = {}, cwd?: string): Pid1 => {
  const child = Child.start([...flags, process.execPath, ...args], env, cwd, "unshare")
  return { ...child, outerPid: outerPid(child.pid) }
}

/** Whether a process listens to SIGHUP, which Node itself never does: then the program has begun to listen to all signals. */
export const listens = (pid: number): boolean => {
  const mask = /SigCgt:\s*([0-9a-f]+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))
  return mask !== null && (BigInt(`0x${mask[1]}`) & 1n) === 1n
}
