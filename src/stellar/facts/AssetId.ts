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

/** The text of an asset. Never fails. */
export const of = (asset: T.Asset): string =>
  asset.type === "assetTypeNative"
    ? native
    : `${code(asset.value.assetCode)}:${StrKey.account(asset.value.issuer.value)}`

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
