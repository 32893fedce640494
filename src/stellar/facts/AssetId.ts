/**
 * Assets as text: `native`, or `CODE:ISSUER` as SEP-11 writes it.
 *
 * Every asset that XDR can hold has a text of its own. The network takes codes of letters and digits only; any other byte, which only a ledger that is
 * not the network's can hold, is written as `\xHH`, as is the zero that tells a short code in the long form from the same code in the short one.
 */
import type * as T from "../xdr/generated/types.js"
import * as Bytes from "./Bytes.js"
import * as StrKey from "./StrKey.js"

/** The network's own coin. */
export const native = "native"

/** The text of an asset. Never fails; the same asset gives the same string while it is remembered, which maps find without reading it again. */
export const of = (asset: T.Asset): string => {
  if (asset.type === "assetTypeNative") return native
  const issuer = StrKey.account(asset.value.issuer.value)
  const name = code(asset.value.assetCode)
  let issued = byIssuer.get(issuer)
  if (issued === undefined) byIssuer.set(issuer, (issued = new Map()))
  let id = issued.get(name)
  if (id === undefined) {
    if (++remembered > KEPT) forget()
    id = `${name}:${issuer}`
    issued.set(name, id)
  }
  return id
}

// Some hundred are touched by a ledger; this many take a few megabytes.
const KEPT = 32_768
let remembered = 0
const byIssuer = new Map<string, Map<string, string>>()

// Rare: whoever issues assets by the thousand pays for each of them.
const forget = (): void => {
  byIssuer.clear()
  remembered = 0
}

const code = (bytes: Uint8Array): string => {
  let end = bytes.length
  while (end > 0 && bytes[end - 1] === 0) end--
  let valid = end > bytes.length - 8
  for (let i = 0; i < end && valid; i++) valid = isLetterOrDigit(bytes[i]!)
  return valid ? Bytes.text(bytes, 0, end) : escaped(bytes, end)
}

const isLetterOrDigit = (byte: number): boolean =>
  (byte >= 48 && byte <= 57) || (byte >= 65 && byte <= 90) || (byte >= 97 && byte <= 122)

const escaped = (bytes: Uint8Array, end: number): string => {
  let text = ""
  for (let i = 0; i < end; i++) {
    const byte = bytes[i]!
    text += isLetterOrDigit(byte) ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, "0")}`
  }
  return bytes.length === 12 && end <= 4 ? `${text}\\x00` : text
}
