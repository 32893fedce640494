/** Deliveries in memory, with the same rules as the database's: for tests of what delivers. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as DeliveryStore from "../../src/webhooks/DeliveryStore.js"
import * as Signature from "../../src/webhooks/Signature.js"

export interface Subscription {
  readonly url: string
  active: boolean
  failures: number
  latency: number | null
  holdUntil: number
}

export interface Entry {
  readonly id: number
  readonly subscription: string
  readonly messageId: string
  readonly key: string
  status: "pending" | "delivered" | "dead"
  attempts: number
  nextAt: number | null
  last: DeliveryStore.Record | undefined
}

const secrets = [Signature.generate()]

export const make = () => {
  const subscriptions = new Map<string, Subscription>()
  const entries: Array<Entry> = []
  let failing = 0
  const pending = ({ status }: Entry) => status === "pending"
  const guarded = <A>(evaluate: () => A) =>
    Effect.suspend(() => {
      if (failing === 0) return Effect.sync(evaluate)
      failing -= 1
      return Effect.fail(new DeliveryStore.StoreFailed({ cause: "the store fails" }))
    })
  const shape: DeliveryStore.Shape = {
    due: (now, perSubscription) =>
      guarded(() =>
        [...subscriptions].toSorted().flatMap(([id, { active, failures, holdUntil, latency, url }]) =>
          entries
            .filter((entry) => entry.subscription === id && entry.nextAt !== null && entry.nextAt <= now)
            .filter(() => active && holdUntil <= now)
            .toSorted((a, b) => a.nextAt! - b.nextAt! || a.id - b.id)
            .slice(0, perSubscription)
            .map(({ attempts, id: number, key, messageId }) => ({
              id: number,
              subscription: id,
              messageId,
              url,
              key,
              attempts,
              failures,
              lastLatencyMillis: latency
            }))
        )
      ),
    content: ({ messageId, subscription, url }) =>
      guarded(() =>
        subscriptions.get(subscription)?.active === true
          ? { url, secrets, body: JSON.stringify({ messageId }) }
          : undefined
      ),
    nextAt: (now) =>
      guarded(() => {
        const times = entries.flatMap(({ nextAt, subscription }) => {
          const { active, holdUntil } = subscriptions.get(subscription)!
          if (nextAt === null || !active) return []
          const at = Math.max(nextAt, holdUntil)
          return at > now ? [at] : []
        })
        return times.length === 0 ? undefined : Math.min(...times)
      }),
    settle: (delivery, record, next) =>
      guarded(() => {
        const entry = entries.find(({ id }) => id === delivery.id)
        if (entry === undefined || entry.attempts !== delivery.attempts || !pending(entry)) return
        entry.attempts += 1
        entry.last = record
        entry.nextAt = next._tag === "Retry" ? next.at : null
        if (next._tag !== "Retry") entry.status = next._tag === "Delivered" ? "delivered" : "dead"
        const subscription = subscriptions.get(entry.subscription)!
        subscription.failures = next._tag === "Delivered" ? 0 : subscription.failures + 1
        subscription.latency = record.latencyMillis
        if (next._tag === "Gone") subscription.active = false
        if ("holdUntil" in next) {
          subscription.holdUntil = Math.max(subscription.holdUntil, next.holdUntil ?? 0)
        }
        const first = entries.find(
          (one) => one.subscription === entry.subscription && one.key === entry.key && pending(one)
        )
        if (first !== undefined) first.nextAt ??= record.at
      }),
    waiting: guarded(() => entries.filter(pending).length),
    prune: () => guarded(() => 0)
  }
  return {
    layer: Layer.succeed(DeliveryStore.DeliveryStore, shape),
    entries,
    subscriptions,
    /** The next so many questions fail. */
    fail: (count: number) => {
      failing = count
    },
    subscribe: (id: string, url = `https://${id}.example.com/`, latency: number | null = 1) => {
      subscriptions.set(id, { url, active: true, failures: 0, latency, holdUntil: 0 })
    },
    add: (subscription: string, key: string, now = 0) => {
      const isFirst = !entries.some(
        (entry) => entry.subscription === subscription && entry.key === key && pending(entry)
      )
      const id = entries.length + 1
      entries.push({
        id,
        subscription,
        key,
        messageId: `${subscription}_${id}`,
        status: "pending",
        attempts: 0,
        nextAt: isFirst ? now : null,
        last: undefined
      })
    }
  }
}
