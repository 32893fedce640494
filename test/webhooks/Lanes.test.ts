/** Which deliveries may begin. */
import { assert, describe, it } from "@effect/vitest"
import type { Due } from "../../src/webhooks/DeliveryStore.js"
import * as Lanes from "../../src/webhooks/Lanes.js"

let last = 0
const due = (subscription: string, options: Partial<Due> = {}): Due => {
  last += 1
  return {
    id: last,
    subscription,
    messageId: `m${last}`,
    key: `k${last}`,
    attempts: 0,
    url: `https://${subscription}.example.com/`,
    failures: 0,
    lastLatencyMillis: 5,
    ...options
  }
}
const many = (count: number, subscription: string, options: Partial<Due> = {}) =>
  Array.from({ length: count }, () => due(subscription, options))
const names = (all: ReadonlyArray<Due>) => all.map(({ subscription }) => subscription)
const room = { concurrency: 8, perEndpoint: 3 }

describe("lanes", () => {
  it("give every subscription one before any has a second", () => {
    const lanes = Lanes.make(room)
    const startable = lanes.startable([...many(5, "a"), ...many(2, "b"), ...many(1, "c")])
    assert.deepStrictEqual(names(startable), ["a", "b", "c", "a", "b", "a"])
  })

  it("begin nothing by being asked, and have room again when something is over", () => {
    const lanes = Lanes.make({ concurrency: 2, perEndpoint: 2 })
    const [one, two, three] = many(3, "a")
    for (let again = 0; again < 2; again++) {
      assert.deepStrictEqual(lanes.startable([one!, two!, three!]), [one!, two!])
    }
    for (const each of [one!, two!]) lanes.begin(each)
    assert.strictEqual(lanes.running(), 2)
    assert.deepStrictEqual(lanes.startable([three!]), [])
    lanes.end(one!)
    assert.deepStrictEqual(lanes.startable([three!]), [three!])
  })

  it("have one of a key at once, though two are due, as when one is delivered again", () => {
    const lanes = Lanes.make(room)
    const [one, two] = many(2, "a", { key: "k" })
    const other = due("b", { key: "k" })
    assert.deepStrictEqual(lanes.startable([one!, two!, other]), [one!, other])
    lanes.begin(one!)
    assert.deepStrictEqual(lanes.startable([one!, two!]), [])
  })

  it("have one at once of what failed, took long or is unknown", () => {
    for (const options of [{ failures: 1 }, { lastLatencyMillis: 1001 }, { lastLatencyMillis: null }]) {
      const lanes = Lanes.make(room)
      const [one, two] = many(2, "a", options)
      assert.deepStrictEqual(lanes.startable([one!, two!]), [one!], JSON.stringify(options))
      lanes.begin(one!)
      assert.deepStrictEqual(lanes.startable([two!]), [], JSON.stringify(options))
    }
  })

  it("keep half of the room for what answers well", () => {
    const lanes = Lanes.make(room)
    const bad = Array.from({ length: 20 }, (_, index) => due(`bad${index}`, { failures: 3 }))
    const begun = lanes.startable(bad)
    assert.strictEqual(begun.length, 4)
    for (const each of begun) lanes.begin(each)
    assert.deepStrictEqual(names(lanes.startable([...bad, ...many(3, "a"), ...many(3, "b")])), [
      "a",
      "b",
      "a",
      "b"
    ])
  })

  it("take turns: who had to wait comes first the next time", () => {
    const lanes = Lanes.make({ concurrency: 1, perEndpoint: 1 })
    const served = Array.from({ length: 6 }, () => {
      const [next] = lanes.startable([...many(2, "a"), ...many(2, "b"), ...many(2, "c")])
      lanes.begin(next!)
      lanes.end(next!)
      return next!.subscription
    })
    assert.deepStrictEqual(served, ["a", "b", "c", "a", "b", "c"])
  })
})
