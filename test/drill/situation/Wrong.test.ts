import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { DrillOptions } from "../../../src/drill/DrillOptions.js"
import { named, plain, several } from "./Drilled.js"

const folder = mkdtempSync(join(tmpdir(), "drill-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** For servers that have to be killed: soon. */
const hangs = { graceMillis: 1500 }

/** What the server does wrong, the situation that shows it, and what is said of it. */
const faults: ReadonlyArray<
  readonly [fault: string, situation: string, said: string, options?: Partial<DrillOptions>]
> = [
  ["waits-for-idle", "idle-connections", "idle connections do not keep the service", hangs],
  ["waits-for-idle", "unused-connections", "connections that were never used do not keep the service", hangs],
  ["waits-for-idle", "half-sent-head", "heads that never end do not keep the service", hangs],
  ["resets-idle", "idle-connections", "idle connections are closed without a reset"],
  ["closes-at-once", "half-sent-head", "a request whose head was begun before the signal is answered"],
  ["ignores-late", "late-request", "a late request on an idle connection is answered", hangs],
  ["ignores-late", "late-request", "a late request on a connection that was busy is answered", hangs],
  ["drops-late", "late-request", "a late request on an idle connection is answered"],
  [
    "keeps-late-alive",
    "late-request",
    "the answer to a late request on an idle connection says that it is the last"
  ],
  ["cuts-busy", "late-request", "what was in flight at the signal gets its own answer"],
  ["keeps-late-alive", "chatty-client", "a client that keeps asking gets at most one more answer"],
  ["answers-for-ever", "chatty-client", "a client that keeps asking does not keep the service", hangs],
  [
    "listens-on",
    "accepted-connections",
    "a connection is served or refused, never let in and thrown out",
    hangs
  ],
  ["breaks-pipes", "early-refusal", "an answer that came before the body was read reaches its client"],
  ["tells-1005", "web-sockets", "WebSocket clients are told with code 1001 (1005 x8)"],
  ["tells-nothing", "web-sockets", "WebSocket clients are told with code 1001 (no close x8)"],
  ["tells-late", "web-sockets", "WebSocket clients are told at once"],
  [
    "tells-nonsense",
    "web-sockets",
    "WebSocket clients are told in the protocol's own frames (reserved bits are set"
  ],
  ["resets-sockets", "web-sockets", "WebSocket connections end without a reset"],
  [
    "waits-for-silent",
    "silent-web-socket",
    "WebSocket clients that do not answer are given up at a limit",
    hangs
  ],
  [
    "only-ends-silent",
    "silent-web-socket",
    "WebSocket clients that do not answer are given up at a limit",
    hangs
  ],
  [
    "drops-upgrades",
    "late-upgrade",
    "an upgrade during the stop is refused with 503, or let in and told 1001"
  ],
  [
    "lets-in-untold",
    "late-upgrade",
    "an upgrade during the stop is refused with 503, or let in and told 1001"
  ],
  ["ignores-second", "second-signal", "a second signal cuts the waiting short"],
  ["second-is-clean", "second-signal", "a stop that was forced does not end with code 0"],
  ["exits-at-once", "second-signal", "the first signal alone waits for what is in flight"],
  ["cuts-streams", "endless-events", "a stream without an end is ended whole, or cut at the limit"],
  ["waits-for-streams", "endless-events", "streams without an end do not keep the service", hangs],
  ["cuts-busy", "long-request", "a request in flight is waited for as long as the grace allows"],
  ["never-cuts", "long-request", "a request longer than the grace does not outlast it", hangs],
  [
    "cut-is-clean",
    "long-request",
    "a stop that cut a request does not end with code 0",
    { env: { LIMIT: "500" } }
  ],
  ["stays-ready", "health-while-draining", "readiness is not 2xx while draining"],
  ["dies-while-draining", "health-while-draining", "liveness stays 2xx while draining"],
  ["dawdles", "stop-time-idle", "stopped within 2 s", { graceMillis: 5000 }],
  ["dawdles", "stop-time-light", "is gone within its grace", hangs],
  // The first stop tells how long a start takes.
  [
    "opens-after-signal",
    "signal-during-start-60",
    "the port does not open after a signal during the start",
    { ...hangs, scenarios: named("unused-connections", "signal-during-start-60") }
  ],
  [
    "pinned-in-start",
    "signal-during-start-60",
    "a signal during the start ends the process",
    { ...hangs, scenarios: named("unused-connections", "signal-during-start-60") }
  ],
  [
    "starts-once",
    "restart",
    "the service starts again after its stop",
    { env: { LOCK: join(folder, "lock") } }
  ]
]

/** One drill for each, several at a time: most of it is waiting. */
const all = faults.map(([fault, situation, , options]) => ({
  fault,
  scenarios: named(situation),
  graceMillis: 4000,
  marginMillis: 100,
  env: { LIMIT: "60000" },
  ...options
}))
const drill = ({ fault, ...options }: (typeof all)[number]) => plain(fault, options)
let found: ReadonlyArray<ReadonlyArray<string>> = []
beforeAll(async () => {
  const caught = await several(8, all, drill)
  // On a machine that is busy with other things a moment may pass before the server is even run; each has a second chance, with less beside it.
  const again = faults.flatMap(([, , said], i) => (caught[i]!.join("\n").includes(said) ? [] : [i]))
  const second = await several(2, again, (i) => drill(all[i]!))
  found = caught.map((lines, i) => (again.includes(i) ? second[again.indexOf(i)]! : lines))
}, 120_000)

describe("a server that is wrong on purpose is caught", () => {
  it.each(faults.map(([fault, situation, said], i) => ({ fault, situation, said, i })))(
    "$fault, $situation",
    ({ i, said }) => assert.include(found[i]!.join("\n"), said)
  )
})
