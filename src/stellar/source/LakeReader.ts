/**
 * Reading a lake one object at a time: how it is laid out, waiting for an object that is not there yet, and believing no broken one too soon.
 */
import * as Deferred from "effect/Deferred"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import * as SynchronizedRef from "effect/SynchronizedRef"
import * as LakeObject from "./LakeObject.js"
import * as LakeSchema from "./LakeSchema.js"
import type { LakeStore } from "./LakeStore.js"
import { LedgerSourceError } from "./LedgerSource.js"

/** What a reader must know beside the store. */
export interface Options {
  /** The network that the lake must belong to, where its `.config.json` says which. */
  readonly networkPassphrase: string
  /** How often to ask for an object that is not there yet. */
  readonly pollInterval: Duration.DurationInput
}

/** A batch to be loaded. */
export interface Job {
  /** The sequences in it, both included. */
  readonly range: LakeObject.Wanted["range"]
  /** Done when the batch before it is there. */
  readonly before: Deferred.Deferred<void>
  /** Done by {@link Reader.load} when this one is there. */
  readonly found: Deferred.Deferred<void>
}

/** Every how many polls to look twice: for another form of its key, and whether what is absent is a gap. */
const secondLook = 10

/** A reader of one lake. */
export type Reader = Effect.Effect.Success<ReturnType<typeof make>>

/** A reader on a store. Asks nothing of it yet; never fails. */
export const make = Effect.fnUntraced(function* (store: LakeStore, options: Options) {
  const cachedSchema = yield* SynchronizedRef.make(Option.none<LakeSchema.LakeSchema>())
  const form = yield* Ref.make(Option.none<number>())

  /** How the lake is laid out, read once. Ends in `unreadable`. */
  const schema = SynchronizedRef.modifyEffect(cachedSchema, (cached) =>
    Option.isSome(cached)
      ? Effect.succeed([cached.value, cached] as const)
      : Effect.map(readSchema(store, options.networkPassphrase), (read) => [read, Option.some(read)] as const)
  )
  /** Asks for the key of the form that was last seen, and for the other ones too where none was seen yet or when told to look twice. */
  const byForm = <A>(
    described: LakeSchema.LakeSchema,
    sequence: number,
    twice: boolean,
    ask: (key: string) => Effect.Effect<Option.Option<A>, LedgerSourceError>
  ) =>
    Effect.gen(function* () {
      const keys = LakeSchema.keysOf(described, sequence)
      const seen = Option.getOrUndefined(yield* Ref.get(form))
      // A lake changes its suffix at some ledger, never its folders: once one object was seen, only the neighbour can be the other form.
      const forms = seen === undefined ? keys.map((_, i) => i) : twice ? [seen, seen ^ 1] : [seen]
      for (const i of forms) {
        const found = yield* ask(keys[i]!)
        if (Option.isNone(found)) continue
        yield* Ref.set(form, Option.some(i))
        return found
      }
      return Option.none<A>()
    })

  /** Whether the lake has the object that holds a sequence. Ends in `unreadable`. */
  const exists = (described: LakeSchema.LakeSchema) => (sequence: number) =>
    Effect.map(
      byForm(described, sequence, true, (key) =>
        Effect.map(store.exists(key), (there) => (there ? Option.some(key) : Option.none()))
      ),
      Option.isSome
    )

  /** Whether the lake goes on after an object that it does not have. */
  const goesOn = Effect.fnUntraced(function* (
    described: LakeSchema.LakeSchema,
    range: LakeObject.Wanted["range"]
  ) {
    const keys = yield* store.newestKeys
    if (keys === undefined) return yield* exists(described)(range.end + 1)
    return (LakeSchema.newestOf(keys) ?? 0) > range.end
  })

  /** Waits for the object of a batch (one that does not come though later ones do ends in `missing`), and polls only once the one before it is there: at the tip, one reader asks and not all that are ahead. */
  const waitFor = Effect.fnUntraced(function* (described: LakeSchema.LakeSchema, job: Job) {
    for (let polls = 0; ; polls++) {
      const found = yield* byForm(described, job.range.start, polls % secondLook === 0, (key) =>
        Effect.map(
          store.get(key),
          Option.map((bytes) => ({ key, bytes }))
        )
      )
      if (Option.isSome(found)) return found.value
      if (!(yield* Deferred.isDone(job.before))) {
        yield* Deferred.await(job.before)
        continue
      }
      if (polls % secondLook === secondLook - 1 && (yield* goesOn(described, job.range))) {
        const object = store.locate(LakeSchema.keysOf(described, job.range.start)[0]!)
        const message = `${object} is missing though later ledgers are there: the lake has a gap at ${job.range.start}`
        return yield* new LedgerSourceError({ reason: "missing", object, message })
      }
      yield* Effect.sleep(options.pollInterval)
    }
  })

  /** The ledgers of a batch, as soon as they are there. Ends in `corrupt`, `missing` or `unreadable`; at the tip it waits for ever. */
  const load = Effect.fnUntraced(function* (described: LakeSchema.LakeSchema, job: Job) {
    const { bytes, key } = yield* waitFor(described, job)
    yield* Deferred.succeed(job.found, undefined)
    const wanted = { object: store.locate(key), range: job.range }
    let result = yield* Effect.either(LakeObject.open(wanted, bytes))
    for (const pause of store.corruptRetries) {
      if (result._tag === "Right") break
      yield* Effect.logWarning("An object of the ledger lake is corrupt, reading it again").pipe(
        Effect.annotateLogs({ object: wanted.object, why: result.left.message })
      )
      yield* Effect.sleep(pause)
      const again = yield* store.get(key)
      if (Option.isSome(again)) result = yield* Effect.either(LakeObject.open(wanted, again.value))
    }
    return yield* result
  })

  return { schema, exists, load }
})

const readSchema = Effect.fnUntraced(function* (store: LakeStore, networkPassphrase: string) {
  const object = store.locate(LakeSchema.configKey)
  const unreadable = (message: string) => new LedgerSourceError({ reason: "unreadable", object, message })
  const found = yield* store.get(LakeSchema.configKey)
  if (Option.isNone(found)) {
    yield* Effect.logInfo("The ledger lake has no .config.json, assuming the usual layout").pipe(
      Effect.annotateLogs({ lake: store.name, ...LakeSchema.assumed, networkPassphrase })
    )
    return LakeSchema.assumed
  }
  const schema = LakeSchema.parse(new TextDecoder().decode(found.value))
  if (schema._tag === "Left") return yield* unreadable(`${object} cannot be used: ${schema.left}`)
  const theirs = schema.right.networkPassphrase
  if (theirs !== undefined && theirs !== networkPassphrase) {
    return yield* unreadable(
      `${store.name} holds ledgers of the network "${theirs}", configured is "${networkPassphrase}": ` +
        "change STELLAR_LAKE_URL, or STELLAR_NETWORK and STELLAR_NETWORK_PASSPHRASE"
    )
  }
  return schema.right
})
