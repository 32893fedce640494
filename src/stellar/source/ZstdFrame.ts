/**
 * The outline of a zstd object (RFC 8878): where its frames begin and end, what each says of its size, and where its checksum is.
 *
 * Decompressors do not tell these things, and one of ours does not look at checksums at all. Nothing is decompressed here: a frame is
 * a header and a row of blocks that each say their length, so that walking over them costs microseconds.
 */
import * as Data from "effect/Data"

/** A zstd object that cannot be decompressed, or not within the limit. */
export class ZstdError extends Data.TaggedError("ZstdError")<{
  /** `invalid`: not well-formed zstd, or not what its own sizes and checksums say; `limit`: more than the caller allows. */
  readonly reason: "invalid" | "limit"
  /** What is wrong, for an operator; without the name of the object, which the caller knows. */
  readonly message: string
  readonly cause?: unknown
}> {}

/** One frame that holds data; skippable frames are passed over. */
export interface Frame {
  /** Where the frame begins in the object, in bytes. */
  readonly start: number
  /** Where it ends, its checksum included. */
  readonly end: number
  /** Bytes that it decompresses to, where its header says so. */
  readonly contentSize: number | undefined
  /** Bytes that it can decompress to at most: `contentSize`, else what its blocks allow. */
  readonly maximumSize: number
  /** The low 32 bits of the content's XXH64, where the frame carries them. */
  readonly checksum: number | undefined
}

const frameMagic = 0xfd2fb528
const skippableMagic = 0x184d2a50
const largestBlock = 131_072
const largestWindowLog = 27

const invalid = (message: string) => new ZstdError({ reason: "invalid", message })

/** The frames of an object, in order. Throws {@link ZstdError} when it is empty, truncated, or followed by anything that is no frame. */
export const frames = (bytes: Uint8Array): ReadonlyArray<Frame> => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const found: Array<Frame> = []
  let at = 0
  if (bytes.length === 0) throw invalid("the object is empty")
  while (at < bytes.length) {
    if (at + 8 > bytes.length) throw invalid(`truncated, or followed by something else, at byte ${at}`)
    const magic = view.getUint32(at, true)
    if (magic === frameMagic) {
      const frame = readFrame(view, at)
      found.push(frame)
      at = frame.end
    } else if ((magic & 0xfffffff0) >>> 0 === skippableMagic) {
      at += 8 + view.getUint32(at + 4, true)
      if (at > bytes.length) throw invalid("truncated inside a skippable frame")
    } else {
      throw invalid(`no zstd frame at byte ${at}`)
    }
  }
  return found
}

const readFrame = (view: DataView, start: number): Frame => {
  const truncated = () => invalid(`truncated inside the frame at byte ${start}`)
  const need = (end: number) => {
    if (end > view.byteLength) throw truncated()
  }
  const descriptor = view.getUint8(start + 4)
  const singleSegment = (descriptor & 0x20) !== 0
  if ((descriptor & 0x08) !== 0) throw invalid("a reserved bit of the frame header is set")
  const dictionaryLength = [0, 1, 2, 4][descriptor & 3]!
  const sizeLength = [singleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6]!

  let at = start + 5
  need(at + (singleSegment ? 0 : 1) + dictionaryLength + sizeLength)
  // The decompressor keeps a window to look back at, and allocates it on the header's word alone.
  if (!singleSegment && view.getUint8(at++) >> 3 > largestWindowLog - 10) {
    throw new ZstdError({ reason: "limit", message: "it needs a window of more than 128 MiB" })
  }
  for (let i = 0; i < dictionaryLength; i++) {
    if (view.getUint8(at++) !== 0) throw invalid("it needs a dictionary, which ledgers have none of")
  }
  const contentSize = readSize(view, at, sizeLength)
  at += sizeLength

  let maximumSize = 0
  for (let last = false; !last;) {
    need(at + 3)
    const header = view.getUint16(at, true) | (view.getUint8(at + 2) << 16)
    const size = header >> 3
    const kind = (header >> 1) & 3
    last = (header & 1) === 1
    if (kind === 3) throw invalid(`a block of a reserved kind at byte ${at}`)
    if (size > largestBlock) throw invalid(`a block larger than 128 KiB at byte ${at}`)
    maximumSize += kind === 2 ? largestBlock : size
    at += 3 + (kind === 1 ? 1 : size)
    need(at)
  }
  if (contentSize !== undefined && contentSize > maximumSize) {
    throw invalid(`its header says ${contentSize} bytes, its blocks cannot hold more than ${maximumSize}`)
  }
  const hasChecksum = (descriptor & 0x04) !== 0
  if (hasChecksum) need(at + 4)
  return {
    start,
    end: hasChecksum ? at + 4 : at,
    contentSize,
    maximumSize: contentSize ?? maximumSize,
    checksum: hasChecksum ? view.getUint32(at, true) : undefined
  }
}

const readSize = (view: DataView, at: number, length: number): number | undefined => {
  switch (length) {
    case 0:
      return undefined
    case 1:
      return view.getUint8(at)
    case 2:
      return view.getUint16(at, true) + 256
    case 4:
      return view.getUint32(at, true)
    default:
      // Past 2^53 it is no longer exact, and past any limit anyway.
      return Number(view.getBigUint64(at, true))
  }
}
