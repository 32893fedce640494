/**
 * A sender of webhooks that is killed again and again, and a receiver that verifies what it gets with the reference implementation of Standard Webhooks. At the end
 * every event that was committed must have arrived, each under one id, and those of one key for the first time in their order.
 */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import { Webhook } from "standardwebhooks"
import { join } from "node:path"
import * as WebhookDispatcher from "../../src/insights/tasks/WebhookDispatcher.js"
import * as Hooks from "../insights/webhooks/Hooks.js"
import * as Random from "../simulation/Random.js"
import * as Receiver from "../webhooks/Receiver.js"
import * as Child from "./Child.js"
import * as TableDump from "./TableDump.js"

/** What came of it. */
export interface Account {
  /** Events that were committed. */
  readonly events: number
  /** Requests that the receiver got. */
  readonly requests: number
  /** Kills while a request was in the receiver's hands. */
  readonly during: number
}

interface Message {
  readonly data: { readonly srcAsset: string; readonly index: number }
}

const wait = (millis: number) => new Promise((resolve) => setTimeout(resolve, millis))

/** Waits for a condition; throws with `say` after a minute. */
const until = async (condition: () => boolean, say: () => string) => {
  const deadline = performance.now() + 60_000
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(say())
    await wait(2)
  }
}

/** Kills so many times; fails with what is not as it must be. */
export const run = async (kills: number, seed: number): Promise<Account> => {
  const random = Random.make(seed)
  const scope = Effect.runSync(Scope.make())
  const within = <A, E>(effect: Effect.Effect<A, E, Scope.Scope>) =>
    Effect.runPromise(Scope.extend(effect, scope))
  const folder = Child.folder()
  const filename = join(folder, "webhooks.db")
  /** The latest of what came, by id: the event that it tells of, and its place among all first arrivals. */
  const arrived = new Map<string, Message>()
  const firsts = new Map<string, Array<number>>()
  let secret: string | undefined
  let wrong: unknown
  let [requests, inHand] = [0, 0]
  try {
    const receiver = await within(
      Receiver.make((response, { body, headers }) => {
        requests += 1
        inHand += 1
        try {
          const message = new Webhook(secret!).verify(body, headers) as Message
          const id = headers["webhook-id"]!
          const before = arrived.get(id)
          if (before === undefined) {
            arrived.set(id, message)
            const key = message.data.srcAsset
            firsts.set(key, [...(firsts.get(key) ?? []), Number(id.split("_")[2])])
          } else assert.deepStrictEqual(message, before)
        } catch (error) {
          wrong ??= error
        }
        setTimeout(
          () => {
            inHand -= 1
            response.writeHead(200).end()
          },
          random.int(0, 25)
        )
      })
    )
    const subscription = await Effect.runPromise(
      Effect.scoped(
        Effect.gen(function* () {
          const file = { url: `sqlite:${filename}`, filename }
          const { outbox, subscriptions } = yield* Hooks.make({ allowHttp: true, allowPrivate: true }, file)
          yield* outbox.register(WebhookDispatcher.name, "newest")
          return yield* subscriptions.create({ ...Hooks.everything, url: receiver.url })
        })
      )
    )
    secret = Redacted.value(subscription.secret)
    const args = await Child.program("webhooks.ts")
    const start = async (events: number) => {
      const child = Child.start(args, { FILE: filename, EVENTS: String(events) }, folder)
      await child.says(/producing/)
      return child
    }
    let during = 0
    for (let kill = 0; kill < kills; kill++) {
      const child = await start(100_000)
      const before = requests
      const said = () => `no request\n${child.stdout()}`
      // In the middle of a request; some time after the first one; or soon after the start, when what was left over goes out again.
      if (kill % 3 === 0) await until(() => inHand > 0, said)
      if (kill % 3 === 1) await until(() => requests > before, said)
      await wait(random.int(0, [5, 120, 60][kill % 3]!))
      if (inHand > 0) during += 1
      child.kill("SIGKILL")
      await child.end
    }
    const idsOf = () =>
      TableDump.reading(filename, (database) =>
        database.prepare("SELECT id FROM outbox").pluck().all()
      ) as Array<number>
    const wanted = idsOf()
    const last = await start(0)
    const missing = () => wanted.filter((id) => !arrived.has(`${subscription.subscription.id}_${id}`))
    await until(
      () => missing().length === 0,
      () => `${missing().length} of ${wanted.length} events never came\n${last.stdout().slice(-2000)}`
    )
    last.kill("SIGTERM")
    const { code } = await last.end
    assert.strictEqual(code, 0, last.stdout())
    if (wrong !== undefined) throw wrong
    assert.deepStrictEqual(idsOf(), wanted)
    assert.strictEqual(
      arrived.size,
      wanted.length,
      "one id for each event, and none of what was not committed"
    )
    for (const ids of firsts.values()) {
      assert.deepStrictEqual(
        ids,
        ids.toSorted((a, b) => a - b)
      )
    }
    return { events: wanted.length, requests, during }
  } finally {
    await Effect.runPromise(Scope.close(scope, Exit.void))
  }
}
