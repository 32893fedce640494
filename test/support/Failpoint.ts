/** Where a child of the service is at an instant, and having it stand still there: the parent's side of test/torture/failpoint.mjs. */
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join, resolve } from "node:path"
import { pathToFileURL } from "node:url"

const preload = resolve(import.meta.dirname, "../torture/failpoint.mjs")

/** A place inside the work on a ledger. */
export interface Stall {
  /** Which commit of this process: 1 and more. */
  readonly commit: number
  /** Before this statement of it: 1 moves the cursor. Its COMMIT when there are fewer; 0 is after that. */
  readonly statement?: number
  /** Or before this hash of the verification that comes before it. */
  readonly hash?: number
}

/** Where the child is. */
export interface Place {
  /** `ledger` and `task`: in a transaction of either; `fetch`: whenever ingestion does nothing else. */
  readonly state: "none" | "start" | "fetch" | "verify" | "ledger" | "task"
  /** Ledgers that this process has committed. */
  readonly commits: number
  /** In a transaction: which statement is next, counted from 1, its beginning, and that of the one before. */
  readonly statement?: number
  readonly after?: string
  readonly before?: string
  /** In a verification: which hash is next, counted from 1. */
  readonly hash?: number
  /** Whether it stands still. */
  readonly stalled?: boolean
}

/** One child's. */
export interface Failpoint {
  /** What the child's environment needs. */
  readonly env: Record<string, string>
  /** Where it is now, or was when it ended. */
  readonly place: () => Place
  /** Lets it go on. */
  readonly go: () => void
}

/** For the next child of a folder. */
export const make = (
  folder: string,
  options: { readonly slow: number; readonly stall?: Stall | undefined }
): Failpoint => {
  const file = join(folder, "place.json")
  rmSync(file, { force: true })
  rmSync(`${file}.go`, { force: true })
  return {
    env: {
      NODE_OPTIONS: `--import ${pathToFileURL(preload).href}`,
      FAILPOINT: JSON.stringify({ file, ...options })
    },
    place: () => {
      const text = existsSync(file) ? readFileSync(file, "utf8") : ""
      // It may be read while the child writes it.
      for (let tries = 0; tries < 3; tries++) {
        try {
          return JSON.parse(tries === 0 ? text : readFileSync(file, "utf8")) as Place
        } catch {
          // Again.
        }
      }
      return { state: "none", commits: 0 }
    },
    go: () => writeFileSync(`${file}.go`, "")
  }
}
