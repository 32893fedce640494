/**
 * A service without a port, with knobs for what makes a process outlive its stop.
 *
 * KNOB, one or more of: `block` spins for ever when the drain begins, `native` waits in a system call while releasing, `promises` starves the loop while draining, `leak` keeps an
 * interval, `exit` spins when the process exits, `report` never comes back from the report, `early` spins before any signal, `hang` has a release that never ends and
 * leaks, `slow` drains for half a minute. RECORD names the record of the run; OPTION turns a guard off; LIMIT is the release's, in seconds; LOG=debug
 * logs more.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { execFileSync } from "node:child_process"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Lifecycle from "../../../src/lifecycle/Lifecycle.js"
import * as NodeLaunch from "../../../src/lifecycle/node/NodeLaunch.js"
import * as Resource from "../../../src/lifecycle/Resource.js"

const { KNOB: knobs = "", OPTION: option, RECORD: record, LIMIT: limit, LOG: log } = process.env

const has = (knob: string) => knobs.split(" ").includes(knob)

const spinForEver = () => {
  for (;;);
}

const starve = async () => {
  for (;;) await Promise.resolve()
}

const database = Resource.named("database", { limit: Duration.seconds(Number(limit ?? 0.5)) })(
  Layer.scopedDiscard(
    Effect.addFinalizer(() => {
      if (has("native")) return Effect.sync(() => execFileSync("sleep", ["60"]))
      return has("hang") ? Effect.never : Effect.log("database closed")
    })
  )
)

const worker = Layer.scopedDiscard(
  Effect.flatMap(Lifecycle.Lifecycle, (lifecycle) =>
    lifecycle.addQuiesce({
      name: "worker",
      limit: Duration.seconds(has("slow") ? 30 : 1),
      run: Effect.suspend(() => {
        if (has("block")) return Effect.sync(spinForEver)
        if (has("promises")) return Effect.promise(starve)
        return has("slow") ? Effect.sleep(Duration.seconds(30)) : Effect.void
      })
    })
  )
).pipe(Layer.provide(database))

if (has("leak") || has("hang")) setInterval(() => {}, 1_000_000)
if (has("exit")) process.on("exit", spinForEver)
if (has("early")) setTimeout(spinForEver, 500)

NodeRuntime.runMain(
  NodeLaunch.launch(worker, {
    ...(option === "no-watchdog" ? { watchdog: false } : {}),
    ...(record === undefined ? {} : { recordFile: () => record }),
    ...(has("report") ? { onReport: () => Effect.never } : {})
  }).pipe(Logger.withMinimumLogLevel(log === "debug" ? LogLevel.Debug : LogLevel.Info))
)
