/** Corridors with their health, the busiest first. */
import type { CorridorPage } from "../insights/api/Corridors.js"
import { byId, make } from "./Dom.js"
import * as Format from "./Format.js"

/** Where they are asked for. */
export const path = "/api/corridors?window=24h&limit=9"

/** Writes a page of them. */
export const show = (answer: unknown): void => {
  const { corridors } = answer as typeof CorridorPage.Encoded
  byId("corridors-none").hidden = corridors.length > 0
  byId("corridors").replaceChildren(
    ...corridors.map(({ attempts, destination, score, source, status, successRate }) => {
      const bar = make("i")
      bar.style.width = `${score ?? 0}%`
      const rate = `${Format.percent(successRate)} of ${Format.count(attempts)}`
      const row = make("li", {}, [
        make("span", {
          class: "pair",
          text: `${Format.asset(source)} → ${Format.asset(destination)}`,
          title: `${source} → ${destination}`
        }),
        make("span", { class: "quiet", title: "attempts that succeeded" }, [
          make("span", { text: rate }),
          make("span", { class: "verdict", text: status })
        ]),
        make("b", {
          class: "score",
          text: score === null ? Format.nothing : String(Math.round(score)),
          title: "health score, of 100"
        }),
        make("span", { class: "meter" }, [bar])
      ])
      row.dataset.status = status
      return row
    })
  )
}
