/** Accounts as people write them (SEP-23): `G`, then base32 of the key and a checksum. */

import * as Bytes from "./Bytes.js"

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
const ACCOUNT = 6 << 3

/** CRC-16/XMODEM of each byte, the checksum that SEP-23 asks for. */
const CRC = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8
  for (let bit = 0; bit < 8; bit++) crc = (crc & 0x8000) === 0 ? crc << 1 : (crc << 1) ^ 0x1021
  return crc & 0xffff
})

// Two thousand accounts take part in a busy ledger, and mostly the same ones in the next. Two halves, so that filling up costs no pause.
const KEPT = 16_384
let young = new Map<string, string>()
let old = new Map<string, string>()

/** The account of an ed25519 key of 32 bytes, as `G...`. Never fails; remembers the last ones that it gave. */
export const account = (publicKey: Uint8Array): string => {
  const key = Bytes.text(publicKey, 0, 32)
  const known = young.get(key)
  if (known !== undefined) return known
  const made = old.get(key) ?? encode(publicKey)
  if (young.size >= KEPT) {
    old = young
    young = new Map()
  }
  young.set(key, made)
  return made
}

const scratch = new Uint8Array(35)
const letters = new Uint8Array(56)

const encode = (publicKey: Uint8Array): string => {
  scratch[0] = ACCOUNT
  scratch.set(publicKey, 1)
  let crc = 0
  for (let i = 0; i < 33; i++) crc = ((crc << 8) & 0xffff) ^ CRC[(crc >> 8) ^ scratch[i]!]!
  // Low byte first.
  scratch[33] = crc & 0xff
  scratch[34] = crc >> 8
  let bits = 0
  let count = 0
  let out = 0
  for (let i = 0; i < 35; i++) {
    bits = ((bits & 0x1f) << 8) | scratch[i]!
    count += 8
    while (count >= 5) {
      count -= 5
      letters[out++] = ALPHABET.charCodeAt((bits >> count) & 31)
    }
  }
  return Bytes.text(letters, 0, 56)
}
