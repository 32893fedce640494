/**
 * Sees when nobody listens on a port any more, without connecting to it: a connection tried would lie in the queue that is about to be closed.
 *
 * @module
 */
import type { Listener } from "./Processes.js"
import * as Processes from "./Processes.js"

/** How exact the time is (ms). */
const every = 5

/** A watch that runs. */
export interface ListenerWatch {
  /** When the last of the sockets was seen to be gone, of `performance.now()`; undefined while one is there. */
  readonly closedAt: () => number | undefined
  /** Stops watching. */
  readonly end: () => void
}

/** Watches the sockets; one that watches none sees nothing. */
export const watch = (sockets: ReadonlyArray<Listener>): ListenerWatch => {
  const inodes = new Set(sockets.map(({ inode }) => inode))
  let closedAt: number | undefined
  const look = () => {
    if (closedAt !== undefined || Processes.listeners().some(({ inode }) => inodes.has(inode))) return
    closedAt = performance.now()
    clearInterval(timer)
  }
  const timer = setInterval(look, every)
  if (inodes.size === 0) clearInterval(timer)
  return {
    closedAt: () => closedAt,
    end: () => {
      if (inodes.size > 0) look()
      clearInterval(timer)
    }
  }
}
