/**
 * `stellar-insights/lifecycle`: start and stop for any Effect service.
 *
 * `NodeRuntime.runMain(NodeLaunch.launch(app))` runs a layer graph; `Resource.named` gives a release a name and a limit; `Task.run` does background work that is not
 * cut in the middle, `SupervisedTask` also after failures and at intervals; `Lifecycle` is what layers ask and tell.
 *
 * @module
 */
export * as Budget from "./Budget.js"
export * as CircuitBreaker from "./CircuitBreaker.js"
export * as DurationConfig from "./DurationConfig.js"
export * as ExitCode from "./ExitCode.js"
export * as Hooks from "./Hooks.js"
export * as Host from "./Host.js"
export * as HostTest from "./HostTest.js"
export * as LastRun from "./LastRun.js"
export * as LastRunLog from "./LastRunLog.js"
export * as Launch from "./Launch.js"
export * as Lifecycle from "./Lifecycle.js"
export * as LifecycleEvent from "./LifecycleEvent.js"
export * as OwnProcess from "./OwnProcess.js"
export * as Phase from "./Phase.js"
export * as Readiness from "./Readiness.js"
export * as Resource from "./Resource.js"
export * as RunRecord from "./RunRecord.js"
export * as RunTotals from "./RunTotals.js"
export * as Samples from "./Samples.js"
export * as ShutdownConfig from "./ShutdownConfig.js"
export * as ShutdownMetrics from "./ShutdownMetrics.js"
export * as ShutdownReport from "./ShutdownReport.js"
export * as ShutdownSpans from "./ShutdownSpans.js"
export * as StopReason from "./StopReason.js"
export * as SupervisedTask from "./SupervisedTask.js"
export * as Task from "./Task.js"
export * as TaskBoard from "./TaskBoard.js"
export * as TaskMetrics from "./TaskMetrics.js"
export * as TaskStatus from "./TaskStatus.js"
export * as Waterfall from "./Waterfall.js"
export * as NodeHost from "./node/NodeHost.js"
export * as NodeLaunch from "./node/NodeLaunch.js"
export * as ProcessAlive from "./node/ProcessAlive.js"
export * as Signals from "./node/Signals.js"
export * as SystemdNotify from "./node/SystemdNotify.js"
export * as Watchdog from "./node/Watchdog.js"
