/** What is shipped to run the service allows every stop the time that it may take there. */
import { assert, describe, it } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Settings from "../../src/cli/Settings.js"
import * as Watchdog from "../../src/lifecycle/node/Watchdog.js"
import * as Shipped from "./support/Shipped.js"

const shipped = Shipped.all()

/** Keys that are not the service's but Node's or its packages'. */
const foreign = ["NODE_ENV"]

const read = (env: Readonly<Record<string, string>>) =>
  Settings.read.pipe(Effect.withConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(env)))))

describe("everything in deploy/ that starts the service", () => {
  it("is found", () => {
    assert.sameMembers(
      shipped.map(({ where }) => where),
      [
        "Dockerfile",
        "deploy/compose.yaml stellar-insights",
        "deploy/compose.yaml blue",
        "deploy/compose.yaml green",
        "deploy/kubernetes/deployment.yaml stellar-insights",
        "deploy/systemd/stellar-insights.service"
      ]
    )
    // A grace period in a file that nobody reads here would be checked by nobody.
    const said = Shipped.files().flatMap(({ name, text }) =>
      /^\s*(terminationGracePeriodSeconds|stop_grace_period|TimeoutStopSec)\s*[:=]/m.test(text) ? [name] : []
    )
    assert.sameMembers(said, [
      "deploy/compose.yaml",
      "deploy/kubernetes/deployment.yaml",
      "deploy/systemd/stellar-insights.service"
    ])
  })

  it.effect.each(shipped)("$where: every key is one, and has a value that is accepted", ({ env }) =>
    Effect.gen(function* () {
      const known = new Set<string>([...Settings.keys, ...Settings.ownKeys, ...foreign])
      assert.deepStrictEqual(
        Object.keys(env).filter((key) => !known.has(key)),
        []
      )
      yield* read(env)
    })
  )

  it.effect.each(shipped)(
    "$where: its grace is longer than the whole stop, what comes before it, and the watchdog",
    ({ before, env, grace }) =>
      Effect.gen(function* () {
        const { budget } = yield* read(env)
        const whole = Duration.toMillis(budget.whole)
        assert.isAbove(grace, before + whole + Watchdog.graceMillis)
        // The service checks this itself when it starts, if it is told the truth.
        assert.strictEqual(Number(env["TERMINATION_GRACE_PERIOD"]) * 1000, grace - before)
      })
  )

  it("what is said of durations is read", () => {
    assert.deepStrictEqual(
      ["60", "60s", "12s", "1m30s", "1min 30s", "500ms"].map(Shipped.millis),
      [60_000, 60_000, 12_000, 90_000, 90_000, 500]
    )
    assert.throws(() => Shipped.millis("soon"))
    assert.throws(() => Shipped.millis("5 parsecs"))
  })
})
