/**
 * Decompressing one zstd object, checked.
 *
 * Node has zstd from 22.15 and 23.8 on and does it on its thread pool; before that fzstd does it here, in a few milliseconds for a ledger of a megabyte.
 * Either way what comes out must have the size and the checksum that the frame says, and nothing is allocated that the limit forbids.
 */
import * as Effect from "effect/Effect"
import { Decompress, decompress as decompressHere } from "fzstd"
import * as zlib from "node:zlib"
import type { XXHashAPI } from "xxhash-wasm"
import xxhash from "xxhash-wasm"
import { frames, ZstdError, type Frame } from "./ZstdFrame.js"

export { ZstdError } from "./ZstdFrame.js"

/** How to decompress. */
export interface Options {
  /** Decompressed bytes that an object may have at most. Default 256 MiB, some hundred times a large ledger. */
  readonly maximumSize?: number
  /** Which decompressor. Default: node's where this Node has one, else fzstd. */
  readonly engine?: "node" | "fzstd"
}

type NodeZstd = (
  bytes: Uint8Array,
  options: { readonly maxOutputLength: number },
  done: (error: Error | null, result: Uint8Array) => void
) => void

// The types that the package is built against are those of Node 20, which has no zstd.
const nodeZstd = (zlib as { readonly zstdDecompress?: NodeZstd }).zstdDecompress

/** Whether the running Node decompresses zstd by itself. */
export const nodeHasZstd = nodeZstd !== undefined

/**
 * The content of one object: of all its frames, one after the other. Ends in {@link ZstdError}: `limit` when there is more than allowed,
 * else `invalid`. Interrupting it lets a frame that is being decompressed on the thread pool finish there, unheard.
 */
export const decompress = Effect.fn("Zstd.decompress")(function* (bytes: Uint8Array, options?: Options) {
  const limit = options?.maximumSize ?? 256 * 1024 * 1024
  const engine = options?.engine ?? (nodeHasZstd ? "node" : "fzstd")
  const found = yield* attempt(() => frames(bytes))
  // Claims are checked before anything is allocated for them; what claims nothing is counted while it comes.
  if (found.reduce((sum, frame) => sum + (frame.contentSize ?? 0), 0) > limit) yield* overLimit(limit)
  const hasher = yield* hashing
  const parts: Array<Uint8Array> = []
  let total = 0
  for (const frame of found) {
    const left = limit - total
    const input = bytes.subarray(frame.start, frame.end)
    const content = yield* engine === "node"
      ? byNode(frame, input, left)
      : attempt(() => byFzstd(frame, input, left))
    yield* attempt(() => check(hasher, frame, content))
    total += content.length
    parts.push(content)
  }
  return parts.length === 1 ? parts[0]! : (Buffer.concat(parts, total) as Uint8Array)
})

const overLimit = (limit: number) =>
  new ZstdError({ reason: "limit", message: `it decompresses to more than the limit of ${limit} bytes` })

const broken = (cause: unknown) =>
  cause instanceof ZstdError
    ? cause
    : new ZstdError({
        reason: "invalid",
        message: `not decompressible: ${String((cause as Error)?.message)}`,
        cause
      })

const attempt = <A>(body: () => A): Effect.Effect<A, ZstdError> => Effect.try({ try: body, catch: broken })

const byNode = (frame: Frame, input: Uint8Array, left: number) =>
  Effect.async<Uint8Array, ZstdError>((resume) => {
    // One byte of room beyond the claim, so that a frame which holds more is found out; at least one, which Node asks for.
    const maxOutputLength = Math.max(1, Math.min(frame.maximumSize + 1, left))
    nodeZstd!(input, { maxOutputLength }, (error, result) =>
      resume(
        error === null
          ? Effect.succeed(result)
          : (error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE" && left <= frame.maximumSize
            ? overLimit(left)
            : broken(error)
      )
    )
  })

const byFzstd = (frame: Frame, input: Uint8Array, left: number): Uint8Array => {
  // With a size fzstd makes the room itself (room made for it costs six times as much: it compares the array with a number, as text). It does
  // not tell how much of the room it filled, but the checksum does; what has no checksum is counted as it comes.
  if (frame.contentSize !== undefined && frame.checksum !== undefined) return decompressHere(input)
  const chunks: Array<Uint8Array> = []
  let size = 0
  const stream = new Decompress((chunk) => {
    size += chunk.length
    if (size > left) throw overLimit(left)
    chunks.push(chunk)
  })
  stream.push(input, true)
  return Buffer.concat(chunks, size)
}

const check = (hasher: XXHashAPI, frame: Frame, content: Uint8Array): void => {
  if (frame.contentSize !== undefined && frame.contentSize !== content.length) {
    throw new ZstdError({
      reason: "invalid",
      message: `it decompresses to ${content.length} bytes where its header says ${frame.contentSize}`
    })
  }
  if (frame.checksum === undefined) return
  const hash = hasher.create64()
  // In slices: the hasher copies its input into memory that grows and never shrinks.
  for (let at = 0; at < content.length; at += 65_536) hash.update(content.subarray(at, at + 65_536))
  if (Number(hash.digest() & 0xffffffffn) !== frame.checksum) {
    throw new ZstdError({ reason: "invalid", message: "the content does not have the frame's checksum" })
  }
}

let loaded: Promise<XXHashAPI> | undefined

// Compiled once per process, at first use. It cannot fail: the module carries its own bytes, and every supported Node runs WebAssembly.
const hashing = Effect.promise(() => (loaded ??= xxhash()))
