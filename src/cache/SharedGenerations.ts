/**
 * Generations that processes share: the tokens are in Redis, and who changes one tells the others.
 *
 * What was verified is believed for the staleness of the configuration, or until Redis tells that it has changed, or that something may have been missed. What
 * could not be changed because Redis was away is owed: it counts here at once, what Redis holds of it is not read meanwhile, and it is made good when Redis is back.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type * as Redis from "../redis/Redis.js"
import * as Script from "../redis/Script.js"
import * as Generations from "./Generations.js"
import * as SingleFlight from "./SingleFlight.js"

/** What is known of a tag. */
interface Tag {
  /** As Redis said last, or drawn here when nobody else may know it. */
  token: string
  /** Until when it is believed, in milliseconds since 1970. */
  sureUntil: number
  /** Counts what makes an answer worthless that was asked for before. */
  changes: number
  /** Whether Redis was ever asked. */
  isAsked: boolean
  /** Counts the times that it was invalidated here; those that Redis has yet to be told of are owed. */
  renewed: number
  /** The last of those that Redis was told of. */
  paid: number
  /** What this process has told Redis last. */
  sent: string | undefined
}

/** Every tag gets its token. One for which Redis has no memory left loses the one it had, which makes entries outdated as well. */
const change = Script.make(`
for i, key in ipairs(KEYS) do
  local set = redis.pcall('SET', key, ARGV[i + 2])
  if set.err then redis.call('DEL', key) end
end
return redis.call('PUBLISH', ARGV[1], ARGV[2])
`)

/** Time between two attempts to make good what is owed. */
const pause = Duration.seconds(1)

/** What is told to the others: tags and their tokens. */
type Told = ReadonlyArray<readonly [tag: string, token: string]>

const parse = (text: string): Told => {
  try {
    const told: unknown = JSON.parse(text)
    return Array.isArray(told) ? (told as Told).filter((pair) => Array.isArray(pair)) : []
  } catch {
    return []
  }
}

/** Generations in Redis, until the scope closes. `changed` is told of every tag that has a new one; `failed` of every failure of Redis. */
export const make = (
  redis: Redis.Shape,
  staleness: Duration.Duration,
  changed: (tag: string) => void,
  failed: (tags: ReadonlyArray<string>) => void
): Effect.Effect<Generations.Generations, never, Scope.Scope> =>
  Effect.gen(function* () {
    const clock = yield* Effect.clock
    const now = () => clock.unsafeCurrentTimeMillis()
    const patience = Duration.toMillis(staleness)
    const channel = redis.key("cache", "changes")
    const keyOf = (tag: string) => redis.key("cache", "tag", tag)
    const tags = new Map<string, Tag>()
    const flight = SingleFlight.make()
    const debts = yield* Queue.sliding<void>(1)

    const of = (name: string): Tag => {
      const known = tags.get(name)
      if (known !== undefined) return known
      const fresh: Tag = {
        token: Generations.draw(),
        sureUntil: 0,
        changes: 0,
        isAsked: false,
        renewed: 0,
        paid: 0,
        sent: undefined
      }
      tags.set(name, fresh)
      return fresh
    }
    const forget = (tag: Tag) => {
      tag.sureUntil = 0
      tag.changes += 1
    }
    const isOwed = ({ paid, renewed }: Tag) => paid < renewed
    const isSure = (names: ReadonlyArray<string>) => {
      const moment = now()
      return names.every((name) => of(name).sureUntil > moment)
    }

    const ask = (names: ReadonlyArray<string>) =>
      Effect.map(
        redis.command("MGET", ...names.map(keyOf)),
        (answer) => answer as ReadonlyArray<string | null>
      )
    const refresh = Effect.gen(function* () {
      const names = [...tags.keys()]
      const before = names.map((name) => of(name).changes)
      const until = now() + patience
      let tokens = yield* ask(names)
      const missing = names.filter((_, i) => tokens[i] === null)
      if (missing.length > 0) {
        // Of two who see that it is missing, one decides.
        yield* Effect.forEach(
          missing,
          (name) => redis.command("SET", keyOf(name), Generations.draw(), "NX"),
          { concurrency: "unbounded", discard: true }
        )
        tokens = yield* ask(names)
      }
      names.forEach((name, i) => {
        const tag = of(name)
        const token = tokens[i]
        if (token === null || token === undefined || isOwed(tag) || tag.changes !== before[i]) return
        if (tag.isAsked && token !== tag.token && token !== tag.sent) changed(name)
        tag.isAsked = true
        tag.token = token
        tag.sureUntil = until
      })
    })
    const attempt = (names: ReadonlyArray<string>) =>
      flight.run("refresh", refresh).pipe(
        Effect.as("answered" as const),
        Effect.catchAll(() =>
          Effect.sync(() => {
            failed(names)
            return "failed" as const
          })
        )
      )

    /**
     * Tells Redis, and by that the others. The tokens are drawn for this: what was computed here meanwhile carries one that only this process knows, since
     * another process may invalidate it before Redis hears of ours.
     */
    const pay = (names: ReadonlyArray<string>) =>
      Effect.gen(function* () {
        const bills = names.map((name) => {
          const tag = of(name)
          tag.sent = Generations.draw()
          return { name, tag, token: tag.sent, renewed: tag.renewed, changes: tag.changes }
        })
        const until = now() + patience
        const told: Told = bills.map(({ name, token }) => [name, token])
        const answer = yield* Effect.either(
          redis.run(change, names.map(keyOf), [
            channel,
            JSON.stringify(told),
            ...bills.map(({ token }) => token)
          ])
        )
        if (Either.isLeft(answer)) {
          failed(names)
          return false
        }
        for (const { changes, renewed, tag, token } of bills) {
          tag.paid = Math.max(tag.paid, renewed)
          tag.isAsked = true
          if (tag.changes !== changes || isOwed(tag)) continue
          tag.token = token
          tag.sureUntil = until
        }
        return true
      })
    const owed = () => [...tags].flatMap(([name, tag]) => (isOwed(tag) ? [name] : []))
    const payDebts = Effect.gen(function* () {
      yield* Queue.take(debts)
      while (owed().length > 0) {
        yield* redis.awaitConnected
        const isPaid = yield* pay(owed())
        if (!isPaid) yield* Effect.sleep(pause)
      }
    })

    const hear = Stream.runForEach(redis.listen(channel), (heard) =>
      Effect.sync(() => {
        if (heard._tag === "Gap") {
          for (const tag of tags.values()) forget(tag)
          return
        }
        for (const [name, token] of parse(heard.text)) {
          const tag = tags.get(name)
          if (tag === undefined || tag.token === token || tag.sent === token) continue
          // The token itself is not taken over: messages may be older than what Redis has answered since. One that nobody has is none that anything here carries.
          forget(tag)
          tag.token = Generations.draw()
        }
      })
    )
    yield* Effect.forkScoped(hear)
    yield* Effect.forkScoped(Effect.forever(payDebts))

    return {
      known: (names) => ({
        stamp: names.map((name) => of(name).token).join("."),
        isSure: isSure(names)
      }),
      verify: (names) =>
        Effect.gen(function* () {
          // What is under way may have been asked before these were in doubt; then once more.
          for (let attempts = 0; attempts < 2; attempts++) {
            if (isSure(names)) return true
            if (names.some((name) => isOwed(of(name)))) return false
            if ((yield* attempt(names)) === "failed") return false
          }
          return isSure(names)
        }),
      renew: (names) =>
        Effect.suspend(() => {
          for (const name of names) {
            const tag = of(name)
            forget(tag)
            tag.token = Generations.draw()
            tag.renewed += 1
            changed(name)
          }
          return pay(names)
        }).pipe(
          // Also when it was interrupted.
          Effect.ensuring(Effect.sync(() => void (owed().length > 0 && debts.unsafeOffer(void 0))))
        )
    }
  })
