/** The payments that came last. */
import type { Event } from "../client/index.js"
import type { PaymentPage } from "../insights/api/Payments.js"
import { byId, rows, sayIn } from "./Dom.js"
import * as Format from "./Format.js"
import * as Time from "./Time.js"

/** A payment as the page shows it. */
interface Shown {
  readonly toid: string
  readonly ledger: number
  readonly kind: string
  readonly from: string
  readonly to: string
  readonly sent: readonly [amount: string, asset: string]
  readonly received: readonly [amount: string, asset: string]
}

/** What a `new_payment` says. */
interface Payload {
  readonly toid: string
  readonly ledger: number
  readonly kind: string
  readonly from: string
  readonly to: string
  readonly srcAsset: string
  readonly srcAmount: string
  readonly dstAsset: string
  readonly dstAmount: string
}

/** Payments in the table. */
const listed = 9

/** Over how long the rate is, in milliseconds. */
const rateMs = 30_000

/** The newest first. */
let known: ReadonlyArray<Shown> = []
/** How many came by event, by the second in which they came. */
const seconds = new Map<number, number>()
let firstAt: number | undefined

const names: Readonly<Record<string, string>> = {
  payment: "payment",
  pathPaymentStrictReceive: "path, strict receive",
  pathPaymentStrictSend: "path, strict send",
  createAccount: "create account",
  accountMerge: "account merge"
}

/** A payment has happened. */
export const happened = (event: Event): void => {
  const { dstAmount, dstAsset, from, kind, ledger, srcAmount, srcAsset, to, toid } = event.payload as Payload
  const payment: Shown = {
    toid,
    ledger,
    kind,
    from,
    to,
    sent: [srcAmount, srcAsset],
    received: [dstAmount, dstAsset]
  }
  known = [payment, ...known.filter((other) => other.toid !== toid)].slice(0, listed)
  const now = Time.now()
  firstAt ??= now
  const second = Math.floor(now / 1000)
  seconds.set(second, (seconds.get(second) ?? 0) + 1)
}

/** Payments that the API has, for as long as none has come by event. */
export const read = (answer: unknown): void => {
  if (firstAt !== undefined) return
  known = (answer as typeof PaymentPage.Encoded).payments.slice(0, listed).map((payment) => ({
    toid: payment.toid,
    ledger: payment.ledger,
    kind: payment.kind,
    from: payment.from,
    to: payment.to,
    sent: [payment.sourceAmount, payment.sourceAsset],
    received: [payment.destinationAmount, payment.destinationAsset]
  }))
}

const money = ([amount, asset]: readonly [string, string]) => ({
  text: `${Format.amount(amount)} ${Format.asset(asset)}`,
  title: `${Format.exactAmount(amount)} ${asset}`,
  class: "num"
})

/** Writes all of it. */
export const render = (): void => {
  rows(
    byId("payments"),
    known.map(({ from, kind, ledger, received, sent, to, toid }) => ({
      key: toid,
      cells: [
        { text: Format.count(ledger), class: "wide-only" },
        { text: Format.short(from), title: from, class: "code" },
        { text: Format.short(to), title: to, class: "code" },
        money(sent),
        money(received),
        { text: names[kind] ?? kind, class: "wide-only" }
      ]
    }))
  )
  if (firstAt === undefined) return
  const now = Time.now()
  for (const second of seconds.keys()) if (second * 1000 < now - rateMs) seconds.delete(second)
  const over = Math.min(rateMs, Math.max(1000, now - firstAt)) / 1000
  const sum = [...seconds.values()].reduce((all, one) => all + one, 0)
  sayIn("payments-rate", `${Number((sum / over).toFixed(sum / over < 10 ? 1 : 0))} a second`)
}
