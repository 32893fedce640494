/**
 * The file that a run's record is kept in: found, claimed and written.
 *
 * Nobody ever reads half a record, since each is written beside its place and moved there. And no process takes the place of another that lives: a place that
 * is free is taken with a hard link, which only one can make, and what an earlier run left is moved away first, which again only one can do.
 */
import * as FileSystem from "@effect/platform/FileSystem"
import type { PlatformError } from "@effect/platform/Error"
import * as Path from "@effect/platform/Path"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Bounded from "./Bounded.js"
import * as OwnProcess from "./OwnProcess.js"
import * as RunRecord from "./RunRecord.js"

/** What stood in the file before. */
export type Found =
  | { readonly _tag: "Nothing" }
  | { readonly _tag: "Record"; readonly record: RunRecord.RunRecord }
  /** It was no record; it has been moved to `movedTo`. */
  | { readonly _tag: "Unreadable"; readonly reason: string; readonly movedTo: string }

/** A file that is this run's own. */
export interface Claimed {
  /** Where it is. */
  readonly file: string
  /** What an earlier run left there. */
  readonly found: Found
  /** Places before this one, which living processes have. */
  readonly passedOver: ReadonlyArray<string>
  /** Puts `record` in place of the one before, whole or not at all. */
  readonly write: (record: RunRecord.RunRecord) => Effect.Effect<void, PlatformError>
}

/**
 * A process that has not said for this long that it runs is not believed to do so, in milliseconds: after a crash its id may have gone to somebody
 * else.
 */
export const silentMillis = 60_000

/** How many places are tried, and how often one that others fight for. */
const attempts = 100

const encode = Schema.encodeSync(RunRecord.Json)
const decode = Schema.decodeEither(RunRecord.Json)

/** Claims `wanted`, or the next place that no living process has, and puts the record that `running` makes there. None where there is no place left. */
export const claim = (
  wanted: string,
  running: (found: Found) => RunRecord.Running
): Effect.Effect<
  Option.Option<Claimed>,
  PlatformError,
  FileSystem.FileSystem | Path.Path | OwnProcess.OwnProcess
> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const self = yield* OwnProcess.OwnProcess

    const aside = (file: string, what: string) => `${file}.${self.pid}.${what}`
    const isAlive = (record: RunRecord.RunRecord) =>
      Effect.gen(function* () {
        if (record.state !== "running" || record.hostname !== self.hostname || record.pid === self.pid) {
          return false
        }
        return (yield* Bounded.now) - record.seenAt < silentMillis && (yield* self.isAlive(record.pid))
      })

    /** Moves what an earlier run left out of the way; none when somebody else was quicker. */
    const takeOver = (file: string, text: string) =>
      Effect.gen(function* () {
        const old = aside(file, "old")
        yield* fs.rename(file, old)
        if ((yield* fs.readFileString(old)) !== text) {
          // Somebody has claimed the place in between, and this is his: it goes back.
          yield* Effect.ignore(fs.link(old, file))
          yield* fs.remove(old)
          return Option.none<Found>()
        }
        const decoded = decode(text)
        if (Either.isRight(decoded)) {
          yield* fs.remove(old)
          return Option.some<Found>({ _tag: "Record", record: decoded.right })
        }
        const movedTo = `${file}.unreadable`
        yield* fs.rename(old, movedTo)
        return Option.some<Found>({ _tag: "Unreadable", reason: decoded.left.message, movedTo })
      }).pipe(Effect.catchIf(isNotFound, () => Effect.succeed(Option.none<Found>())))

    /** Puts the first record into a place that is free; false when it is no longer. */
    const put = (file: string, found: Found) => {
      const temporary = aside(file, "new")
      return fs.writeFileString(temporary, encode(running(found))).pipe(
        Effect.zipRight(fs.link(temporary, file)),
        Effect.as(true),
        Effect.catchIf(isAlreadyThere, () => Effect.succeed(false)),
        // Some file systems have no hard links. There a tie between two that start in one instant is not noticed.
        Effect.catchAll(() => Effect.as(fs.rename(temporary, file), true)),
        Effect.ensuring(Effect.ignore(fs.remove(temporary)))
      )
    }

    yield* fs.makeDirectory(path.dirname(wanted), { recursive: true })
    const passedOver: Array<string> = []
    let found: Found = { _tag: "Nothing" }
    for (let i = 0; i < attempts; i++) {
      const file = RunRecord.nthFile(wanted, passedOver.length + 1)
      const text = yield* fs.readFileString(file).pipe(
        Effect.map(Option.some),
        Effect.catchIf(isNotFound, () => Effect.succeed(Option.none<string>()))
      )
      if (Option.isSome(text)) {
        const record = decode(text.value)
        if (Either.isRight(record) && (yield* isAlive(record.right))) {
          passedOver.push(file)
          continue
        }
        const taken = yield* takeOver(file, text.value)
        if (Option.isNone(taken)) continue
        found = taken.value
      }
      if (!(yield* put(file, found))) continue
      return Option.some({
        file,
        found,
        passedOver,
        write: (record: RunRecord.RunRecord) => {
          const temporary = aside(file, "new")
          return Effect.zipRight(fs.writeFileString(temporary, encode(record)), fs.rename(temporary, file))
        }
      })
    }
    return Option.none()
  })

const isNotFound = (error: PlatformError): boolean =>
  error._tag === "SystemError" && error.reason === "NotFound"

const isAlreadyThere = (error: PlatformError): boolean =>
  error._tag === "SystemError" && error.reason === "AlreadyExists"
