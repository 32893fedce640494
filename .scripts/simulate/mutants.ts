/**
 * Faults that the simulation or a test must notice: each is a place in the library's own source and what is put there instead. The text must occur
 * exactly once; when the source changes, so does this list.
 */

/** One fault. */
export interface Mutant {
  /** Below src/lifecycle. */
  readonly file: string
  readonly text: string
  readonly instead: string
  readonly why: string
}

/** All of them. */
export const mutants: ReadonlyArray<Mutant> = [
  {
    file: "Bounded.ts",
    text: "Effect.zipRight(Deferred.succeed(settled, Option.none())),",
    instead: "Effect.asVoid,",
    why: "no limit is enforced"
  },
  {
    file: "Bounded.ts",
    text: "yield* Option.isSome(outcome) ? Fiber.interruptFork(timer) : Fiber.interruptFork(fiber)",
    instead: "yield* Fiber.interruptFork(timer)",
    why: "what overruns is not asked to stop"
  },
  {
    file: "Bounded.ts",
    text: "yield* Option.isSome(outcome) ? Fiber.interruptFork(timer) : Fiber.interruptFork(fiber)",
    instead: "yield* Option.isSome(outcome) ? Fiber.interruptFork(timer) : Fiber.interrupt(fiber)",
    why: "a step is awaited after being given up"
  },
  {
    file: "Stopping.ts",
    text: "Math.max(0, Math.min(limitMillis, deadline - now - (isHurried ? 0 : reserveMillis)))",
    instead: "Math.max(0, Math.min(limitMillis, deadline - now))",
    why: "the reserve of what comes later is ignored"
  },
  {
    file: "Stopping.ts",
    text: "Math.max(0, Math.min(limitMillis, deadline - now - (isHurried ? 0 : reserveMillis)))",
    instead: "Math.max(0, Math.min(limitMillis, deadline - now - reserveMillis))",
    why: "a hurried step keeps time for what has begun already"
  },
  {
    file: "Stopping.ts",
    text: "Math.max(0, Math.min(limitMillis, deadline - now - (isHurried ? 0 : reserveMillis)))",
    instead: "Math.max(0, deadline - now - (isHurried ? 0 : reserveMillis))",
    why: "a step may take whatever is left of the whole"
  },
  {
    file: "Stopping.ts",
    text: "if (!isHurried) deadline = Math.min(deadline, now + hurriedMillis)",
    instead: "if (!isHurried) deadline = now + hurriedMillis",
    why: "a second signal near the end prolongs the stop"
  },
  {
    file: "Stopping.ts",
    text: "export const hurriedMillis = 1000",
    instead: "export const hurriedMillis = 2000",
    why: "a hurried stop gets two seconds"
  },
  {
    file: "Stopping.ts",
    text: "isHurried = true",
    instead: "isHurried = false",
    why: "a hurry is forgotten by what begins after it"
  },
  {
    file: "Stopping.ts",
    text: "if (deadline === Number.POSITIVE_INFINITY) deadline = at",
    instead: "void at",
    why: "the whole has no end"
  },
  {
    file: "Lifecycle.ts",
    text: "if (signals > 0) Deferred.unsafeDone(second, Effect.succeed(reason))",
    instead: "void second",
    why: "the second signal is ignored"
  },
  {
    file: "Lifecycle.ts",
    text: 'if (reason._tag !== "Signal") return',
    instead: "",
    why: "any second reason cuts the waiting short"
  },
  {
    file: "Lifecycle.ts",
    text: 'if (hook.when === "after-release") stopping.tailMillis += Duration.toMillis(hook.limit)',
    instead: "",
    why: "no time is kept for the hooks after the release"
  },
  {
    file: "Lifecycle.ts",
    text: "(tell) => Effect.catchAllCause(tell(stamped), () => Effect.void),",
    instead: "(tell) => tell(stamped),",
    why: "a subscriber that dies takes the stop with it"
  },
  {
    file: "Lifecycle.ts",
    text: "startDeadline: started + Duration.toMillis(startupTimeout)",
    instead: "startDeadline: Number.POSITIVE_INFINITY",
    why: "acquisitions are not bounded"
  },
  {
    file: "Hooks.ts",
    text: "hooks.filter((hook) => hook.when === when).toReversed()",
    instead: "hooks.filter((hook) => hook.when === when)",
    why: "hooks run in the order in which they were added"
  },
  {
    file: "Hooks.ts",
    text: "reserveMillis: reserveMillis + sum(hooks.slice(i + 1)),",
    instead: "reserveMillis,",
    why: "a hook takes the time of those after it"
  },
  {
    file: "Hooks.ts",
    text: "Effect.raceFirst(Deferred.await(ended[i - 1]!), lifecycle.internal.stopping.hurried)",
    instead: "Deferred.await(ended[i - 1]!)",
    why: "hooks wait for each other in a hurry"
  },
  {
    file: "Hooks.ts",
    text: "i === 0\n        ? Effect.void",
    instead: "i >= 0\n        ? Effect.void",
    why: "hooks run all at once"
  },
  {
    file: "Plan.ts",
    text: "if (!budget.wholeIsSet || total <= configured) return Either.void",
    instead: "if (total >= 0) return Either.void",
    why: "a plan that cannot hold is accepted"
  },
  {
    file: "Plan.ts",
    text: "announce: Duration.toMillis(budget.announceDelay),",
    instead: "announce: 0,",
    why: "the deadline is off by the announce delay"
  },
  {
    file: "Plan.ts",
    text: "Math.max(0, ...[...quiesces].map(({ limit }) => Duration.toMillis(limit)))",
    instead: "[...quiesces].reduce((sum, { limit }) => sum + Duration.toMillis(limit), 0)",
    why: "the plan lets quiesces run one after the other"
  },
  {
    file: "Steps.ts",
    text: "Math.max(longest, step.limitMillis + step.reserveMillis)",
    instead: "Math.max(longest, step.limitMillis)",
    why: "only the last release has its time kept"
  },
  {
    file: "Resource.ts",
    text: "yield* FiberRef.update(Steps.built, HashSet.add(step))",
    instead: "",
    why: "releases do not know what comes after them"
  },
  {
    file: "Resource.ts",
    text: "yield* Fiber.inheritAll(fiber)",
    instead: "",
    why: "what was built inside a named layer is not known outside"
  },
  {
    file: "Resource.ts",
    text: "if (begun) return Deferred.await(closed)",
    instead: "if (begun) return Effect.void",
    why: "a release that was begun early is not waited for by what it is built on"
  },
  {
    file: "Resource.ts",
    text: "stopping.open.delete(step)",
    instead: "",
    why: "what is released counts as open"
  },
  {
    file: "Resource.ts",
    text: "yield* Effect.addFinalizer(step.close)",
    instead: "",
    why: "nothing but the end of the graph releases a named layer"
  },
  {
    file: "Resource.ts",
    text: "const startTimer = yield* giveUpAfter(Bounded.until(startDeadline))",
    instead: "const startTimer = yield* giveUpAfter(Effect.never)",
    why: "a named acquisition is not given up"
  },
  {
    file: "Resource.ts",
    text: "Effect.raceFirst(Effect.sleep(options.limit), lifecycle.internal.stopping.hurried)",
    instead: "Effect.never",
    why: "an acquisition that is called off is waited for as long as it likes"
  },
  {
    file: "Resource.ts",
    text: "Effect.forkDaemon(restore(graft(build)))",
    instead: "Effect.forkDaemon(Effect.uninterruptible(graft(build)))",
    why: "an acquisition cannot be called off"
  },
  {
    file: "Resource.ts",
    text: "Layer.buildWithMemoMap(layer, memoMap, inner)",
    instead: "Layer.buildWithScope(layer, inner)",
    why: "what a named layer wraps is not shared"
  },
  {
    file: "Stop.ts",
    text: "yield* announce(lifecycle, budget)",
    instead: 'yield* lifecycle.internal.advance("announcing")',
    why: "the announce delay is skipped"
  },
  {
    file: "Stop.ts",
    text: "Effect.raceFirst(Effect.sleep(budget.announceDelay), lifecycle.internal.stopping.hurried)",
    instead: "Effect.sleep(budget.announceDelay)",
    why: "the announce delay is sat out in a hurry"
  },
  {
    file: "Stop.ts",
    text: 'cut: stopping.hurried\n        }),\n      { concurrency: "unbounded", discard: true }',
    instead: "cut: stopping.hurried\n        }),\n      { discard: true }",
    why: "quiesces run one after the other"
  },
  {
    file: "Stop.ts",
    text: "cut: stopping.hurried",
    instead: "cut: Effect.never",
    why: "a second signal does not cut the drain"
  },
  {
    file: "Stop.ts",
    text: "work: Effect.interruptible(run),",
    instead: "work: run,",
    why: "a quiesce that overruns cannot be interrupted"
  },
  {
    file: "Stop.ts",
    text: '      yield* lifecycle.internal.advance("releasing")\n      yield* release(lifecycle, scope)',
    instead:
      '      yield* lifecycle.internal.advance("releasing")\n      yield* Scope.close(scope, Exit.void)',
    why: "the release is the scope's alone"
  },
  {
    file: "Stop.ts",
    text: "Effect.forkDaemon(Effect.interruptible(startAtTheLatest(lifecycle, step)))",
    instead: "Effect.forkDaemon(Effect.void)",
    why: "what hangs keeps named releases from being begun"
  },
  {
    file: "Stop.ts",
    text: "stopping.deadline() - step.limitMillis - step.reserveMillis - stopping.tailMillis",
    instead: "stopping.deadline() - step.limitMillis - stopping.tailMillis",
    why: "the latest start leaves nothing for what comes after"
  },
  {
    file: "Stop.ts",
    text: ").pipe(Effect.raceFirst(stopping.hurried), Effect.zipRight(step.close(Exit.void)))",
    instead: ").pipe(Effect.zipRight(step.close(Exit.void)))",
    why: "a second signal does not begin what is left"
  },
  {
    file: "Stop.ts",
    text: "Effect.flatMap(Effect.exit(Scope.close(scope, Exit.void)), (closed) =>",
    instead:
      "Effect.flatMap(Effect.asVoid(Effect.exit(Scope.close(scope, Exit.void))), (_, closed = Exit.void) =>",
    why: "the death of an unnamed release is told to nobody"
  },
  {
    file: "Stop.ts",
    text: "Effect.zipRight(graphExpiry(lifecycle), lastWord(lifecycle))",
    instead: "graphExpiry(lifecycle)",
    why: "what times out at the deadline is left open"
  },
  {
    file: "Stop.ts",
    text: "stopping.deadline() - (stopping.isHurried() ? 0 : stopping.tailMillis)",
    instead: "stopping.deadline() - stopping.tailMillis",
    why: "in a hurry the hooks' time is taken from the releases"
  },
  {
    file: "Stop.ts",
    text: "Effect.raceFirst(expired, stopping.hurried)",
    instead: "expired",
    why: "a start that is called off is waited for in a hurry"
  },
  {
    file: "Stop.ts",
    text: 'Effect.zipRight(Effect.repeat(warn, Schedule.spaced("1 second"))),',
    instead: "",
    why: "a stop that only warns does not warn"
  },
  {
    file: "Stop.ts",
    text: "if (!budget.forceAfterTimeout) yield* Effect.forkDaemon(warnWhenOverdue(lifecycle, deadline))",
    instead: "void warnWhenOverdue",
    why: "a stop that is overdue is never called so"
  },
  {
    file: "Stop.ts",
    text: "stopping.begin(budget.forceAfterTimeout ? deadline : Number.POSITIVE_INFINITY)",
    instead: "stopping.begin(deadline)",
    why: "a stop that should only warn is forced"
  },
  {
    file: "Launch.ts",
    text: "if (Option.isSome(end.unfinished)) yield* Stop.callOff(lifecycle, budget, end.unfinished.value)",
    instead: "",
    why: "an acquisition under way is not called off"
  },
  {
    file: "Launch.ts",
    text: "yield* Effect.forkDaemon(Effect.interruptible(startOverdue(lifecycle)))",
    instead: "yield* Effect.forkDaemon(Effect.void)",
    why: "an acquisition without a name may hang the start for ever"
  },
  {
    file: "Launch.ts",
    text: 'Effect.onInterrupt(() => Effect.zipRight(lifecycle.stop({ _tag: "Interrupted" }), Fiber.await(life)))',
    instead: "Effect.onInterrupt(() => Effect.void)",
    why: "an interruption is not a stop"
  },
  {
    file: "Launch.ts",
    text: 'Effect.onInterrupt(() => Effect.zipRight(lifecycle.stop({ _tag: "Interrupted" }), Fiber.await(life)))',
    instead: 'Effect.onInterrupt(() => lifecycle.stop({ _tag: "Interrupted" }))',
    why: "an interruption does not wait for the stop"
  },
  {
    file: "Launch.ts",
    text: "yield* Stop.initiate(lifecycle, budget, end.reason)",
    instead: "yield* Stop.initiate(lifecycle, budget, end.reason)\n      yield* Effect.sleep(1)",
    why: "the stop begins late"
  },
  {
    file: "Reported.ts",
    text: 'yield* lifecycle.emit({ _tag: "StepFailed", step, durationMillis, error })',
    instead: 'void error\n      yield* lifecycle.emit({ _tag: "StepCompleted", step, durationMillis })',
    why: "a failed step is told as completed"
  },
  {
    file: "Reported.ts",
    text: "const durationMillis = (yield* Bounded.now) - start",
    instead: "const durationMillis = (yield* Bounded.now) - start + 1",
    why: "durations are not what they were"
  },
  {
    file: "ShutdownReport.ts",
    text: 'steps.some((step) => step.outcome === "timed_out")',
    instead: "false",
    why: "a limit that was overrun is no matter for the exit code"
  },
  {
    file: "ShutdownReport.ts",
    text: 'steps.some((step) => step.outcome === "failed")',
    instead: "false",
    why: "a release that failed is no matter for the exit code"
  },
  {
    file: "Readiness.ts",
    text: '...(now === "ready" ? [] : [{ name: "phase", reason: `the service is ${now}` }]),',
    instead: "",
    why: "ready in every phase"
  },
  {
    file: "Task.ts",
    text: "yield* lifecycle.addQuiesce({ name: options.name, limit: options.limit, run: stop })",
    instead: "",
    why: "tasks do not stop when the drain begins"
  },
  {
    file: "Task.ts",
    text: "Effect.onInterrupt(() => cut)",
    instead: "Effect.onInterrupt(() => Effect.void)",
    why: "a unit that outlasts its limit is not cut"
  }
]
