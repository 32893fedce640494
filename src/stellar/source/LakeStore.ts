/**
 * What a lake needs of the place it lies in: get an object, see whether there is one, and list the newest where the place can.
 *
 * A store absorbs what passes (an overloaded server, a broken connection) by waiting and trying again, for as long as it takes; what it
 * ends in does not pass by itself.
 */
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import { LedgerSourceError } from "./LedgerSource.js"

/** A place that holds a lake. */
export interface LakeStore {
  /** The place as an operator wrote it, without anything secret. */
  readonly name: string
  /** Where the object of a key is, for messages; without anything secret. */
  readonly locate: (key: string) => string
  /** The whole object, or none when there is no such object now. Ends in `unreadable`, or `corrupt` when it is larger than allowed. */
  readonly get: (key: string) => Effect.Effect<Option.Option<Uint8Array>, LedgerSourceError>
  /** Whether there is such an object now. Ends in `unreadable`. */
  readonly exists: (key: string) => Effect.Effect<boolean, LedgerSourceError>
  /** Keys among which the newest object's is, or undefined when this place cannot list. Ends in `unreadable`. */
  readonly newestKeys: Effect.Effect<ReadonlyArray<string> | undefined, LedgerSourceError>
  /** The pauses before each further try at an object that turned out corrupt, before that is taken for the truth. */
  readonly corruptRetries: ReadonlyArray<Duration.DurationInput>
}

/** Limits that every store keeps. */
export interface StoreLimits {
  /** Compressed bytes that one object may have. */
  readonly maximumObjectSize: number
}

/** The failure of an object that is larger than the store allows. */
export const tooLarge = (object: string, limit: number): LedgerSourceError =>
  new LedgerSourceError({
    reason: "corrupt",
    object,
    message: `${object} is larger than the ${limit} bytes that an object of a lake may have`
  })

/** Where a lake is: a folder, or a server. */
export type Location =
  | { readonly _tag: "Folder"; readonly path: string }
  | { readonly _tag: "FileUrl"; readonly url: URL }
  | { readonly _tag: "Http"; readonly url: URL }

/** What a location may be, in the words of the error message. */
export const allowedLocations =
  "the path of a folder, a file:// URL, or an http:// or https:// URL without user name and password"

/** Understands the text of a location; undefined when it is none of {@link allowedLocations}. */
export const parseLocation = (text: string): Location | undefined => {
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1]?.toLowerCase()
  if (scheme === undefined)
    return text === "" || text.includes("\0") ? undefined : { _tag: "Folder", path: text }
  if (!URL.canParse(text)) return undefined
  const url = new URL(text)
  if (scheme === "file") return { _tag: "FileUrl", url }
  const plain = url.username === "" && url.password === "" && url.hash === ""
  return (scheme === "http" || scheme === "https") && plain ? { _tag: "Http", url } : undefined
}
