/**
 * A lake in a folder of this machine.
 *
 * Whoever writes it may not write atomically: an object can be met half-written. A corrupt one is therefore read again three times, half a
 * second apart, before it is believed.
 */
import type { PlatformError } from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as LakeSchema from "./LakeSchema.js"
import { type LakeStore, type StoreLimits, tooLarge } from "./LakeStore.js"
import { LedgerSourceError } from "./LedgerSource.js"

const why: Record<string, string> = {
  NotFound: "it does not exist",
  PermissionDenied: "this process may not read it"
}

const unreadable = (object: string, cause: PlatformError) =>
  new LedgerSourceError({
    reason: "unreadable",
    object,
    message: `${object} cannot be read: ${cause._tag === "SystemError" ? (why[cause.reason] ?? cause.message) : cause.message}`,
    cause
  })

const isAbsent = (error: PlatformError) => error._tag === "SystemError" && error.reason === "NotFound"

/** The store of a folder. Ends in `unreadable` when there is no such folder or it may not be read. */
export const make = Effect.fnUntraced(function* (folder: string, limits: StoreLimits) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const root = path.resolve(folder)
  const locate = (key: string) => path.join(folder, key)

  const list = (name: string) =>
    fs.readDirectory(path.join(root, name)).pipe(
      Effect.catchIf(isAbsent, () => Effect.succeed<Array<string>>([])),
      Effect.mapError((cause) => unreadable(locate(name), cause))
    )

  const info = yield* Effect.mapError(fs.stat(root), (cause) => unreadable(folder, cause))
  if (info.type !== "Directory") {
    yield* new LedgerSourceError({
      reason: "unreadable",
      object: folder,
      message: `${folder} is not a folder`
    })
  }
  yield* Effect.mapError(fs.readDirectory(root), (cause) => unreadable(folder, cause))

  return {
    name: folder,
    locate,
    get: (key) =>
      Effect.gen(function* () {
        const file = path.join(root, key)
        const { size } = yield* fs.stat(file)
        if (size > limits.maximumObjectSize) yield* tooLarge(locate(key), limits.maximumObjectSize)
        return Option.some(yield* fs.readFile(file))
      }).pipe(
        Effect.catchIf(
          (error) => error._tag !== "LedgerSourceError" && isAbsent(error),
          () => Effect.succeedNone
        ),
        Effect.mapError((error) =>
          error._tag === "LedgerSourceError" ? error : unreadable(locate(key), error)
        )
      ),
    exists: (key) =>
      Effect.mapError(fs.exists(path.join(root, key)), (cause) => unreadable(locate(key), cause)),
    newestKeys: Effect.gen(function* () {
      const names = yield* list("")
      // A partition's folder can be there before its first object is, so one folder is not always enough.
      for (const partition of names.filter(LakeSchema.isPartition).sort()) {
        const inside = (yield* list(partition)).map((name) => `${partition}/${name}`)
        if (LakeSchema.newestOf(inside) !== undefined) return inside
      }
      return names
    }),
    corruptRetries: ["500 millis", "500 millis", "500 millis"]
  } satisfies LakeStore as LakeStore
})
