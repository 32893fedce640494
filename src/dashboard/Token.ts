/** The token for live events, where the service asks for one. It is kept for this tab only. */
import { byId, sayIn } from "./Dom.js"

const key = "stellar-insights-token"

/** The token that was given in this tab. */
export const stored = (): string | undefined => sessionStorage.getItem(key) ?? undefined

/**
 * Whether the service refuses live events for want of a token. Pages are not told why a WebSocket was refused, but the stream of the same events says so.
 */
export const isRefused = async (): Promise<boolean> => {
  const stop = new AbortController()
  const token = stored()
  const query = token === undefined ? "" : `&token=${encodeURIComponent(token)}`
  try {
    const { status } = await fetch(`/api/events?channels=notices${query}`, { signal: stop.signal })
    return status === 401
  } catch {
    return false
  } finally {
    stop.abort()
  }
}

/** Shows the form, and says why it is there again when a token was given already. */
export const ask = (): void => {
  const form = byId<HTMLFormElement>("token-form")
  if (stored() !== undefined) {
    sayIn("token-hint", "The service does not accept this token.")
    sessionStorage.removeItem(key)
  }
  form.hidden = false
}

/** Takes the form away. */
export const hide = (): void => {
  byId("token-form").hidden = true
}

/** Calls `then` with every token that is given, which is kept for the next time. */
export const onGiven = (then: (token: string) => void): void => {
  const input = byId<HTMLInputElement>("token")
  byId<HTMLFormElement>("token-form").addEventListener("submit", (event) => {
    event.preventDefault()
    const token = input.value.trim()
    if (token === "") return
    sessionStorage.setItem(key, token)
    input.value = ""
    then(token)
  })
}
