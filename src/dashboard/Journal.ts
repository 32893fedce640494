/** What has happened while the page was open, the newest first. */
import { byId, make, say } from "./Dom.js"
import * as Format from "./Format.js"
import * as Time from "./Time.js"

/** Lines that are kept. */
const most = 40

/** How a line is meant. */
export type Kind = "info" | "good" | "warning" | "bad"

/** Adds a line. What it returns writes another text in its place. */
export const note = (text: string, kind: Kind = "info"): ((text: string) => void) => {
  const list = byId<HTMLOListElement>("journal")
  const said = make("span", { text })
  const line = make("li", {}, [make("time", { text: Format.clock(Time.serverNow()) }), said])
  line.dataset.kind = kind
  list.prepend(line)
  while (list.children.length > most) list.lastElementChild?.remove()
  return (text) => say(said, text)
}
