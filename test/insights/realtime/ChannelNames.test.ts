import { assert, describe, it } from "@effect/vitest"
import * as Option from "effect/Option"
import type * as Outbox from "../../../src/insights/Outbox.js"
import * as ChannelNames from "../../../src/insights/realtime/ChannelNames.js"

const issuer = "GA5ZSEJYB37JRC5AVCIA5MOP4RHTM335X2KGX3IHOJAPP5RE34K4KZVN"
const usd = `USD:${issuer}`
const pool = "ab".repeat(32)

const event = (kind: Outbox.Event["kind"], key: string, payload: Record<string, unknown>): Outbox.Event => ({
  id: 7,
  kind,
  ledger: 3,
  closedAt: 1_700_000_000,
  key,
  payload
})

describe("a channel", () => {
  it.each([
    "ledgers",
    "payments",
    "tasks",
    "notices",
    "asset:native",
    `asset:${usd}`,
    `corridor:native~${usd}`,
    `pool:${pool}`,
    "anchor:my-anchor"
  ])("%s exists", (channel) => assert.isNull(Option.getOrNull(ChannelNames.accepts(channel))))

  it.each([
    ["ledger", "there is none of this name; channels are ledgers, payments, tasks, notices, corridor:{id}"],
    ["constructor:x", "there is none of this name"],
    ["ledgers:1", "there is none of this name"],
    ["asset:USD", "what follows asset: must be an asset, native or CODE:ISSUER"],
    [`asset:${usd.slice(0, -1)}A`, "what follows asset: must be"],
    [`corridor:${usd}`, "what follows corridor: must be two assets"],
    [`corridor:native~${usd}~native`, "what follows corridor: must be two assets"],
    [`pool:${pool.toUpperCase()}`, "what follows pool: must be a pool's id"],
    ["anchor:", "what follows anchor: must be an anchor's id"]
  ])("%s does not, and it is said what does", (channel, why) => {
    assert.include(Option.getOrNull(ChannelNames.accepts(channel)), why)
  })
})

describe("an event", () => {
  it.each<[Outbox.Event["kind"], string, Record<string, unknown>, ReadonlyArray<string>]>([
    ["ledger_closed", "3", {}, ["ledgers"]],
    ["new_payment", "1", { srcAsset: usd, dstAsset: "native" }, ["payments", `asset:${usd}`, "asset:native"]],
    ["new_payment", "1", { srcAsset: usd, dstAsset: usd }, ["payments", `asset:${usd}`]],
    [
      "corridor_update",
      `${usd}~native`,
      { srcAsset: usd, dstAsset: "native" },
      [`asset:${usd}`, "asset:native", `corridor:${usd}~native`]
    ],
    [
      "pool_update",
      pool,
      { assetA: "native", assetB: usd },
      ["asset:native", `asset:${usd}`, `pool:${pool}`]
    ],
    ["anchor_update", "one", {}, ["tasks", "anchor:one"]],
    [
      "health_alert",
      `corridor:${usd}~native`,
      { srcAsset: usd, dstAsset: "native" },
      ["tasks", `asset:${usd}`, "asset:native", `corridor:${usd}~native`]
    ],
    ["snapshot_update", "pools", {}, ["tasks"]],
    ["notice", "x", {}, ["notices"]]
  ])("%s goes out on channels that exist", (kind, key, payload, channels) => {
    assert.deepStrictEqual(ChannelNames.of(event(kind, key, payload)), channels)
    for (const channel of channels) assert.isNull(Option.getOrNull(ChannelNames.accepts(channel)), channel)
  })

  it("says of which ledger it tells and when that closed; what operators say is as they said it", () => {
    assert.deepStrictEqual(ChannelNames.toEvent(event("ledger_closed", "3", { sequence: 3 })), {
      id: 7,
      channels: ["ledgers"],
      type: "ledger_closed",
      payload: { ledger: 3, closedAt: 1_700_000_000, sequence: 3 }
    })
    const said = { title: "", message: "hello", level: "info" }
    assert.deepStrictEqual(ChannelNames.toEvent(event("notice", "x", said)).payload, said)
  })
})
