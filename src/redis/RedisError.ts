/**
 * What a command to Redis can end in.
 *
 * @module
 */
import * as Data from "effect/Data"

/** Why a command brought nothing. */
export type Reason =
  /** There is no connection now. It was not sent. */
  | "away"
  /** Redis left too many commands unanswered and is left alone for a moment. It was not sent. */
  | "resting"
  /** Too many commands wait for their answers. It was not sent. */
  | "busy"
  /** The answer did not come in time. Redis may have done it, or may still. */
  | "timeout"
  /** The connection ended before the answer came. Redis may have done it. */
  | "lost"
  /** Redis answered that it does not, or cannot: `cause` has its words. */
  | "refused"
  /** The service is done with Redis. It was not sent. */
  | "closed"

const words: { readonly [R in Reason]: string } = {
  away: "Redis is not connected",
  resting: "Redis did not answer lately and is left alone for a moment",
  busy: "too many commands wait for Redis",
  timeout: "Redis did not answer in time",
  lost: "the connection to Redis ended before its answer",
  refused: "Redis refused",
  closed: "Redis was released"
}

/** A command brought nothing. */
export class RedisError extends Data.TaggedError("RedisError")<{
  /** Why. */
  readonly reason: Reason
  /** The command's name; its arguments are nobody's business. */
  readonly command: string
  /** What was said, when something was. */
  readonly cause?: unknown
}> {
  /** The same for people. */
  override get message(): string {
    const said = this.cause instanceof Error ? `: ${this.cause.message}` : ""
    return `${this.command}: ${words[this.reason]}${said}`
  }
}
