/** Addresses of accounts as people write them: `G` and 55 more characters, the last three a checksum (SEP-23). */
import * as StrKey from "./facts/StrKey.js"

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"

/** Whether `text` is the address of an account, checksum included. */
export const isValid = (text: string): boolean => {
  if (!/^G[A-Z2-7]{55}$/.test(text)) return false
  const key = new Uint8Array(32)
  let bits = 0
  let value = 0
  let at = -1
  for (const character of text) {
    value = ((value << 5) | alphabet.indexOf(character)) & 0xfff
    bits += 5
    if (bits < 8) continue
    bits -= 8
    // The first byte is the kind of address, which `G` has told, and behind the key comes its checksum.
    if (at >= 0 && at < 32) key[at] = (value >> bits) & 0xff
    at += 1
  }
  return StrKey.account(key) === text
}
