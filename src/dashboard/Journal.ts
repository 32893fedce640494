/** What has happened while the page was open, the newest first. */
import { byId, make } from "./Dom.js"
import * as Format from "./Format.js"
import * as Time from "./Time.js"

/** Lines that are kept. */
const most = 40

/** How a line is meant. */
export type Kind = "info" | "good" | "warning" | "bad"

/** Adds a line. */
export const note = (text: string, kind: Kind = "info"): void => {
  const list = byId<HTMLOListElement>("journal")
  const time = make("time", { text: Format.clock(Time.serverNow()) })
  const line = make("li", {}, [time, make("span", { text })])
  line.dataset.kind = kind
  list.prepend(line)
  while (list.children.length > most) list.lastElementChild?.remove()
}
