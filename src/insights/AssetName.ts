/** Names of assets, as they stand in events, paths and answers: `native`, or `CODE:ISSUER`. */
import * as AccountAddress from "../stellar/AccountAddress.js"

/** Whether this is `CODE:ISSUER`: a code of 1 to 12 letters and digits, and the address of an account. */
export const isIssued = (text: string): boolean => {
  const [code = "", issuer = "", ...more] = text.split(":")
  return more.length === 0 && /^[A-Za-z0-9]{1,12}$/.test(code) && AccountAddress.isValid(issuer)
}

/** Whether this names an asset. */
export const isValid = (text: string): boolean => text === "native" || isIssued(text)

/** Whether this names a corridor, `<source asset>~<destination asset>`. */
export const isCorridor = (text: string): boolean => {
  const ends = text.split("~")
  return ends.length === 2 && ends.every(isValid)
}

/** Whether this is the id of a liquidity pool. */
export const isPool = (text: string): boolean => /^[0-9a-f]{64}$/.test(text)
