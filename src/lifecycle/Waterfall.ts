/**
 * A report as a picture for a terminal: what ran when, as bars on one line of time.
 *
 * @module
 */
import type { ShutdownReport, StepReport } from "./ShutdownReport.js"

/** Columns of the bars. */
const width = 40

const marks: Readonly<Record<StepReport["outcome"], string>> = {
  completed: "ok",
  timed_out: "TIMED OUT",
  failed: "FAILED",
  open: "STILL OPEN"
}

const time = (millis: number): string =>
  millis >= 10_000
    ? `${(millis / 1000).toFixed(1)} s`
    : millis >= 1000
      ? `${(millis / 1000).toFixed(2)} s`
      : `${millis < 10 ? Number(millis.toFixed(1)) : Math.round(millis)} ms`

const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? "" : "s"}`

const bar = (from: number, duration: number, total: number): string => {
  const scale = total > 0 ? width / total : 0
  const start = Math.min(width - 1, Math.floor(from * scale))
  const length = Math.max(1, Math.min(width - start, Math.round(duration * scale)))
  return " ".repeat(start) + "█".repeat(length) + " ".repeat(width - start - length)
}

/**
 * Lines of plain text, without a line end at the last. Phases are headings with the time that they took; under each stand the steps that began in
 * it, with their share of the line, duration, limit and outcome.
 */
export const render = (report: ShutdownReport): string => {
  const total = report.durationMillis
  const nameWidth = Math.max(12, ...report.steps.map((step) => step.name.length + 2))
  const lines = [
    `stopped in ${time(total)} of ${time(report.wholeMillis)} · ${report.reason} · exit code ${report.exitCode}`
  ]
  report.phases.forEach(({ phase, startMillis }, i) => {
    const next = report.phases[i + 1]
    if (next === undefined) return
    lines.push(`${phase.padEnd(nameWidth + width + 3)} ${time(next.startMillis - startMillis)}`)
    const kind = phase === "draining" ? "quiesce" : "release"
    for (const step of phase === "announcing" ? [] : report.steps.filter((s) => s.kind === kind)) {
      const took = `${time(step.durationMillis).padStart(8)} of ${time(step.limitMillis).padEnd(7)}`
      lines.push(
        `  ${step.name.padEnd(nameWidth - 2)} ▕${bar(step.startMillis, step.durationMillis, total)}▏ ${took} ${marks[step.outcome]}` +
          (step.error === undefined ? "" : `: ${step.error.split("\n")[0]}`)
      )
    }
  })
  for (const [server, count] of Object.entries(report.drains)) {
    lines.push(
      `${server}: ${plural(count.requestsAtStart, "request")} on ${plural(count.connectionsAtStart, "connection")} at the start, ` +
        `${count.drained} answered, ${count.interrupted} interrupted, ${count.late} too late`
    )
  }
  for (const { ageMillis, method, path } of report.requestsInterrupted) {
    lines.push(`interrupted: ${method} ${path} after ${time(ageMillis)}`)
  }
  for (const name of report.acquisitionsGivenUp) lines.push(`given up while starting: ${name}`)
  if (report.forcedOpen !== undefined) {
    lines.push(
      `forced, still open: ${report.forcedOpen.length === 0 ? "something unnamed" : report.forcedOpen.join(", ")}`
    )
  }
  return lines.join("\n")
}
