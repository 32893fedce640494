/**
 * Whether a graph that has been acquired fits into the whole: the longest path through what was really built, next to what was configured.
 *
 * The budget is derived from the configuration before anything is built. Only now are the limits of all named layers, quiesces and hooks
 * known, and a service whose stop cannot hold must not become ready.
 */
import * as Duration from "effect/Duration"
import * as Either from "effect/Either"
import * as HashSet from "effect/HashSet"
import * as Budget from "./Budget.js"
import * as DurationConfig from "./DurationConfig.js"
import * as Hooks from "./Hooks.js"
import type * as Lifecycle from "./Lifecycle.js"
import * as Steps from "./Steps.js"

const parts = (lifecycle: Lifecycle.Shape, budget: Budget.Shape) => {
  const { hooks, quiesces, stopping } = lifecycle.internal
  return {
    announce: Duration.toMillis(budget.announceDelay),
    drain: Math.max(0, ...[...quiesces].map(({ limit }) => Duration.toMillis(limit))),
    before: Hooks.sum(Hooks.due(hooks, "before-release")),
    graph: Steps.longestChain(HashSet.fromIterable(stopping.open)),
    after: stopping.tailMillis
  }
}

const needed = (lifecycle: Lifecycle.Shape, budget: Budget.Shape): number =>
  Object.values(parts(lifecycle, budget)).reduce((sum, millis) => sum + millis, 0)

/** The whole of a stop that begins now, in milliseconds: as set, else as long as the longest path. */
export const whole = (lifecycle: Lifecycle.Shape, budget: Budget.Shape): number => {
  const configured = Duration.toMillis(budget.whole)
  return budget.wholeIsSet ? configured : Math.max(configured, needed(lifecycle, budget))
}

/** Refuses a graph whose longest path does not fit into a whole that was set, with the arithmetic. */
export const check = (
  lifecycle: Lifecycle.Shape,
  budget: Budget.Shape
): Either.Either<void, Budget.BudgetRefused> => {
  const total = needed(lifecycle, budget)
  const configured = Duration.toMillis(budget.whole)
  if (!budget.wholeIsSet || total <= configured) return Either.void
  const show = (millis: number) => DurationConfig.format(Duration.millis(millis))
  const { after, announce, before, drain, graph } = parts(lifecycle, budget)
  return Either.left(
    new Budget.BudgetRefused({
      message:
        `SHUTDOWN_TIMEOUT=${show(configured)} is too short for this service: ${show(announce)} announce + ${show(drain)} longest quiesce + ` +
        `${show(before)} hooks before + ${show(graph)} longest chain of releases + ${show(after)} hooks after = ${show(total)}`
    })
  )
}
