/** E6: a sender of webhooks that is killed at any instant loses none. The long form is part of the torture. */
import { afterEach, assert, it } from "@effect/vitest"
import * as Child from "../support/Child.js"
import * as WebhookKills from "../support/WebhookKills.js"

afterEach(Child.clear)

const kills = 20

it("every event arrives under one id, in order, however often the sender is killed", async () => {
  const seed = Number(process.env.WEBHOOKS_SEED ?? Date.now() >>> 0)
  const { during, events, requests } = await WebhookKills.run(kills, seed)
  console.log(
    `WEBHOOKS_SEED=${seed}: ${kills} kills, ${during} with a request under way; ${events} events, ${requests} requests`
  )
  assert.isAbove(events, 20)
  assert.isAtLeast(during, kills / 10)
  assert.isAtLeast(requests, events)
}, 120_000)
