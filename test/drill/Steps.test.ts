import { assert, describe, it } from "@effect/vitest"
import * as Steps from "../../src/drill/Steps.js"

const at = (millis: number) => new Date(1_700_000_000_000 + millis).toISOString()

const read = (...lines: ReadonlyArray<unknown>) => {
  const reader = Steps.make()
  for (const line of lines) reader.push(typeof line === "string" ? line : JSON.stringify(line))
  return reader.steps(1_700_000_000_000)
}

describe("Steps", () => {
  it("makes steps of log lines", () => {
    const steps = read(
      { timestamp: at(-500), event_type: "service_ready", message: "ready" },
      { timestamp: at(5), event_type: "shutdown_phase", message: "phase draining" },
      {
        timestamp: at(25),
        event_type: "shutdown_step_completed",
        step: "http",
        kind: "quiesce",
        duration_ms: 18.5
      },
      { timestamp: at(30), event_type: "shutdown_phase", message: "phase releasing" },
      {
        timestamp: at(80),
        event_type: "shutdown_step_timed_out",
        step: "db",
        kind: "release",
        duration_ms: 50
      },
      { timestamp: at(90), event_type: "shutdown_completed", message: "shutdown completed", exit_code: 3 }
    )
    assert.deepStrictEqual(steps, [
      { name: "draining", kind: "phase", from: 5, to: 30, outcome: "completed" },
      { name: "http", kind: "quiesce", from: 6.5, to: 25, outcome: "completed" },
      { name: "releasing", kind: "phase", from: 30, to: 90, outcome: "completed" },
      { name: "db", kind: "release", from: 30, to: 80, outcome: "timed_out" }
    ])
  })

  it("prefers a report, which knows more", () => {
    const steps = read(
      {
        timestamp: at(25),
        event_type: "shutdown_step_completed",
        step: "x",
        kind: "quiesce",
        duration_ms: 1
      },
      {
        version: 1,
        initiatedAt: 1_700_000_000_010,
        phases: [
          { phase: "draining", startMillis: 0 },
          { phase: "stopped", startMillis: 40 }
        ],
        steps: [
          {
            kind: "quiesce",
            name: "http",
            startMillis: 1,
            durationMillis: 20,
            limitMillis: null,
            outcome: "failed"
          }
        ]
      }
    )
    assert.deepStrictEqual(steps, [
      { name: "draining", kind: "phase", from: 10, to: 50, outcome: "completed" },
      { name: "http", kind: "quiesce", from: 11, to: 31, outcome: "failed" }
    ])
  })

  it("passes over whatever else is printed", () => {
    assert.isUndefined(
      read(
        "listening on 80",
        "{not json",
        '{"event_type":"shutdown_step_completed"}',
        '{"event_type":"shutdown_step_completed","timestamp":"yesterday","step":"a","kind":"b","duration_ms":1}',
        '{"initiatedAt":"soon","steps":[]}',
        '{"level":"info","message":"GET /"}',
        "[1,2,3]"
      )
    )
  })
})
