/** File systems in memory that are soon full. */
import { spawnSync } from "node:child_process"
import { mkdirSync } from "node:fs"
import { join } from "node:path"
import * as Child from "./Child.js"

/** One that is mounted. */
export interface SmallDisk {
  /** Where it is. */
  readonly folder: string
  /** Makes it larger. */
  readonly resize: (size: string) => void
  /** Takes it away, with all that is on it. */
  readonly remove: () => void
}

const run = (command: string, ...args: ReadonlyArray<string>) =>
  spawnSync(command, args, { encoding: "utf8" })

/** Mounts one of that size (`4m`), or says why that is not allowed here. */
export const make = (size: string): SmallDisk | string => {
  if (process.platform !== "linux") return "only Linux has a tmpfs"
  const folder = join(Child.folder(), "disk")
  mkdirSync(folder)
  const { error, status, stderr } = run("mount", "-t", "tmpfs", "-o", `size=${size}`, "tmpfs", folder)
  if (status !== 0) return `a tmpfs cannot be mounted here: ${error?.message ?? stderr.trim()}`
  return {
    folder,
    resize: (larger) => {
      const remounted = run("mount", "-o", `remount,size=${larger}`, folder)
      if (remounted.status !== 0) throw new Error(remounted.stderr)
    },
    // What a child still holds must not keep it from going out of sight.
    remove: () => void run("umount", "-l", folder)
  }
}
