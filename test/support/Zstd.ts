/**
 * A writer of valid zstd frames that does not compress: raw and RLE blocks, with sizes and checksums as asked for.
 * Node 20 has no zstd to write test lakes with, and readers must not see a difference.
 */
import xxhash from "xxhash-wasm"

/** What the frame says of itself. */
export interface FrameOptions {
  /** Whether the content's checksum follows it. Default true, as Galexie writes it. */
  readonly checksum?: boolean
  /** Whether the header names the content's size. Default true. */
  readonly size?: boolean
  /** Bytes per block, at most 128 KiB. Default 128 KiB. */
  readonly blockSize?: number
}

const { h64Raw } = await xxhash()

const isRun = (block: Uint8Array) => block.length > 1 && block.every((byte) => byte === block[0])

/** One frame holding `content`; a block of one repeated byte becomes an RLE block, every other a raw one. */
export const frame = (content: Uint8Array, options: FrameOptions = {}): Uint8Array => {
  const blockSize = options.blockSize ?? 131_072
  const sized = options.size ?? true
  const checksum = options.checksum ?? true
  const header = Buffer.alloc(sized ? 9 : 6)
  header.writeUInt32LE(0xfd2fb528, 0)
  // Single segment with four bytes of size, or a window of 128 KiB and no size.
  header[4] = (sized ? 0xa0 : 0) | (checksum ? 4 : 0)
  if (sized) header.writeUInt32LE(content.length, 5)
  else header[5] = 7 << 3
  const parts: Array<Uint8Array> = [header]
  for (let at = 0, last = false; !last; at += blockSize) {
    const block = content.subarray(at, at + blockSize)
    last = at + blockSize >= content.length
    const run = isRun(block)
    const head = (block.length << 3) | (run ? 2 : 0) | (last ? 1 : 0)
    parts.push(Uint8Array.of(head & 255, (head >> 8) & 255, head >> 16), run ? block.subarray(0, 1) : block)
  }
  if (checksum) {
    const tail = Buffer.alloc(4)
    tail.writeUInt32LE(Number(h64Raw(content) & 0xffffffffn), 0)
    parts.push(tail)
  }
  return Buffer.concat(parts)
}

/** A skippable frame, which readers pass over. */
export const skippable = (content: Uint8Array): Uint8Array => {
  const header = Buffer.alloc(8)
  header.writeUInt32LE(0x184d2a53, 0)
  header.writeUInt32LE(content.length, 4)
  return Buffer.concat([header, content])
}
