/** What a drill shows of itself while it runs, on standard error: a line that is written over on a terminal, a line a stop elsewhere. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import type { Progress } from "../../drill/DrillOptions.js"
import * as Figure from "../../drill/report/Figure.js"
import * as Summary from "../../drill/report/Summary.js"
import * as Text from "../../drill/report/Text.js"
import type { Scenario } from "../../drill/Scenario.js"

/** Where it is shown. */
export interface Screen {
  /** Writes text as it is. */
  readonly write: (text: string) => void
  /** Columns of the terminal; undefined when it is none. */
  readonly columns: number | undefined
}

/** Standard error. */
export const standardError: Screen = {
  write: (text) => void process.stderr.write(text),
  get columns() {
    return process.stderr.isTTY ? process.stderr.columns : undefined
  }
}

const clear = "\r\u001b[2K"

/** A listener for `DrillOptions.onProgress`. What it has drawn is gone with its scope. */
export const make = (
  screen: Screen
): Effect.Effect<(progress: Progress) => Effect.Effect<void>, never, Scope.Scope> =>
  Effect.gen(function* () {
    let stops = 0
    let lost = 0
    let notMet = 0
    let now: { readonly nth: number; readonly scenario: Scenario; readonly since: number } | undefined
    const isLive = screen.columns !== undefined

    const draw = () => {
      if (now === undefined) return
      const { nth, scenario, since } = now
      const state = `${Figure.integer(lost)} lost${notMet === 0 ? "" : `, ${Figure.count(notMet, "expectation")} not met`}`
      const seconds = Math.floor((performance.now() - since) / 1000)
      const line = `${String(nth).padStart(String(stops).length)}/${stops}  ${state}  ${scenario.id} ${seconds} s`
      screen.write(clear + line.slice(0, (screen.columns ?? 80) - 1))
    }
    if (isLive) {
      yield* Effect.addFinalizer(() => Effect.sync(() => screen.write(clear)))
      yield* Effect.sync(draw).pipe(
        Effect.repeat(Schedule.spaced(Duration.millis(250))),
        Effect.interruptible,
        Effect.forkScoped
      )
    }

    const take = (progress: Progress): void => {
      switch (progress._tag) {
        case "Began":
          stops = progress.stops
          screen.write(`${Figure.count(stops, "stop")}, seed ${progress.seed}\n`)
          return
        case "StopBegan":
          now = { nth: progress.nth, scenario: progress.scenario, since: performance.now() }
          if (isLive) draw()
          return
        case "StopEnded": {
          const judged = Summary.judge(progress.stop, now?.scenario.lossesCount !== false)
          lost += judged.lost.length
          notMet += judged.failed.length
          const isBad = judged.lost.length + judged.failed.length > 0
          // On a terminal only what went wrong stays.
          if (!isLive || isBad) screen.write(`${isLive ? clear : ""}${Text.stopLine(judged)}\n`)
        }
      }
    }
    return (progress) => Effect.sync(() => take(progress))
  })
