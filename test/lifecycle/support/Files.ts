/** Files in memory, with processes that live and die at a word: what a record is kept in, without a disk and without time. */
import { SystemError } from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as OwnProcess from "../../../src/lifecycle/OwnProcess.js"

export interface Files {
  /** Texts by path. */
  readonly texts: Map<string, string>
  /** Every call that changes something, in order. */
  readonly calls: Array<string>
  /** What fails, for as long as it is set. */
  failing: ((method: string, path: string) => boolean) | undefined
  /** How long a call takes, for as long as it is set. */
  delay: ((method: string, path: string) => Duration.DurationInput) | undefined
  /** Runs before a call, once: somebody else who is quicker. */
  meanwhile: { readonly method: string; readonly run: () => void } | undefined
  readonly layer: Layer.Layer<FileSystem.FileSystem | Path.Path>
}

const error = (
  reason: "NotFound" | "AlreadyExists" | "PermissionDenied",
  method: string,
  pathOrDescriptor: string
) => new SystemError({ reason, module: "FileSystem", method, pathOrDescriptor })

export const make = (): Files => {
  const texts = new Map<string, string>()
  const calls: Array<string> = []
  const call = <A>(method: string, path: string, run: () => A | SystemError) =>
    Effect.suspend(() => {
      if (files.meanwhile?.method === method) {
        const { run: first } = files.meanwhile
        files.meanwhile = undefined
        first()
      }
      if (files.failing?.(method, path) === true) return Effect.fail(error("PermissionDenied", method, path))
      const result = run()
      if (result instanceof SystemError) return Effect.fail(result)
      if (method !== "readFileString") calls.push(`${method} ${path}`)
      return Effect.succeed(result)
    }).pipe((work) =>
      Effect.suspend(() => (files.delay === undefined ? work : Effect.delay(work, files.delay(method, path))))
    )
  const move = (from: string, to: string, method: string) => {
    const text = texts.get(from)
    if (text === undefined) return error("NotFound", method, from)
    if (method === "link" && texts.has(to)) return error("AlreadyExists", method, to)
    texts.set(to, text)
    if (method === "rename") texts.delete(from)
    return undefined
  }
  const files: Files = {
    texts,
    calls,
    failing: undefined,
    delay: undefined,
    meanwhile: undefined,
    layer: Layer.merge(
      FileSystem.layerNoop({
        makeDirectory: (path) => call("makeDirectory", path, () => undefined),
        readFileString: (path) =>
          call("readFileString", path, () => texts.get(path) ?? error("NotFound", "readFileString", path)),
        writeFileString: (path, text) => call("writeFileString", path, () => void texts.set(path, text)),
        rename: (from, to) => call("rename", to, () => move(from, to, "rename")),
        link: (from, to) => call("link", to, () => move(from, to, "link")),
        remove: (path) =>
          call("remove", path, () => (texts.delete(path) ? undefined : error("NotFound", "remove", path)))
      }),
      Path.layer
    )
  }
  return files
}

/** A process with `pid` on a host where `living` live. */
export const ownProcess = (pid: number, living: ReadonlySet<number>): Layer.Layer<OwnProcess.OwnProcess> =>
  Layer.succeed(OwnProcess.OwnProcess, {
    pid,
    hostname: "here",
    isAlive: (other) => Effect.sync(() => living.has(other))
  })
