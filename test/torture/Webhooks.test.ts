/** E6: a sender of webhooks that is killed at any instant loses none. `TORTURE=long npm run torture` kills 200 times; 20 times are among the tests of every change. */
import { afterEach, assert, it } from "@effect/vitest"
import * as Child from "../support/Child.js"
import * as WebhookKills from "../support/WebhookKills.js"

const kills = 200
const seed = Number(process.env.TORTURE_SEED ?? Date.now() >>> 0)

afterEach(Child.clear)

it.skipIf(process.env.TORTURE !== "long")(
  `every event arrives under one id, in order, though the sender is killed ${kills} times`,
  async () => {
    console.log(`TORTURE_SEED=${seed}`)
    const { during, events, requests } = await WebhookKills.run(kills, seed)
    console.log(
      `${kills} kills, ${during} with a request under way: ${events} events arrived, in ${requests} requests`
    )
    assert.isAtLeast(requests, events)
    assert.isAtLeast(during, kills / 10)
  },
  1_200_000
)
