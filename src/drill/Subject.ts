/** placeholder of the interface; the body follows */
/** How a process ended. */
export interface Exit {
  /** When, of `performance.now()`. */
  readonly at: number
  /** Its exit code; null when a signal ended it. */
  readonly code: number | null
  /** The signal that ended it; null when it exited. */
  readonly signal: NodeJS.Signals | null
}
