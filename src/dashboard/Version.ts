/** Whether the service has a newer page than this one: it may have come back as another version. */
import { byId } from "./Dom.js"

/** The version of the script, as the service has it now. */
const ask = async (): Promise<string | undefined> => {
  try {
    const { headers, ok } = await fetch("/dashboard/dashboard.js", { method: "HEAD", cache: "no-store" })
    return ok ? (headers.get("etag") ?? undefined) : undefined
  } catch {
    return undefined
  }
}

const own = ask()

/** Looks, and says so when there is. */
export const check = async (): Promise<void> => {
  const [mine, theirs] = await Promise.all([own, ask()])
  if (mine !== undefined && theirs !== undefined && mine !== theirs) byId("newer").hidden = false
}
