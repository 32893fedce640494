/** The ledgers: a drawing of the last ones, how each of them came, and whether one is missing. */
import type { Event } from "../client/index.js"
import type { LedgerPage } from "../insights/Api.js"
import { byId, draw, rows, sayIn } from "./Dom.js"
import * as Format from "./Format.js"
import type { Came } from "./Live.js"
import * as Time from "./Time.js"

/** A ledger as the page shows it. */
interface Shown {
  readonly sequence: number
  readonly hash: string
  /** When it closed, in milliseconds since 1970. */
  readonly closedAt: number
  readonly successful: number
  readonly failed: number
  readonly operations: number
  /** `read` when it was there before the page listened. */
  readonly came: Came | "read"
}

/** What a `ledger_closed` says. */
interface Payload {
  readonly ledger: number
  readonly closedAt: number | null
  readonly hash: string
  readonly successTx: number
  readonly failedTx: number
  readonly opCount: number
}

/** Ledgers in the drawing, and in the table. */
const drawn = 72
const listed = 7

const known = new Map<number, Shown>()
/** Ledgers that came first after the connection had been away. */
const returns = new Set<number>()
let isReturning = false
/** The ledger since which nothing may be missing: the first that came by event, or the first read before it. */
let unbrokenSince: { readonly sequence: number; readonly at: number } | undefined
/** Ledgers that came by event, of those since {@link unbrokenSince}. */
let lastByEvent: number | undefined
let missing = 0

/** The last of the ledgers; 0 when there is none. */
export const last = (): number => Math.max(0, ...known.keys())

const put = (ledger: Shown) => {
  known.set(ledger.sequence, ledger)
  if (known.size > 4 * drawn)
    for (const old of [...known.keys()].sort((a, b) => a - b).slice(0, known.size - 2 * drawn))
      known.delete(old)
}

/** The connection is there again after it was away. */
export const returned = (): void => {
  isReturning = true
}

/** A ledger has closed. */
export const closed = (event: Event, came: Came): void => {
  const { closedAt, failedTx, hash, ledger, opCount, successTx } = event.payload as Payload
  if (isReturning) returns.add(ledger)
  isReturning = false
  unbrokenSince ??= { sequence: ledger, at: Time.serverNow() }
  if (lastByEvent !== undefined) missing += Math.max(0, ledger - lastByEvent - 1)
  lastByEvent = Math.max(lastByEvent ?? 0, ledger)
  put({
    sequence: ledger,
    hash,
    closedAt: (closedAt ?? 0) * 1000,
    successful: successTx,
    failed: failedTx,
    operations: opCount,
    came
  })
}

/** Ledgers that the API has, in a page of its list. Those that came by event stay as they came. */
export const read = (answer: unknown): void => {
  for (const ledger of (answer as typeof LedgerPage.Encoded).ledgers) {
    if (known.has(ledger.sequence)) continue
    put({
      sequence: ledger.sequence,
      hash: ledger.hash,
      closedAt: ledger.closeTime * 1000,
      successful: ledger.successTx,
      failed: ledger.failedTx,
      operations: ledger.opCount,
      came: "read"
    })
  }
}

const height = 96
const baseline = 84
const step = 10

/** A bar for each ledger, its failed transactions on top, and beneath it a mark that says how it came. Where the connection was away a line stands before it. */
const chart = (all: ReadonlyArray<Shown>) => {
  const svg = byId<SVGSVGElement>("chart")
  svg.setAttribute("viewBox", `0 0 ${drawn * step} ${height}`)
  const most = Math.max(1, ...all.map(({ failed, successful }) => successful + failed))
  const scale = (baseline - 6) / most
  const offset = drawn - all.length
  const bars = all.map(({ came, failed, sequence, successful }, i) => {
    const x = (offset + i) * step
    const box = { x: x + 1.5, width: step - 3 }
    const high = successful * scale
    const low = failed * scale
    const title = draw("title", {})
    title.textContent = `ledger ${sequence}: ${successful} successful, ${failed} failed, ${{ read: "read", live: "live", caught: "caught up" }[came]}`
    const parts = [
      title,
      draw("rect", { x, y: 0, width: step, height, class: "hover" }),
      draw("rect", { ...box, y: baseline - high, height: high, class: "ok" }),
      draw("rect", { ...box, y: baseline - high - low, height: low, class: "failed" }),
      draw("rect", { x: x + 0.5, width: step - 1, y: height - 6, height: 5, class: `came-${came}` })
    ]
    if (returns.has(sequence)) parts.push(draw("line", { x1: x, x2: x, y1: 0, y2: height, class: "return" }))
    return draw("g", {}, parts)
  })
  svg.replaceChildren(...bars)
}

const words = { read: "read", live: "live", caught: "caught up" }

/** Writes all of it. */
export const render = (): void => {
  const all = [...known.values()].sort((a, b) => a.sequence - b.sequence).slice(-drawn)
  chart(all)
  rows(
    byId("ledgers"),
    all
      .slice(-listed)
      .toReversed()
      .map(({ came, closedAt, failed, hash, operations, sequence, successful }) => ({
        key: String(sequence),
        cells: [
          { text: Format.count(sequence) },
          { text: Format.clock(closedAt), title: new Date(closedAt).toISOString() },
          { text: Format.count(successful), class: "num" },
          { text: Format.count(failed), class: "num" },
          { text: Format.count(operations), class: "num wide-only" },
          { text: Format.short(hash), title: hash, class: "code wide-only" },
          { text: words[came], class: "came", mark: came }
        ]
      }))
  )
  if (unbrokenSince === undefined || lastByEvent === undefined) return
  const since = `since ${Format.clock(unbrokenSince.at)}`
  const count = lastByEvent - unbrokenSince.sequence + 1
  sayIn(
    "chain",
    missing === 0
      ? `${Format.plural(count, "ledger")} ${since}, none missing`
      : `${Format.plural(missing, "ledger")} missing ${since}`
  )
}
