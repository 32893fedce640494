import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as NodeContext from "@effect/platform-node/NodeContext"
import { assert, describe, it } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import * as LakeSource from "../../../src/stellar/source/LakeSource.js"
import { parseLocation } from "../../../src/stellar/source/LakeStore.js"
import * as SimulatedSource from "../../../src/stellar/source/SimulatedSource.js"
import * as Lake from "../../support/Lake.js"
import * as LakeServer from "../../support/LakeServer.js"

const platform = Layer.merge(FetchHttpClient.layer, NodeContext.layer)
const networkPassphrase = SimulatedSource.passphrase

const ledgers = (start: number, count: number, transactions = 2) =>
  SimulatedSource.make({ interval: 0, transactions })
    .ledgers(start, undefined)
    .pipe(Stream.take(count), Stream.runCollect, Effect.map(Chunk.toReadonlyArray))

const folder = Effect.acquireRelease(
  Effect.sync(() => fs.mkdtempSync(path.join(os.tmpdir(), "lake-"))),
  (made) => Effect.sync(() => fs.rmSync(made, { recursive: true }))
)

const source = (where: string, options: Partial<LakeSource.Options> = {}) =>
  LakeSource.make({ location: parseLocation(where)!, networkPassphrase, ...options }).pipe(
    Effect.provide(platform)
  )

const take = (from: Effect.Effect.Success<ReturnType<typeof source>>, start: number, count: number) =>
  from
    .ledgers(start, undefined)
    .pipe(Stream.take(count), Stream.runCollect, Effect.map(Chunk.toReadonlyArray))

/** Everything that comes until the stream ends, and what it ends in. */
const untilFailure = (from: Effect.Effect.Success<ReturnType<typeof source>>, start: number) =>
  Effect.gen(function* () {
    const seen: Array<number> = []
    const error = yield* from.ledgers(start, undefined).pipe(
      Stream.runForEach((ledger) => Effect.sync(() => seen.push(ledger.sequence))),
      Effect.flip
    )
    return { seen, error }
  })

const warnings = Effect.sync(() => {
  const seen: Array<string> = []
  const logger = Logger.make(({ logLevel, message }) => {
    if (logLevel._tag === "Warning") seen.push(String(message))
  })
  return { seen, layer: Logger.replace(Logger.defaultLogger, logger) }
})

/** Returns once the source has nothing left to do but wait for the test's clock. */
const asleep: Effect.Effect<void> = Effect.suspend(() =>
  Effect.flatMap(TestClock.sleeps(), (sleeps) =>
    Chunk.isEmpty(sleeps) ? Effect.zipRight(oneTurn, asleep) : Effect.void
  )
)
const oneTurn = Effect.promise(() => new Promise<void>((resume) => setImmediate(resume)))
/** Lets time pass until the fiber is done, a little of it each time that files have been read. */
const drive = <A, E>(fiber: Fiber.Fiber<A, E>): Effect.Effect<A, E> =>
  Effect.flatMap(Fiber.poll(fiber), (exit) =>
    exit._tag === "Some"
      ? exit.value
      : settle.pipe(
          Effect.zipRight(TestClock.adjust("100 millis")),
          Effect.zipRight(Effect.suspend(() => drive(fiber)))
        )
  )
const settle = Effect.repeatN(oneTurn, 5)
const quiet = Effect.provide(Logger.minimumLogLevel(LogLevel.None))

describe("LakeSource on a folder", () => {
  for (const layout of [
    {},
    { suffix: ".xdr.zstd" as const },
    { batchesPerPartition: 1 },
    { ledgersPerBatch: 8, batchesPerPartition: 2 },
    { ledgersPerBatch: 8, batchesPerPartition: 1 }
  ]) {
    it.scoped(`reads every layout, from the middle of a batch too: ${JSON.stringify(layout)}`, () =>
      Effect.gen(function* () {
        const root = yield* folder
        const made = yield* ledgers(8, 40)
        Lake.write(root, Lake.pack(made, { networkPassphrase, ...layout }))
        const lake = yield* source(root)
        const read = yield* take(lake, 11, 37)
        assert.deepStrictEqual(
          read.map(({ bytes, sequence }) => ({ sequence, bytes: Buffer.from(bytes) })),
          made.slice(3).map(({ bytes, sequence }) => ({ sequence, bytes: Buffer.from(bytes) }))
        )
        assert.strictEqual(read[0]!.object, path.join(root, Lake.keyOf(11, { networkPassphrase, ...layout })))
        const first = yield* lake.firstSequence
        assert.strictEqual(first, layout.ledgersPerBatch === 8 ? 40 : 47)
      })
    )
  }

  it.scoped(
    "reads a lake without a description as the usual layout, and a first batch that begins with 2",
    () =>
      Effect.gen(function* () {
        const root = yield* folder
        const made = yield* ledgers(2, 14)
        Lake.write(root, Lake.pack(made, { networkPassphrase: null }))
        assert.lengthOf(yield* take(yield* source(`file://${root}`), 2, 14), 14)
        const batched = yield* folder
        Lake.write(batched, Lake.pack(made, { networkPassphrase, ledgersPerBatch: 8 }))
        assert.lengthOf(yield* take(yield* source(batched), 2, 14), 14)
      }).pipe(quiet)
  )

  it.scoped("reads what was copied out of a partition's folder with the description of the whole", () =>
    Effect.gen(function* () {
      const root = yield* folder
      const made = yield* ledgers(100, 5)
      const objects = Lake.pack(made, { networkPassphrase, batchesPerPartition: 1, suffix: ".xdr.zstd" })
      const whole = Lake.pack([], { networkPassphrase })
      Lake.write(root, new Map([...objects, ...whole]))
      const lake = yield* source(root)
      assert.lengthOf(yield* take(lake, 100, 5), 5)
      assert.strictEqual(yield* lake.firstSequence, 104)
    })
  )

  it.scoped(
    "waits at the tip, looking every second, and ends in missing where the lake goes on after a gap",
    () =>
      Effect.gen(function* () {
        const root = yield* folder
        const made = yield* ledgers(100, 6)
        const layout = { networkPassphrase }
        Lake.write(root, Lake.pack(made.slice(0, 2), layout))
        const lake = yield* source(root)
        const logged = yield* warnings
        const found = yield* Queue.unbounded<number>()
        const reading = yield* lake.ledgers(100, undefined).pipe(
          Stream.runForEach((ledger) => Queue.offer(found, ledger.sequence)),
          Effect.provide(logged.layer),
          Effect.flip,
          Effect.fork
        )
        assert.strictEqual(yield* Queue.take(found), 100)
        assert.strictEqual(yield* Queue.take(found), 101)
        yield* asleep
        Lake.write(root, Lake.pack(made.slice(2, 3), layout))
        yield* TestClock.adjust("999 millis")
        yield* settle
        assert.strictEqual(yield* Queue.size(found), 0)
        yield* TestClock.adjust("1 millis")
        assert.strictEqual(yield* Queue.take(found), 102)
        assert.deepStrictEqual(logged.seen, [])
        // 103 is missing, 104 and 105 are there.
        Lake.write(root, Lake.pack(made.slice(4), layout))
        const error = yield* drive(reading)
        assert.strictEqual(yield* Queue.size(found), 0)
        assert.strictEqual(error.reason, "missing")
        assert.strictEqual(error.object, path.join(root, Lake.keyOf(103, layout)))
        assert.include(error.message, "the lake has a gap at 103")
        // Whoever asks again once it is there goes on as if nothing had been.
        Lake.write(root, Lake.pack(made.slice(3, 4), layout))
        assert.deepStrictEqual(
          (yield* take(lake, 103, 3)).map(({ sequence }) => sequence),
          [103, 104, 105]
        )
      })
  )

  it.scoped("gives an object that is being written a little time, and then says which one is corrupt", () =>
    Effect.gen(function* () {
      const root = yield* folder
      const made = yield* ledgers(100, 4)
      const objects = Lake.pack(made, { networkPassphrase })
      const key = Lake.keyOf(102, { networkPassphrase })
      const whole = objects.get(key)!
      objects.set(key, whole.subarray(0, 500))
      Lake.write(root, objects)
      const lake = yield* source(root)
      const first = yield* Effect.fork(untilFailure(lake, 100))
      const { error, seen } = yield* drive(first)
      assert.deepStrictEqual(seen, [100, 101], "what came before is delivered")
      assert.strictEqual(error.reason, "corrupt")
      assert.strictEqual(error.object, path.join(root, key))
      assert.include(error.message, `${path.join(root, key)} is corrupt: truncated`)

      const second = yield* Effect.fork(take(lake, 100, 4))
      yield* asleep
      yield* TestClock.adjust("500 millis")
      yield* asleep
      Lake.write(root, new Map([[key, whole]]))
      assert.lengthOf(yield* drive(second), 4)
    }).pipe(quiet)
  )

  it.scoped("refuses objects that are not what their key says", () =>
    Effect.gen(function* () {
      const made = yield* ledgers(100, 2)
      const key = (sequence: number) => Lake.keyOf(sequence, { networkPassphrase })
      const objects = Lake.pack(made, { networkPassphrase })
      for (const [content, why] of [
        [objects.get(key(101))!, "it holds ledgers 101 to 101, not 100 to 100"],
        [Buffer.from("not zstd at all"), "no zstd frame at byte 0"],
        [Buffer.alloc(0), "the object is empty"]
      ] as const) {
        const root = yield* folder
        Lake.write(root, new Map([[key(100), content]]))
        const fiber = yield* Effect.fork(untilFailure(yield* source(root), 100))
        const { error } = yield* drive(fiber)
        assert.strictEqual(error.reason, "corrupt")
        assert.include(error.message, why)
      }
      const root = yield* folder
      Lake.write(root, new Map([[key(100), Buffer.alloc(1001)]]))
      const large = yield* untilFailure(yield* source(root, { maximumObjectSize: 1000 }), 100)
      assert.include(large.error.message, "is larger than the 1000 bytes")
    }).pipe(quiet)
  )

  it.scoped("refuses a folder that is not there, none at all, of another network, or badly described", () =>
    Effect.gen(function* () {
      const root = yield* folder
      const refused = (where: string) =>
        Effect.map(Effect.flip(source(where)), (error) => `${error.reason}: ${error.message}`)
      assert.strictEqual(
        yield* refused(path.join(root, "nowhere")),
        `unreadable: ${path.join(root, "nowhere")} cannot be read: it does not exist`
      )
      fs.writeFileSync(path.join(root, "file"), "")
      assert.strictEqual(
        yield* refused(path.join(root, "file")),
        `unreadable: ${path.join(root, "file")} is not a folder`
      )
      Lake.write(root, Lake.pack([], { networkPassphrase: "Another Network" }))
      const other = yield* refused(root)
      assert.include(other, `"Another Network"`)
      assert.include(other, `"${networkPassphrase}"`)
      fs.writeFileSync(path.join(root, ".config.json"), "{}")
      assert.include(yield* refused(root), "its ledgersPerBatch is not a positive integer")
      fs.rmSync(path.join(root, ".config.json"))
      const empty = yield* Effect.flip((yield* source(root)).firstSequence)
      assert.include(empty.message, "no newest ledger was found")
    })
  )
})

describe("LakeSource behind a server", () => {
  const fast = { pollInterval: "10 millis" as const }

  for (const listing of ["host", "path", "none"] as const) {
    it.scopedLive(`finds the tip and reads on: listing by ${listing}`, () =>
      Effect.gen(function* () {
        const made = yield* ledgers(1, 70)
        const server = yield* LakeServer.make(Lake.pack(made.slice(1, 60), { networkPassphrase }), {
          prefix: "some bucket/v1.1/pubnet".replace(" ", "-"),
          listing
        })
        const lake = yield* source(server.url.href, fast)
        assert.strictEqual(yield* lake.firstSequence, 60)
        const reading = yield* Effect.fork(take(lake, 58, 5))
        yield* Effect.sleep("60 millis")
        assert.isFalse(
          yield* Effect.map(Fiber.poll(reading), (exit) => exit._tag === "Some"),
          "waits at the tip"
        )
        for (const [key, bytes] of Lake.pack(made.slice(60, 63), { networkPassphrase }))
          server.objects.set(key, bytes)
        const read = yield* Fiber.join(reading)
        assert.deepStrictEqual(
          read.map((ledger) => ledger.sequence),
          [58, 59, 60, 61, 62]
        )
        assert.strictEqual(read[0]!.object, `${server.url.href}/${Lake.keyOf(58, { networkPassphrase })}`)
      })
    )
  }

  for (const layout of [{ ledgersPerBatch: 8 }, { ledgersPerBatch: 1, suffix: ".xdr.zstd" as const }]) {
    it.scopedLive(`probes where nothing is listed: ${JSON.stringify(layout)}`, () =>
      Effect.gen(function* () {
        const made = yield* ledgers(8, 88, 0)
        for (const count of [8, 24, 56, 88]) {
          const objects = Lake.pack(made.slice(0, count), { networkPassphrase, ...layout })
          const server = yield* LakeServer.make(objects, { prefix: "lake", listing: "none", absent: 403 })
          const first = yield* Effect.flatMap(source(server.url.href), (lake) => lake.firstSequence)
          assert.strictEqual(first, layout.ledgersPerBatch === 8 ? count : 7 + count, `${count} ledgers`)
        }
      })
    )
  }

  it.scopedLive("gets over a broken transfer, an overloaded server, and a server that hangs up", () =>
    Effect.gen(function* () {
      const made = yield* ledgers(100, 4, 20)
      const server = yield* LakeServer.make(Lake.pack(made, { networkPassphrase }), {
        prefix: "lake",
        listing: "host"
      })
      const key = (sequence: number) => Lake.keyOf(sequence, { networkPassphrase })
      server.misbehave(".config.json", (response) => void response.writeHead(503).end("slow down"))
      // One is cut off in a way that HTTP notices, one in a way that only zstd does, one is never answered.
      server.misbehave(key(100), (response, good) => {
        response.writeHead(200, { "content-length": good!.length })
        response.write(good!.subarray(0, 1000), () => response.destroy())
      })
      server.misbehave(key(101), (response, good) => void response.end(good!.subarray(0, 1000)))
      server.misbehave(key(102), (response) => void response.destroy())
      server.misbehave(key(103), () => undefined)
      const lake = yield* source(server.url.href, { ...fast, requestTimeout: "300 millis" })
      const read = yield* take(lake, 100, 4)
      assert.deepStrictEqual(
        read.map((ledger) => ledger.sequence),
        [100, 101, 102, 103]
      )
      for (let sequence = 100; sequence < 104; sequence++) {
        assert.lengthOf(
          server.requests.filter((request) => request.includes(key(sequence))),
          2,
          `${sequence}`
        )
      }
    }).pipe(quiet)
  )

  it.scopedLive("names an object that is corrupt twice, and a network that is another", () =>
    Effect.gen(function* () {
      const made = yield* ledgers(100, 3)
      const server = yield* LakeServer.make(Lake.pack(made, { networkPassphrase }), {
        prefix: "lake",
        listing: "host"
      })
      const key = Lake.keyOf(101, { networkPassphrase })
      const damaged = Buffer.from(server.objects.get(key)!)
      damaged[damaged.length - 1]! ^= 1
      server.objects.set(key, damaged)
      // The ledger before it comes only after the damage has been found.
      server.misbehave(Lake.keyOf(100, { networkPassphrase }), (response, good) => {
        const asked = () => server.requests.filter((request) => request.includes(key)).length
        const answer = (turns: number) => {
          if (asked() < 2) setImmediate(answer, 200)
          else if (turns > 0) setImmediate(answer, turns - 1)
          else response.end(good)
        }
        answer(200)
      })
      const { error, seen } = yield* untilFailure(yield* source(server.url.href, fast), 100)
      assert.deepStrictEqual(seen, [100])
      assert.strictEqual(error.reason, "corrupt")
      assert.strictEqual(error.object, `${server.url.href}/${key}`)
      assert.lengthOf(
        server.requests.filter((request) => request.includes(key)),
        2
      )
      const other = yield* source(server.url.href, { networkPassphrase: "Another Network" })
      const refused = yield* Effect.flip(other.firstSequence)
      assert.strictEqual(refused.reason, "unreadable")
      assert.include(refused.message, networkPassphrase)
      assert.include(refused.message, "Another Network")
    }).pipe(quiet)
  )

  it.scopedLive("asks with one reader at the tip, and holds a bounded number of ledgers", () =>
    Effect.gen(function* () {
      const made = yield* ledgers(100, 40)
      const server = yield* LakeServer.make(Lake.pack(made, { networkPassphrase }), {
        prefix: "lake",
        listing: "host"
      })
      const lake = yield* source(server.url.href, { ...fast, prefetch: 3 })
      yield* Effect.scoped(
        Effect.gen(function* () {
          const pull = yield* Stream.toPull(Stream.rechunk(lake.ledgers(100, undefined), 1))
          yield* pull
          yield* Effect.sleep("200 millis")
          const asked = server.requests.filter((request) => request.startsWith("GET /lake/FF")).length
          assert.isAtLeast(asked, 4)
          assert.isAtMost(asked, 1 + 3 + 2)
        })
      )
      server.requests.length = 0
      const reading = yield* Effect.fork(take(lake, 138, 3))
      yield* Effect.sleep("300 millis")
      yield* Fiber.interrupt(reading)
      const distinct = new Map<string, number>()
      for (const request of server.requests) distinct.set(request, (distinct.get(request) ?? 0) + 1)
      const polled = Lake.keyOf(140, { networkPassphrase })
      for (const [request, count] of distinct) {
        if (request.includes(polled.slice(0, -8))) continue
        assert.isAtMost(count, 2, request)
      }
      assert.isAbove(distinct.get(`GET /lake/${polled}`) ?? 0, 5)
    })
  )
})
