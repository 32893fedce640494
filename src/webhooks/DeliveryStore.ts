/**
 * Where deliveries are kept until they are over: what the delivery needs of it.
 *
 * A delivery is a message to a subscription. Of those of one subscription and key only the first that is not over is ever due; the next becomes due with its end.
 * So order is kept by the store, across restarts.
 *
 * @module
 */
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import type * as Effect from "effect/Effect"
import type { Secret } from "./Signature.js"

/** The store did not do what it was asked. */
export class StoreFailed extends Data.TaggedError("StoreFailed")<{
  /** What it failed in. */
  readonly cause: unknown
}> {}

/** A delivery that is due. */
export interface Due {
  /** Its number in the store. Lower ones came earlier. */
  readonly id: number
  /** To which subscription. */
  readonly subscription: string
  /** `webhook-id`. */
  readonly messageId: string
  /** Where to. */
  readonly url: string
  /** What it is in order with, within its subscription. */
  readonly key: string
  /** Attempts before this one. */
  readonly attempts: number
  /** Attempts at this subscription, whichever delivery's, that failed since the last one that succeeded. */
  readonly failures: number
  /** How long the last attempt at this subscription took, in milliseconds; null before the first. */
  readonly lastLatencyMillis: number | null
}

/** What goes out. */
export interface Content {
  /** Where to. */
  readonly url: string
  /** The body: JSON. */
  readonly body: string
  /** What it is signed with. */
  readonly secrets: ReadonlyArray<Secret>
}

/** What becomes of a delivery after an attempt. Times are milliseconds since 1970. */
export type Next =
  /** It arrived. */
  | { readonly _tag: "Delivered" }
  /** It is tried again at a time. Until `holdUntil` nothing at all is sent to the subscription. */
  | { readonly _tag: "Retry"; readonly at: number; readonly holdUntil: number | undefined }
  /** It is given up. */
  | { readonly _tag: "Dead"; readonly holdUntil: number | undefined }
  /** It is given up and its subscription is switched off, with all that waits: the endpoint says that it is gone. */
  | { readonly _tag: "Gone" }

/** An attempt, for the record. */
export interface Record {
  /** When it ended, in milliseconds since 1970. */
  readonly at: number
  /** How long it took, in milliseconds. */
  readonly latencyMillis: number
  /** The status of the answer; null without one. */
  readonly status: number | null
  /** The first bytes of the answer; null without one. */
  readonly body: string | null
  /** Why there was none; null when there was. */
  readonly error: string | null
}

/** The store. Everything can fail with {@link StoreFailed}. */
export interface Shape {
  /** What is due at `now` of the subscriptions that are switched on: at most so many of each, the longest due first; by subscription in the order of their ids. */
  readonly due: (now: number, perSubscription: number) => Effect.Effect<ReadonlyArray<Due>, StoreFailed>
  /** What goes out with an attempt at `now`; undefined when there is none to be made any more. */
  readonly content: (delivery: Due, now: number) => Effect.Effect<Content | undefined, StoreFailed>
  /** When, after `now`, something more becomes due by the passing of time; undefined when nothing does. */
  readonly nextAt: (now: number) => Effect.Effect<number | undefined, StoreFailed>
  /**
   * Notes an attempt and what follows from it, as one. Nothing happens when the delivery is gone, or when somebody else has noted an attempt at it since it was
   * read. Interrupting it leaves all as it was, or done.
   */
  readonly settle: (delivery: Due, record: Record, next: Next) => Effect.Effect<void, StoreFailed>
  /** How many deliveries wait for subscriptions that are switched on. */
  readonly waiting: Effect.Effect<number, StoreFailed>
  /** Removes some of the deliveries that have been over since before a time; gives how many. */
  readonly prune: (before: number) => Effect.Effect<number, StoreFailed>
}

/** The store of the service. */
export class DeliveryStore extends Context.Tag("stellar-insights/webhooks/DeliveryStore")<
  DeliveryStore,
  Shape
>() {}
