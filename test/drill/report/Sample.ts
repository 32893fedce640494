/** Reports that are made up, for tests of what is made of them. */
import type {
  DrillReport,
  Expectation,
  RequestReport,
  StopReport,
  Tally
} from "../../../src/drill/DrillReport.js"
import * as Outcome from "../../../src/drill/wire/Outcome.js"

/** The same numbers every time. */
const numbers = (seed: number) => {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

type Fields = { readonly [K in keyof RequestReport]?: RequestReport[K] | undefined }

/** A whole answer, unless `fields` say otherwise; what is undefined there is not in it at all. */
export const request = (fields: Fields = {}): RequestReport => {
  const all = {
    kind: "GET /fast",
    connection: 1,
    sentAt: -10,
    firstByteAt: -9,
    doneAt: -9,
    outcome: "complete",
    status: 200,
    ...fields
  }
  return Object.fromEntries(
    Object.entries(all).filter(([, value]) => value !== undefined)
  ) as unknown as RequestReport
}

/** Clients with a little think time around a signal; from the signal on, `fate` may change what becomes of a request. */
export const load = (
  clients: number,
  seed: number,
  fate: (sentAt: number, random: number) => Fields = () => ({})
): ReadonlyArray<RequestReport> => {
  const random = numbers(seed)
  return Array.from({ length: clients }, (_, i) => {
    const requests: Array<RequestReport> = []
    let at = -180 + random() * 20
    while (at < 12) {
      const took = 0.6 + random() * (i % 9 === 0 ? 90 : 5)
      const sent = request({
        connection: i + 1,
        sentAt: at,
        firstByteAt: at + took * 0.9,
        doneAt: at + took,
        ...(at > -2 ? fate(at, random()) : {})
      })
      requests.push(sent)
      if (sent.doneAt > 0) break
      at += took + random() * 20
    }
    return requests
  }).flat()
}

const tally = (requests: ReadonlyArray<RequestReport>): Tally => {
  const of = (outcome: Outcome.Outcome) => requests.filter((one) => one.outcome === outcome).length
  const after = requests.filter(({ sentAt }) => sentAt > 0)
  return {
    requests: requests.length,
    outcomes: Object.fromEntries(
      Outcome.outcomes.map((outcome) => [outcome, of(outcome)])
    ) as Tally["outcomes"],
    afterSignal: {
      answered: after.filter(({ outcome }) => outcome === "complete").length,
      declined: after.filter(({ outcome }) => outcome === "declined").length,
      late: after.filter(({ outcome }) => outcome === "late").length,
      lost: after.filter(({ outcome }) => Outcome.isLost(outcome)).length
    },
    inFlight: requests.filter(({ doneAt, sentAt }) => sentAt <= 0 && doneAt > 0).length,
    resets: requests.filter(({ ending, outcome }) => Outcome.isLost(outcome) && ending === "reset").length,
    resetUnwritten: 0,
    slowRefusals: 0
  }
}

export const stop = (fields: Partial<StopReport> = {}): StopReport => {
  const requests = fields.requests ?? [request()]
  const last = Math.max(...requests.filter(({ status }) => status !== undefined).map(({ doneAt }) => doneAt))
  const slowest = Math.max(0, ...requests.filter(({ sentAt }) => sentAt <= 0).map(({ doneAt }) => doneAt))
  return {
    scenario: "kept-alive",
    title: "64 kept-alive clients, 0-20 ms think time",
    scenarios: [],
    nth: 1,
    signal: "SIGTERM",
    signalledAt: 1_767_261_600_000,
    readyIn: 140,
    times: {
      listenerClosed: 2.1,
      lastWhole: Number.isFinite(last) ? last : null,
      slowestAccepted: slowest,
      exit: slowest + 8
    },
    exitCode: 0,
    exitSignal: null,
    killed: false,
    tally: tally(requests),
    expectations: [{ name: "exit within the grace", ok: true, detail: "" }],
    requests,
    requestsLeftOut: 0,
    leftovers: { children: [], ports: [] },
    lag: 3,
    notes: {},
    output: "",
    ...fields
  }
}

/** A report whose verdict follows from its stops. */
export const report = (stops: ReadonlyArray<StopReport>, fields: Partial<DrillReport> = {}): DrillReport => {
  const lost = stops.flatMap(({ nth, requests, scenario }) =>
    requests.filter(({ outcome }) => Outcome.isLost(outcome)).map((one) => ({ scenario, nth, request: one }))
  )
  const failed = stops.flatMap(({ expectations, nth, scenario }) =>
    expectations
      .filter(({ ok }: Expectation) => !ok)
      .map(({ detail, name }) => ({ scenario, nth, name, detail }))
  )
  return {
    version: 1,
    name: "shop",
    startedAt: 1_767_261_600_000,
    durationMillis: 92_000,
    command: "node server.js",
    url: "http://127.0.0.1:8080",
    node: "v20.20.2",
    seed: 7,
    graceMillis: 30_000,
    stops,
    skipped: [{ scenario: "websocket-clients", reason: "needs the path ws" }],
    verdict: { passed: lost.length === 0 && failed.length === 0 && stops.length > 0, lost, failed },
    ...fields
  }
}

const steps = [
  { name: "announcing", kind: "phase", from: 1, to: 3, outcome: "completed" },
  { name: "draining", kind: "phase", from: 3, to: 91, outcome: "completed" },
  { name: "http", kind: "quiesce", from: 3, to: 91, outcome: "completed" },
  { name: "ledger-ingestion", kind: "quiesce", from: 3, to: 15, outcome: "completed" },
  { name: "releasing", kind: "phase", from: 91, to: 97, outcome: "completed" },
  { name: "database", kind: "release", from: 92, to: 96, outcome: "completed" }
]

/** Nothing was lost. */
export const passing = report([
  ...[1, 3, 5].map((nth) => stop({ nth, requests: load(64, nth), steps })),
  stop({
    nth: 2,
    scenario: "late-request",
    title: "requests on kept-alive connections 300 ms after the signal, while a slow one drains",
    scenarios: [2],
    requests: [
      request({ connection: 1, sentAt: -100, doneAt: 900, firstByteAt: 899, kind: "GET /slow" }),
      request({ connection: 2, sentAt: -150, doneAt: -149 }),
      request({ connection: 2, sentAt: 300, firstByteAt: 301, doneAt: 301.5 }),
      request({ connection: 3, sentAt: -150, doneAt: -149 }),
      request({ connection: 3, sentAt: 310, firstByteAt: 311, doneAt: 312 })
    ]
  })
])

/** Connections that were closed under their clients, and a process that never ends. */
export const failing = report(
  [
    ...[1, 3].map((nth) =>
      stop({
        nth,
        requests: load(64, nth, (sentAt, random) => {
          const doneAt = sentAt + 1 + random * 4
          if (random < 0.5) return {}
          const gone: Fields =
            random < 0.8
              ? { outcome: "dropped", ending: "reset", hit: "request" }
              : { outcome: "late", ending: "fin" }
          return { doneAt, ...gone, firstByteAt: undefined, status: undefined }
        })
      })
    ),
    stop({
      nth: 2,
      scenario: "late-request",
      title: "requests on kept-alive connections 300 ms after the signal, while a slow one drains",
      scenarios: [2],
      requests: [
        request({ connection: 1, sentAt: -100, doneAt: 900, firstByteAt: 899, kind: "GET /slow" }),
        request({ connection: 2, sentAt: -150, doneAt: -149 }),
        {
          kind: "GET /fast",
          connection: 2,
          sentAt: 300,
          doneAt: 12_000,
          outcome: "hung",
          ending: "given up"
        }
      ],
      times: { listenerClosed: 1.2, lastWhole: 900, slowestAccepted: 900, exit: null },
      exitCode: null,
      exitSignal: "SIGKILL",
      killed: true,
      expectations: [
        { name: "exit within the grace", ok: false, detail: "it was still there after 12.0 s" },
        { name: "the late request is answered", ok: false, detail: "never" },
        { name: "nothing is left behind", ok: true, detail: "" }
      ],
      notes: { "late on idle": "never", "closed after": 12_000.5 },
      output: 'listening on 8080\n<script>alert("x")</script>\n'
    })
  ],
  { name: "shop & sons" }
)
