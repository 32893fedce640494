/**
 * Which of the deliveries that are due may begin, so that no endpoint takes the room of the others.
 *
 * - Of one key of a subscription there is never more than one under way.
 * - An endpoint (scheme, host and port) has a few at once.
 * - A subscription whose last attempt failed, took long, or is still to come has one at a time; and all that failed or took long share one half of the room. So
 *   however many endpoints are dead, the other half is for those that answer.
 * - Who had to wait comes first the next time: the subscriptions take turns.
 *
 * @module
 */
import type { Due } from "./DeliveryStore.js"
import * as Endpoint from "./Endpoint.js"

/** How many may be under way at once. */
export interface Limits {
  /** All together. */
  readonly concurrency: number
  /** At one endpoint. */
  readonly perEndpoint: number
}

/** What is under way. */
export interface Lanes {
  /** How many there are. */
  readonly running: () => number
  /** Those of `due` that may begin now, one of each subscription before the second of any. Nothing begins by asking. */
  readonly startable: (due: ReadonlyArray<Due>) => ReadonlyArray<Due>
  /** It has begun. */
  readonly begin: (delivery: Due) => void
  /** It is over. */
  readonly end: (delivery: Due) => void
}

/** An answer that took longer than this, in milliseconds, makes an endpoint a slow one. */
export const slowMillis = 1000

const isTroubled = ({ failures, lastLatencyMillis }: Due): boolean =>
  failures > 0 || (lastLatencyMillis ?? 0) > slowMillis

const keyOf = ({ key, subscription }: Due): string => `${subscription} ${key}`

/** Counts by name that forget what is zero. */
class Counts {
  readonly #counts = new Map<string, number>()
  of(name: string): number {
    return this.#counts.get(name) ?? 0
  }
  add(name: string, change: number): void {
    const count = this.of(name) + change
    if (count > 0) this.#counts.set(name, count)
    else this.#counts.delete(name)
  }
}

/** Lanes with nothing under way. */
export const make = ({ concurrency, perEndpoint }: Limits): Lanes => {
  const [subscriptions, endpoints, keys] = [new Counts(), new Counts(), new Counts()]
  const troubledRoom = Math.max(1, Math.floor(concurrency / 2))
  let running = 0
  let troubled = 0
  /** The subscription that something began for last. */
  let last = ""

  const count = (delivery: Due, change: 1 | -1): void => {
    running += change
    // What is known of the endpoint may have changed since, but not in this delivery: it counts the same at its end.
    if (isTroubled(delivery)) troubled += change
    subscriptions.add(delivery.subscription, change)
    endpoints.add(Endpoint.originOf(delivery.url), change)
    keys.add(keyOf(delivery), change)
  }
  const hasRoom = (delivery: Due): boolean => {
    if (running >= concurrency || keys.of(keyOf(delivery)) > 0) return false
    if (endpoints.of(Endpoint.originOf(delivery.url)) >= perEndpoint) return false
    const [slow, unknown] = [isTroubled(delivery), delivery.lastLatencyMillis === null]
    if ((slow || unknown) && subscriptions.of(delivery.subscription) > 0) return false
    return !slow || troubled < troubledRoom
  }
  /** By subscription, the one after the last first. */
  const inTurn = (due: ReadonlyArray<Due>): ReadonlyArray<ReadonlyArray<Due>> => {
    const groups = new Map<string, Array<Due>>()
    for (const delivery of due) {
      const group = groups.get(delivery.subscription)
      if (group === undefined) groups.set(delivery.subscription, [delivery])
      else group.push(delivery)
    }
    const all = [...groups]
    const next = all.findIndex(([subscription]) => subscription > last)
    return (next <= 0 ? all : [...all.slice(next), ...all.slice(0, next)]).map(([, group]) => group)
  }

  return {
    running: () => running,
    startable: (due) => {
      const groups = inTurn(due)
      const depth = Math.max(0, ...groups.map(({ length }) => length))
      const chosen: Array<Due> = []
      for (let at = 0; at < depth && running < concurrency; at++) {
        for (const group of groups) {
          const delivery = group[at]
          if (delivery === undefined || !hasRoom(delivery)) continue
          chosen.push(delivery)
          count(delivery, 1)
        }
      }
      for (const delivery of chosen) count(delivery, -1)
      return chosen
    },
    begin: (delivery) => {
      last = delivery.subscription
      count(delivery, 1)
    },
    end: (delivery) => count(delivery, -1)
  }
}
