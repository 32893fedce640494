/** Trustlines on the simulated network: made, limited, authorized and removed. */
import type { ChangeTrustAsset, OperationResultTr } from "../xdr/generated/types.js"
import { inner, type Act } from "./SimulatedAct.js"
import * as SimulatedEntry from "./SimulatedEntry.js"
import type { Account, Line, Pool } from "./SimulatedState.js"

/** A trustline's flag: its holder may use it. */
export const authorized = 1

/** A trustline's flag: its holder may keep the offers that there are, and make none. */
export const maintaining = 2

const named = ({ of }: Line): ChangeTrustAsset =>
  "reserveA" in of
    ? {
        type: "assetTypePoolShare",
        value: { type: "liquidityPoolConstantProduct", value: SimulatedEntry.parameters(of) }
      }
    : of.asset

// A share counts as two of an account's entries, and the pool comes and goes with those who have one.
const join = (line: Line, pool: Pool, by: 1 | -1) => {
  line.holder.subEntries += by
  pool.lines += BigInt(by)
  pool.exists = pool.lines > 0n
}

/** A trustline with that limit: made where there was none, removed where the limit is 0. */
export const change = (line: Line, limit: bigint): Act => ({
  source: line.holder,
  body: () => ({ type: "changeTrust", value: { line: named(line), limit } }),
  result: () => inner({ type: "changeTrust", value: { type: "changeTrustSuccess" } }),
  fails: false,
  apply: (touch) => {
    const { holder, of } = line
    const isPool = "reserveA" in of
    const by = line.exists ? (limit === 0n ? -1 : 0) : 1
    if (by !== 0) {
      touch(holder)
      if (isPool) touch(of)
      holder.subEntries += by
    }
    touch(line)
    line.limit = limit
    if (by === 0) return
    line.exists = by > 0
    line.balance = 0n
    line.flags = by > 0 && (isPool || !of.authorization) ? authorized : 0
    if (isPool) join(line, of, by)
  }
})

/** The issuer sets a trustline's flags to `flags`; `legacy` does so with the operation that there was before. */
export const authorize = (issuer: Account, line: Line, flags: number, legacy: boolean): Act => {
  const { asset } = line.of as Exclude<Line["of"], Pool>
  if (asset.type === "assetTypeNative") throw new TypeError("nobody authorizes lumens")
  const value: OperationResultTr = legacy
    ? { type: "allowTrust", value: { type: "allowTrustSuccess" } }
    : { type: "setTrustLineFlags", value: { type: "setTrustLineFlagsSuccess" } }
  const trustor = line.holder.id
  return {
    source: issuer,
    body: () =>
      legacy
        ? {
            type: "allowTrust",
            value: { trustor, asset: { type: asset.type, value: asset.value.assetCode }, authorize: flags }
          }
        : {
            type: "setTrustLineFlags",
            value: { trustor, asset, clearFlags: (authorized | maintaining) & ~flags, setFlags: flags }
          },
    result: () => inner(value),
    fails: false,
    apply: (touch) => {
      touch(line)
      line.flags = flags
    }
  }
}
