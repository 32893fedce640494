import * as HttpClient from "@effect/platform/HttpClient"
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as HashMap from "effect/HashMap"
import * as Logger from "effect/Logger"
import * as Queue from "effect/Queue"
import * as Random from "effect/Random"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import type { RawLedger, Shape } from "../../../src/stellar/source/LedgerSource.js"
import { LedgerSourceError } from "../../../src/stellar/source/LedgerSource.js"
import * as RpcSource from "../../../src/stellar/source/RpcSource.js"
import * as RpcUrl from "../../../src/stellar/source/RpcUrl.js"
import * as SimulatedSource from "../../../src/stellar/source/SimulatedSource.js"
import * as RpcNode from "../../support/RpcNode.js"
import * as RpcServer from "../../support/RpcServer.js"

const networkPassphrase = SimulatedSource.passphrase
const { misbehaviours: bad, rpcError, status } = RpcNode
const endpoint = RpcUrl.parse("https://user:pass-word@rpc.example/v1/k3yk3yk3y?apikey=qu3ry-s3cr3t")!

const made = Effect.runSync(
  Effect.cached(
    SimulatedSource.make({ interval: 0, transactions: 0 })
      .ledgers(2, undefined)
      .pipe(Stream.take(39), Stream.runCollect, Effect.map(Array.from<RawLedger>))
  )
)

/** Ledgers `from` to `to` of a simulated network. */
const simulated = (from: number, to: number) => Effect.map(made, (all) => all.slice(from - 2, to - 1))

/** A lake that has these ledgers, and waits where it has none. */
const lakeOf = (ledgers: ReadonlyArray<RawLedger>): Shape => ({
  description: "lake of the test",
  networkPassphrase,
  firstSequence: Effect.succeed(2),
  ledgers: (start) =>
    Stream.concat(
      Stream.fromIterable(ledgers.filter(({ sequence }) => sequence >= start)).pipe(Stream.rechunk(1)),
      Stream.never
    )
})

/** A node with ledgers 11 to 30 of a network, a source on it, and all that it logs. */
const setUp = Effect.fnUntraced(function* (
  options: Partial<RpcSource.Options> = {},
  plan?: (node: RpcNode.RpcNode) => void
) {
  const ledgers = yield* simulated(2, 40)
  const node = RpcNode.make({ ledgers: ledgers.slice(9, 29), networkPassphrase })
  plan?.(node)
  const source = yield* RpcSource.make({ endpoint, networkPassphrase, ...options }).pipe(
    Effect.provideService(HttpClient.HttpClient, RpcServer.client(node))
  )
  return { ledgers, node, source, pages: () => node.questions.filter((q) => q.startsWith("getLedgers")) }
})

const settle = Effect.repeatN(
  Effect.promise(() => new Promise<void>((resolve) => void setImmediate(resolve))),
  12
)

/** Reads on in the background; what has been read so far can be seen at any time. */
const reading = Effect.fnUntraced(function* (source: Shape, start: number) {
  const seen: Array<number> = []
  const fiber = yield* Effect.fork(
    Stream.runForEach(source.ledgers(start, undefined), ({ sequence }) =>
      Effect.sync(() => seen.push(sequence))
    )
  )
  yield* settle
  return { seen, fiber }
})

const failureOf = (fiber: Fiber.RuntimeFiber<void, LedgerSourceError>) =>
  Effect.map(Effect.flip(Fiber.join(fiber)), (error) => {
    assert.instanceOf(error, LedgerSourceError)
    return error
  })

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i)

/** Asserts that nothing is asked up to the last millisecond of `wait`, and that something is after it. */
const waits = (questions: ReadonlyArray<string>, wait: Duration.DurationInput) =>
  Effect.gen(function* () {
    const before = questions.length
    yield* TestClock.adjust(Duration.millis(Duration.toMillis(wait) - 1))
    yield* settle
    assert.strictEqual(questions.length, before, "too early")
    yield* TestClock.adjust(1)
    yield* settle
    assert.isAbove(questions.length, before, "too late")
  })

/** Lets the waits after four failures go by. */
const backOff = Effect.forEach([0.5, 1, 2, 4], (seconds) =>
  Effect.zipRight(TestClock.adjust(Duration.seconds(seconds)), settle)
)

// No chance: jitter takes its upper end.
const withoutJitter = Effect.withRandom({ ...Random.fixed([0.5]), next: Effect.succeed(1) } as Random.Random)

describe("RpcSource", () => {
  it.effect("reads pages up to the tip and waits there, asking at the poll interval", () =>
    Effect.gen(function* () {
      const { ledgers, node, pages, source } = yield* setUp({ pageSize: 8 })
      assert.strictEqual(source.description, `rpc https://rpc.example/… (${networkPassphrase})`)
      assert.strictEqual(yield* source.firstSequence, 30)
      const { fiber, seen } = yield* reading(source, 12)
      assert.deepStrictEqual(seen, range(12, 30))
      assert.deepStrictEqual(pages(), ["getLedgers 12 8", "getLedgers 20 8", "getLedgers 28 8"])
      yield* waits(node.questions, "2 seconds")
      yield* waits(node.questions, "2 seconds")
      assert.deepStrictEqual(seen, range(12, 30))
      node.ledgers.set(31, ledgers[29]!.bytes)
      yield* waits(node.questions, "2 seconds")
      assert.deepStrictEqual(seen, range(12, 31))
      yield* Fiber.interrupt(fiber)
    })
  )

  it.effect("waits when nodes disagree on the tip, however far the latest ledger falls back", () =>
    Effect.gen(function* () {
      const { node, source } = yield* setUp({ pageSize: 5 })
      node.ranges = [
        { oldest: 11, latest: 20 },
        { oldest: 11, latest: 14 },
        { oldest: 11, latest: 17 }
      ]
      const { fiber, seen } = yield* reading(source, 11)
      for (let i = 0; i < 15; i++) {
        yield* TestClock.adjust("2 seconds")
        yield* settle
      }
      assert.deepStrictEqual(seen, range(11, 20))
      assert.isNull(fiber.unsafePoll())
      node.ranges = []
      yield* TestClock.adjust("4 seconds")
      yield* settle
      assert.deepStrictEqual(seen, range(11, 30))
      yield* Fiber.interrupt(fiber)
    })
  )

  it.effect("says once that a server has been behind for a minute", () => {
    const said: Array<string> = []
    const logger = Logger.make(({ annotations, message }) => {
      said.push(`${String(message)} ${String(HashMap.unsafeGet(annotations, "latest"))}`)
    })
    return Effect.gen(function* () {
      const { source } = yield* setUp({ pollInterval: "20 seconds" })
      const { fiber } = yield* reading(source, 35)
      yield* TestClock.adjust("59 seconds")
      yield* settle
      assert.deepStrictEqual(said, [])
      for (let i = 0; i < 6; i++) {
        yield* TestClock.adjust("30 seconds")
        yield* settle
      }
      assert.deepStrictEqual(said, [
        "The RPC server has been behind for a minute: its latest ledger is older than the last one read 30"
      ])
      yield* Fiber.interrupt(fiber)
    }).pipe(Effect.provide(Logger.replace(Logger.defaultLogger, logger)))
  })

  it.effect("retries what passes, each after its wait, and loses and repeats nothing", () =>
    Effect.gen(function* () {
      const { node, seen } = yield* Effect.gen(function* () {
        const set = yield* setUp({ pageSize: 20 })
        set.node.misbehave(
          "getLedgers",
          status(429, { "retry-after": "7" }),
          status(503, { "retry-after": "Thu, 01 Jan 1970 00:00:40 GMT" }),
          status(504),
          bad.internal,
          bad.executionLimit,
          bad.internalToo,
          bad.queueFull,
          status(502),
          bad.cut,
          bad.silent
        )
        return { ...set, ...(yield* reading(set.source, 11)) }
      })
      yield* waits(node.questions, "7 seconds")
      yield* waits(node.questions, "33 seconds")
      for (const seconds of [2, 4, 8, 16, 30, 30, 30]) yield* waits(node.questions, Duration.seconds(seconds))
      // The last one never comes: its timeout, and the wait after it.
      yield* waits(node.questions, "60 seconds")
      assert.deepStrictEqual(seen, range(11, 30))
    }).pipe(withoutJitter)
  )

  it.effect("asks for fewer ledgers after a page that was too slow, cut or broken, and for more again", () =>
    Effect.gen(function* () {
      const { node, pages, source } = yield* setUp({ pageSize: 8 })
      node.misbehave("getLedgers", status(504), bad.truncated, bad.stalled)
      const { seen } = yield* reading(source, 11)
      for (let i = 0; i < 5; i++) {
        yield* TestClock.adjust("30 seconds")
        yield* settle
      }
      assert.deepStrictEqual(seen, range(11, 30))
      assert.deepStrictEqual(
        pages()
          .slice(0, 9)
          .map((question) => question.replace("getLedgers ", "")),
        ["11 8", "11 4", "11 2", "11 1", "12 2", "14 3", "17 4", "21 5", "26 6"]
      )
    })
  )

  it.effect("takes the page size that the server allows", () =>
    Effect.gen(function* () {
      const { node, pages, source } = yield* setUp({ pageSize: 200 })
      node.misbehave("getLedgers", rpcError(-32600, "limit must not exceed 12"))
      const { seen } = yield* reading(source, 11)
      assert.deepStrictEqual(seen, range(11, 30))
      assert.deepStrictEqual(pages(), ["getLedgers 11 200", "getLedgers 11 12", "getLedgers 23 12"])
    })
  )

  it.effect("bears wrong answers a few times, then ends saying what is wrong", () =>
    Effect.gen(function* () {
      for (const [what, reason, message] of [
        [bad.garbage, "corrupt", "the answer is not JSON"],
        [bad.truncated, "corrupt", "the answer is not JSON"],
        [bad.withoutFirst, "missing", "a page from ledger 11 on is without it"],
        [bad.damaged, "corrupt", "ledger 11 is corrupt: "],
        [bad.notBase64, "corrupt", "ledger 11 is corrupt: its metadataXdr is not base64"],
        [status(200, {}, "{}"), "corrupt", "neither a result nor an error"],
        [status(200, {}, "null"), "corrupt", "neither a result nor an error"],
        [status(200, {}, '{"result":{"ledgers":{}}}'), "missing", "a page from ledger 11 on is without it"],
        [
          status(200, {}, '{"result":{"ledgers":[null]}}'),
          "missing",
          "a page from ledger 11 on is without it"
        ]
      ] as const) {
        const { node, pages, source } = yield* setUp({ pageSize: 1 })
        if (what === bad.garbage) {
          node.misbehave("getLedgers", what, what, what, what)
          const patient = yield* reading(source, 11)
          yield* backOff
          assert.deepStrictEqual(patient.seen, range(11, 30))
          yield* Fiber.interrupt(patient.fiber)
        }

        node.misbehave("getLedgers", what, what, what, what, what)
        const asked = pages().length
        const { fiber, seen } = yield* reading(source, 11)
        yield* backOff
        const error = yield* failureOf(fiber)
        assert.strictEqual(error.reason, reason)
        assert.include(error.message, "https://rpc.example/… does not answer getLedgers as it must: ")
        assert.include(error.message, message)
        assert.deepStrictEqual(seen, [])
        assert.strictEqual(pages().length, asked + 5)
      }
    })
  )

  it.effect("ends at a ledger that is larger than an answer may be", () =>
    Effect.gen(function* () {
      const { pages, source } = yield* setUp({ pageSize: 3, maximumResponseSize: 500 })
      const { fiber } = yield* reading(source, 11)
      yield* backOff
      yield* TestClock.adjust("8 seconds")
      const error = yield* failureOf(fiber)
      assert.strictEqual(error.reason, "corrupt")
      assert.include(error.message, "an answer is larger than 500 bytes")
      assert.deepStrictEqual(
        pages(),
        [3, 1, 1, 1, 1, 1].map((limit) => `getLedgers 11 ${limit}`)
      )
    })
  )

  it.effect("ends at once where it is refused", () =>
    Effect.gen(function* () {
      for (const [what, message] of [
        [status(401), "refuses getLedgers: status 401"],
        [status(404), "refuses getLedgers: status 404"],
        [rpcError(-32601, "method not found"), "refuses getLedgers: error -32601: method not found"],
        [
          status(400, {}, '{"error":{"code":-32010,"message":"no such key: qu3ry-s3cr3t"}}'),
          "refuses getLedgers: error -32010: no such key: …"
        ]
      ] as const) {
        const { node, source } = yield* setUp()
        node.misbehave("getLedgers", what)
        const { fiber } = yield* reading(source, 11)
        const error = yield* failureOf(fiber)
        assert.strictEqual(error.reason, "unreadable")
        assert.strictEqual(error.message, `https://rpc.example/… ${message}`)
      }
    })
  )

  it.effect("asks for the range where a server says in other words that a ledger is not there", () =>
    Effect.gen(function* () {
      const words = rpcError(-32602, "startLedger must be within the ledger range")
      const { ledgers, node, source } = yield* setUp()
      node.misbehave("getLedgers", words)
      const { seen } = yield* reading(source, 31)
      assert.strictEqual(node.questions.at(-1), "getHealth")
      node.ledgers.set(31, ledgers[29]!.bytes)
      yield* waits(node.questions, "2 seconds")
      assert.deepStrictEqual(seen, [31])
      // Had it come in between, one more question shows it; refused again it was something else.
      node.misbehave("getLedgers", words, words)
      const { fiber } = yield* reading(source, 20)
      assert.include((yield* failureOf(fiber)).message, "startLedger must be within")
    })
  )
})

describe("RpcSource, below what the server keeps", () => {
  it.effect("ends naming the missing ledgers and what to set, once the server has said so three times", () =>
    Effect.gen(function* () {
      const { pages, source } = yield* setUp()
      const { fiber } = yield* reading(source, 4)
      assert.isNull(fiber.unsafePoll())
      yield* TestClock.adjust("2 seconds")
      yield* settle
      const error = yield* failureOf(fiber)
      assert.strictEqual(error.reason, "missing")
      assert.strictEqual(
        error.message,
        "ledgers 4 to 10 are missing: https://rpc.example/… begins with ledger 11, and no lake is configured to fill the gap; " +
          "set STELLAR_LAKE_URL to one that has them, or STELLAR_RPC_URL to an archive"
      )
      assert.strictEqual(pages().length, 3)
    })
  )

  it.effect("goes on when another node has them", () =>
    Effect.gen(function* () {
      const { ledgers, node, source } = yield* setUp()
      for (const ledger of ledgers.slice(0, 9)) node.ledgers.set(ledger.sequence, ledger.bytes)
      node.ranges = [
        { oldest: 11, latest: 30 },
        { oldest: 2, latest: 30 }
      ]
      const { seen } = yield* reading(source, 4)
      yield* TestClock.adjust("1 second")
      yield* settle
      assert.deepStrictEqual(seen.slice(0, 10), range(4, 13))
    })
  )

  it.effect("takes them from the lake, and goes on with the server as soon as it can", () =>
    Effect.gen(function* () {
      const ledgers = yield* simulated(2, 10)
      const { pages, source } = yield* setUp({ lake: lakeOf(ledgers) })
      const { fiber, seen } = yield* reading(source, 4)
      assert.deepStrictEqual(seen, range(4, 30))
      assert.deepStrictEqual(pages(), ["getLedgers 4 10", "getLedgers 11 10", "getLedgers 21 10"])
      yield* Fiber.interrupt(fiber)
    })
  )

  it.effect(
    "asks the server only when the lake has given all, and the lake again when the server has moved on",
    () =>
      Effect.gen(function* () {
        const gate = yield* Queue.unbounded<void>()
        const ledgers = yield* simulated(2, 16)
        const slow = lakeOf(ledgers)
        const lake: Shape = {
          ...slow,
          ledgers: (start, previousHash) =>
            Stream.tap(slow.ledgers(start, previousHash), () => Queue.take(gate))
        }
        const { node, pages, source } = yield* setUp({ lake })
        const { fiber, seen } = yield* reading(source, 8)
        for (const sequence of [8, 9, 10]) {
          assert.deepStrictEqual(pages(), ["getLedgers 8 10"])
          if (sequence === 10) node.ranges = [{ oldest: 14, latest: 30 }]
          yield* Queue.offer(gate, undefined)
          yield* settle
          assert.deepStrictEqual(seen, range(8, sequence))
        }
        assert.deepStrictEqual(pages(), ["getLedgers 8 10", "getLedgers 11 10"])
        yield* Queue.offerAll(gate, [undefined, undefined, undefined])
        yield* settle
        assert.deepStrictEqual(seen, range(8, 30))
        assert.deepStrictEqual(pages().slice(2, 3), ["getLedgers 14 10"])
        yield* Fiber.interrupt(fiber)
      })
  )

  it.effect("ends when the lake does not have them either", () =>
    Effect.gen(function* () {
      const { source } = yield* setUp({ lake: lakeOf(yield* simulated(2, 6)) })
      const { fiber, seen } = yield* reading(source, 4)
      assert.deepStrictEqual(seen, [4, 5, 6])
      yield* TestClock.adjust(Duration.millis(119_999))
      yield* settle
      assert.isNull(fiber.unsafePoll())
      yield* TestClock.adjust(1)
      yield* settle
      const error = yield* failureOf(fiber)
      assert.strictEqual(error.reason, "missing")
      assert.include(
        error.message,
        "ledgers 4 to 10 are missing: https://rpc.example/… begins with ledger 11, and lake of the test has given none for 2m"
      )
    })
  )
})

describe("RpcSource, which network", () => {
  it.effect("refuses a server of another network, naming both", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(setUp({}, (node) => (node.networkPassphrase = "Another\nNetwork")))
      assert.strictEqual(error.reason, "unreadable")
      assert.strictEqual(
        error.message,
        `https://rpc.example/… belongs to the network "Another\\nNetwork", configured is "${networkPassphrase}": ` +
          "change STELLAR_RPC_URL, or STELLAR_NETWORK and STELLAR_NETWORK_PASSPHRASE"
      )
      const refused = yield* Effect.flip(setUp({}, (node) => node.misbehave("getNetwork", status(403))))
      assert.strictEqual(refused.message, "https://rpc.example/… refuses getNetwork: status 403")
    })
  )

  it.effect("starts while the server is away, and asks before it reads", () =>
    Effect.gen(function* () {
      const starting = yield* Effect.fork(
        setUp({}, (node) => node.misbehave("getNetwork", bad.silent, status(503), status(503)))
      )
      yield* settle
      yield* TestClock.adjust(Duration.millis(4999))
      yield* settle
      assert.isNull(starting.unsafePoll())
      yield* TestClock.adjust(1)
      const { node, pages, source } = yield* Fiber.join(starting)
      const first = yield* reading(source, 30)
      assert.deepStrictEqual(pages(), [])
      yield* TestClock.adjust("2 seconds")
      yield* settle
      assert.deepStrictEqual(first.seen, [30])
      const asked = node.questions.filter((question) => question === "getNetwork").length
      yield* reading(source, 30)
      assert.strictEqual(node.questions.filter((question) => question === "getNetwork").length, asked)

      const other = yield* setUp({}, (node) => node.misbehave("getNetwork", status(503)))
      other.node.networkPassphrase = "Another Network"
      const late = yield* reading(other.source, 11)
      assert.include((yield* failureOf(late.fiber)).message, `"Another Network", configured is`)
      assert.deepStrictEqual(late.seen, [])
      assert.isTrue(Exit.isFailure(yield* Effect.exit(other.source.firstSequence)))
    })
  )
})
