/**
 * The channels of the service, and which events they carry.
 *
 * | channel | carries |
 * |---|---|
 * | `ledgers` | `ledger_closed` |
 * | `payments` | `new_payment` |
 * | `asset:{asset}` | `new_payment`, `corridor_update`, `pool_update` and `health_alert` that have to do with the asset, `native` or `CODE:ISSUER` |
 * | `corridor:{source asset}~{destination asset}` | its `corridor_update` and `health_alert` |
 * | `pool:{id}` | its `pool_update` |
 * | `anchor:{id}` | its `anchor_update` |
 * | `tasks` | what tasks find out: every `anchor_update`, `health_alert` and `snapshot_update` |
 * | `notices` | `notice`, what operators say to everybody |
 */
import * as Option from "effect/Option"
import type * as EventLog from "../../realtime/EventLog.js"
import * as Anchor from "../anchors/Anchor.js"
import * as AssetName from "../AssetName.js"
import type * as Outbox from "../Outbox.js"

/** The channel of what operators say. */
export const notices = "notices"

const whole = new Set(["ledgers", "payments", "tasks", notices])

/** Channels of one thing: what follows the colon, when it is right, and what is right. */
const ofOne: Readonly<Record<string, readonly [fits: (id: string) => boolean, what: string]>> = {
  corridor: [AssetName.isCorridor, "two assets, <source>~<destination>, each native or CODE:ISSUER"],
  anchor: [Anchor.isId, "an anchor's id, lower case letters, digits and single hyphens"],
  pool: [AssetName.isPool, "a pool's id, 64 hexadecimal digits in lower case"],
  asset: [AssetName.isValid, "an asset, native or CODE:ISSUER"]
}

const known = `channels are ${[...whole].join(", ")}, ${Object.keys(ofOne)
  .map((kind) => `${kind}:{id}`)
  .join(", ")}`

/** Whether there is such a channel: none when there is, else why not. Whether the one thing exists is not asked: it may come. */
export const accepts = (channel: string): Option.Option<string> => {
  if (whole.has(channel)) return Option.none()
  const colon = channel.indexOf(":")
  const kind = colon < 0 ? "" : channel.slice(0, colon)
  if (!Object.hasOwn(ofOne, kind)) return Option.some(`there is none of this name; ${known}`)
  const [fits, what] = ofOne[kind]!
  return fits(channel.slice(colon + 1)) ? Option.none() : Option.some(`what follows ${kind}: must be ${what}`)
}

/** Channels of the assets in a payload, each once. */
const assets = (...names: ReadonlyArray<unknown>): ReadonlyArray<string> =>
  [...new Set(names)].filter((name) => typeof name === "string").map((name) => `asset:${name}`)

/** The channels that carry an event, the one that carries the most first. */
export const of = ({ key, kind, payload }: Outbox.Event): ReadonlyArray<string> => {
  switch (kind) {
    case "ledger_closed":
      return ["ledgers"]
    case "new_payment":
      return ["payments", ...assets(payload.srcAsset, payload.dstAsset)]
    case "corridor_update":
      return [...assets(payload.srcAsset, payload.dstAsset), `corridor:${key}`]
    case "pool_update":
      return [...assets(payload.assetA, payload.assetB), `pool:${key}`]
    case "anchor_update":
      return ["tasks", `anchor:${key}`]
    case "health_alert":
      // The key of an alert says what it is about, in the form of a channel.
      return ["tasks", ...assets(payload.srcAsset, payload.dstAsset), key]
    case "snapshot_update":
      return ["tasks"]
    case "notice":
      return [notices]
  }
}

/** An event of the outbox as clients get it: what it says, with the ledger that it tells of and when that closed. */
export const toEvent = (event: Outbox.Event): EventLog.Event => {
  const { closedAt, id, kind, ledger, payload } = event
  return {
    id,
    channels: of(event),
    type: kind,
    payload: kind === "notice" ? payload : { ledger, closedAt, ...payload }
  }
}
