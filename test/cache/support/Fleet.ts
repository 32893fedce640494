/**
 * Processes that share a made-up Redis on virtual time: every answer and every message takes its time, some are lost, Redis is away now and then, or forgets
 * everything. What a read may give is known, and compared.
 */
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Queue from "effect/Queue"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Cache from "../../../src/cache/Cache.js"
import * as CacheConfig from "../../../src/cache/CacheConfig.js"
import type * as Redis from "../../../src/redis/Redis.js"
import { RedisError } from "../../../src/redis/RedisError.js"
import type { Heard } from "../../../src/redis/Subscriptions.js"
import * as Random from "../../simulation/Random.js"
import * as VirtualTime from "../../simulation/VirtualTime.js"

/** How bad the world is: probabilities. */
export interface World {
  /** That an answer does not come; what was asked was done or not. */
  readonly unanswered: number
  /** That a message is not told, and nobody knows. */
  readonly untold: number
  /** That Redis is away for a while, for a process, in each second. */
  readonly away: number
  /** That Redis forgets everything, in each second. */
  readonly empty: number
}

/** How long a run takes, in virtual milliseconds. */
const length = 6000
export const staleness = 1000
const commandTimeout = 500

/** A commit of the database, and what was done to tell of it. */
interface Commit {
  readonly version: number
  readonly process: number
  readonly at: number
  /** When Redis changed the token. */
  toldAt: number
  /** When each process heard of it. */
  readonly heardAt: Array<number>
}

/** What a run came to: reads, and those that gave what they may not. */
export interface Result {
  readonly reads: number
  readonly computed: number
  readonly sharedHits: number
  readonly localHits: number
  readonly commits: number
  readonly wrong: ReadonlyArray<string>
}

/** One run. `hears` says whether messages are relied on: then what was heard counts at once. */
export const run = (seed: number, world: World, hears: boolean): Result => {
  const random = Random.make(seed)
  const time = VirtualTime.make()
  const { now } = time
  const store = new Map<string, { readonly text: string; readonly until: number }>()
  const processes = 3
  const commits: Array<Commit> = []
  const wrong: Array<string> = []
  const ears: Array<Queue.Queue<Heard>> = []
  const awayUntil = Array.from({ length: processes }, () => 0)
  let version = 0
  let reads = 0
  let computed = 0

  const peek = (key: string) => {
    const kept = store.get(key)
    return kept === undefined || kept.until <= now() ? null : kept.text
  }
  /** What `process` had committed when it asked for this has been told now. */
  const told = (process: number, asked: number) => {
    for (const commit of commits) {
      if (commit.process === process && commit.at <= asked) commit.toldAt = Math.min(commit.toldAt, now())
    }
  }

  const connect = (process: number): Redis.Shape => {
    // Answers and messages come in order.
    let [sentUntil, answeredUntil, heardUntil] = [0, 0, 0]
    const isAway = () => awayUntil[process]! > now()
    const ask = <A>(command: string, does: () => A): Effect.Effect<A, RedisError> =>
      Effect.suspend(() => {
        if (isAway()) return Effect.fail(new RedisError({ reason: "away", command }))
        const answer = Deferred.unsafeMake<A, RedisError>(undefined as never)
        const isLost = random.chance(world.unanswered)
        const arrives = random.chance(0.5)
        sentUntil = Math.max(sentUntil, now() + random.int(0, 20))
        time.at(sentUntil, () => {
          if (isLost && !arrives) return
          const result = does()
          if (isLost) return
          answeredUntil = Math.max(answeredUntil, now() + random.int(0, 20))
          time.at(answeredUntil, () => Deferred.unsafeDone(answer, Effect.succeed(result)))
        })
        return Deferred.await(answer).pipe(
          Effect.timeoutFail({
            duration: commandTimeout,
            onTimeout: () => new RedisError({ reason: "timeout", command })
          })
        )
      })
    const tell = (text: string, newest: number) => {
      if (random.chance(world.untold) || isAway()) return
      heardUntil = Math.max(heardUntil, now() + random.int(0, 40))
      time.at(heardUntil, () => {
        if (isAway()) return
        for (const commit of commits) {
          if (commit.version <= newest && commit.toldAt <= now()) commit.heardAt[process] ??= now()
        }
        ears[process]?.unsafeOffer({ _tag: "Message", text })
      })
    }
    tells.push(tell)
    const command: Redis.Shape["command"] = (name, ...args) =>
      ask(name, () => {
        const [key, text] = args.map(String) as [string, string]
        if (name === "GET") return peek(key)
        if (name === "MGET") return args.map((key) => peek(String(key)))
        if (args[2] === "NX") {
          if (peek(key) === null) store.set(key, { text, until: Number.POSITIVE_INFINITY })
          return "OK"
        }
        store.set(key, { text, until: now() + Number(args[3]) })
        return "OK"
      })
    return {
      key: (...parts) => parts.join(":"),
      command,
      run: (_, keys, args) =>
        Effect.suspend(() => {
          const asked = now()
          return ask("EVALSHA", () => {
            const until = Number.POSITIVE_INFINITY
            keys.forEach((key, i) => store.set(key, { text: String(args[i + 2]), until }))
            told(process, asked)
            const known = commits.filter(({ toldAt }) => toldAt <= now())
            const newest = Math.max(0, ...known.map(({ version }) => version))
            for (const tell of tells) tell(String(args[1]), newest)
            return 1
          })
        }),
      publish: () => Effect.void,
      listen: () =>
        Stream.unwrap(
          Effect.map(Queue.unbounded<Heard>(), (queue) => {
            ears[process] = queue
            queue.unsafeOffer({ _tag: "Gap" })
            return Stream.fromQueue(queue)
          })
        ),
      status: Effect.never,
      awaitConnected: Effect.suspend(() => Effect.sleep(Math.max(0, awayUntil[process]! - now())))
    }
  }
  const tells: Array<(text: string, newest: number) => void> = []

  /** The least version that a read of `process` may give which begins now. */
  const least = (process: number) =>
    commits.reduce((most, commit) => {
      const isKnown =
        commit.process === process ||
        now() > commit.toldAt + staleness ||
        (hears && now() > (commit.heardAt[process] ?? Number.POSITIVE_INFINITY))
      return isKnown ? Math.max(most, commit.version) : most
    }, 0)

  let sharedHits = 0
  let localHits = 0
  const program = Effect.gen(function* () {
    const config = { ...CacheConfig.defaults, staleness: Duration.millis(staleness) }
    const fleet = yield* Effect.forEach(Array.from({ length: processes }), (_, process) =>
      Effect.gen(function* () {
        const cache = yield* Cache.makeRedis(config, connect(process))
        const values = yield* cache.namespace({
          name: "values",
          schema: Schema.Number,
          ttl: Duration.hours(1),
          tags: ["ledger"]
        })
        return { cache, values }
      })
    )
    const read = (process: number) =>
      Effect.gen(function* () {
        reads += 1
        const began = now()
        const must = least(process)
        const compute = Effect.suspend(() => {
          computed += 1
          const seen = version
          return Effect.as(Effect.sleep(random.int(0, 60)), seen)
        })
        const got = yield* fleet[process]!.values.through(random.pick(["a", "b"]), compute)
        if (got < must) wrong.push(`seed ${seed}: process ${process} read ${got} at ${began}, not ${must}`)
      })
    const commit = (process: number) =>
      Effect.suspend(() => {
        version += 1
        const toldAt = Number.POSITIVE_INFINITY
        commits.push({ version, process, at: now(), toldAt, heardAt: [] })
        return fleet[process]!.cache.invalidate("ledger")
      })
    const live = (process: number) =>
      Effect.gen(function* () {
        while (now() < length) {
          yield* Effect.sleep(random.int(0, 60))
          yield* Effect.fork(random.chance(0.06) ? commit(process) : read(process))
        }
      })
    const weather = Effect.gen(function* () {
      while (now() < length) {
        yield* Effect.sleep(1000)
        if (random.chance(world.empty)) store.clear()
        for (let process = 0; process < processes; process++) {
          if (!random.chance(world.away) || awayUntil[process]! > now()) continue
          const until = now() + random.int(100, 3000)
          awayUntil[process] = until
          time.at(until, () => ears[process]?.unsafeOffer({ _tag: "Gap" }))
        }
      }
    })
    yield* Effect.all([weather, ...fleet.map((_, process) => live(process))], { concurrency: "unbounded" })
    yield* Effect.sleep(5000)
    for (const { at, process, toldAt, version } of commits) {
      if (toldAt === Number.POSITIVE_INFINITY) {
        wrong.push(`seed ${seed}: what process ${process} committed at ${at}, ${version}, was never told`)
      }
    }
    for (const { cache } of fleet) {
      const { total } = yield* cache.stats
      sharedHits += total.sharedHits
      localHits += total.localHits
    }
  })
  let ended: Exit.Exit<unknown, unknown> | undefined
  const fiber = Effect.runFork(
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      yield* Effect.ensuring(Scope.extend(program, scope), Scope.close(scope, Exit.void))
    }).pipe(Effect.withClock(time.clock), Logger.withMinimumLogLevel(LogLevel.None)),
    { scheduler: time.scheduler }
  )
  fiber.addObserver((exit) => void (ended = exit))
  time.pass(10 * length, () => ended !== undefined)
  if (ended === undefined || Exit.isFailure(ended)) throw new Error(`seed ${seed} ended in ${String(ended)}`)
  return { reads, computed, sharedHits, localHits, commits: commits.length, wrong }
}
