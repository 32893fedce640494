/**
 * What makes entries outdated all at once: each tag has a token, an entry carries those of its tags, and it counts only while they are what they were. To
 * invalidate is to change the token, whatever the number of entries; those that carry an old one are never found again, and go when their time is over.
 *
 * Tokens are drawn at random and not counted: a Redis that lost everything would begin to count again, and old entries would be new ones.
 */
import * as Effect from "effect/Effect"
import { randomBytes } from "node:crypto"

/** What is known of some tags. */
export interface Known {
  /** Their tokens, as one text. */
  readonly stamp: string
  /** Whether that can be relied on. */
  readonly isSure: boolean
}

/** The generations of tags. Nothing here fails. */
export interface Generations {
  /** What is known now. */
  readonly known: (tags: ReadonlyArray<string>) => Known
  /** Asks for what is not sure; whether it is then. Ends in bounded time. */
  readonly verify: (tags: ReadonlyArray<string>) => Effect.Effect<boolean>
  /** Makes everything outdated that carries one of these tags: here when it begins, elsewhere when it ends and they could be reached. */
  readonly renew: (tags: ReadonlyArray<string>) => Effect.Effect<void>
}

/** A token that never was and never will be again. */
export const draw = (): string => randomBytes(9).toString("base64url")

/** Generations of this process alone. `changed` is told of every tag that has a new one. */
export const makeMemory = (changed: (tag: string) => void): Generations => {
  const tokens = new Map<string, string>()
  const of = (tag: string) => {
    const known = tokens.get(tag) ?? draw()
    tokens.set(tag, known)
    return known
  }
  return {
    known: (tags) => ({ stamp: tags.map(of).join("."), isSure: true }),
    verify: () => Effect.succeed(true),
    renew: (tags) =>
      Effect.sync(() => {
        for (const tag of tags) {
          tokens.set(tag, draw())
          changed(tag)
        }
      })
  }
}
