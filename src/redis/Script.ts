/**
 * A script that Redis runs, in one step: nothing happens between its first command and its last.
 *
 * @module
 */
import { createHash } from "node:crypto"

/** A script in Lua. */
export interface Script {
  /** Its text. */
  readonly lua: string
  /** SHA-1 of the text, under which Redis remembers it. */
  readonly sha: string
}

/** A script of this text. */
export const make = (lua: string): Script => ({
  lua,
  sha: createHash("sha1").update(lua, "utf8").digest("hex")
})
