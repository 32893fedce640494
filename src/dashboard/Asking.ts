/** Asks the service's endpoints again and again, moderately, and not at all while nobody looks. */
import * as Time from "./Time.js"

/** How long an answer may take, in milliseconds. */
const patienceMs = 5000

/** What is asked for. */
export interface Question {
  /** Where. */
  readonly path: string
  /** From one answer to the next question, in milliseconds. */
  readonly everyMs: number
  /** Whether to ask now; what is not asked is looked at again after the same time. Always when absent. */
  readonly isDue?: () => boolean
  /** An answer has come. */
  readonly onAnswer: (answer: unknown) => void
  /** None has. `status` is the one of a refusal, or 0 when nobody answered. */
  readonly onFailure?: (status: number) => void
}

/** What became of a question: its answer, or the status of a refusal, 0 when nobody answered in time. */
export type Answer =
  { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly status: number }

/** Asks once for the JSON at a path. Never fails. */
export const get = async (path: string): Promise<Answer> => {
  try {
    const response = await fetch(path, { signal: AbortSignal.timeout(patienceMs) })
    Time.heardDate(response.headers.get("date"))
    return response.ok ? { ok: true, value: await response.json() } : { ok: false, status: response.status }
  } catch {
    return { ok: false, status: 0 }
  }
}

/** Begins to ask. What it returns asks at once, instead of after the rest of the time. */
export const repeat = ({ everyMs, isDue, onAnswer, onFailure, path }: Question): (() => void) => {
  let callOff: (() => void) | undefined
  let isAsking = false
  const wait = () => {
    callOff = Time.later(everyMs, ask)
  }
  const ask = () => {
    callOff?.()
    callOff = undefined
    // Whoever is asked already will answer as of now, or nearly.
    if (isAsking || document.hidden) return
    if (isDue?.() === false) return wait()
    isAsking = true
    void get(path).then((answer) => {
      isAsking = false
      wait()
      if (answer.ok) onAnswer(answer.value)
      else onFailure?.(answer.status)
    })
  }
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) ask()
  })
  ask()
  return ask
}
