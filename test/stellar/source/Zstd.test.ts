import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import * as path from "node:path"
import * as Zstd from "../../../src/stellar/source/Zstd.js"
import { frame, skippable } from "../../support/Zstd.js"

// A text compressed by libzstd four ways; the writer of test/support makes only blocks that are not compressed.
const text = Array.from(
  { length: 60 },
  (_, i) => `{"ledger":${1000 + i},"payments":${(i * 7919) % 613},"memo":"${"stellar".slice(i % 7)}"}`
).join("\n")
const body =
  "gkwgGZA36XhJN+NHANpWZnYE2XLLJFMyQLxrClykMR5b7P5dL7/O87fTzVE5jf6W6y7xRUXmPyvmu452S5ts47sqNnN/uWVbyFJrfC5lrLNl5S5Jkmg07FkLzXyWlVnbSTggB4NhnASCFGTgOAcpUEEQCYFzFBgISIGIWJDDCQA4BjEIgKuogWlu/T8DMGOuMQcRIAQJAYKiNBRJlRBRnXRAgYS4YebDxEwi5iHSXJTGpc7BG827wwXiIbuRZNehP6gd4ApJ5sj+EXeTzPtBH3LiJepiL+edJ/ceW+ibdQVuN01v+u9wpPtY+xzkesZki/GS992zec3dNp+xa8/pyecdxqYDmkRn/NeR0PFIhNwwb3IFv5GBqfjJvXr6swhF70IgHyhANIF1uATnPKKH2/MIHez0q7j5qc4ThAcAAuRy3tEotMdQGn8HPBAzTqXMmc+cp03OH47KY8/lecje80jLjBR6JnUSx6VWAQ=="
const compressed = (head: string, tail: string) =>
  Buffer.concat([Buffer.from(head, "hex"), Buffer.from(body, "base64"), Buffer.from(tail, "hex")])
const libzstd = {
  "size and checksum": compressed("28b52ffd648609650b00", "1ee741e1"),
  checksum: compressed("28b52ffd0410650b00", "1ee741e1"),
  size: compressed("28b52ffd608609650b00", ""),
  neither: compressed("28b52ffd0010650b00", "")
}

const engines: ReadonlyArray<"node" | "fzstd"> = Zstd.nodeHasZstd ? ["fzstd", "node"] : ["fzstd"]
const random = Buffer.from(Array.from({ length: 300_000 }, (_, i) => ((i * 2654435761) >>> 13) & 255))

for (const engine of engines) {
  const read = (bytes: Uint8Array, maximumSize?: number) =>
    Zstd.decompress(bytes, { engine, ...(maximumSize === undefined ? {} : { maximumSize }) })
  const refused = (bytes: Uint8Array, maximumSize?: number) =>
    read(bytes, maximumSize).pipe(
      Effect.flip,
      Effect.map((error) => `${error.reason}: ${error.message}`)
    )

  describe(`Zstd by ${engine}`, () => {
    for (const [name, bytes] of Object.entries(libzstd)) {
      it.effect(`reads what libzstd compressed with ${name} in the frame`, () =>
        Effect.gen(function* () {
          assert.strictEqual(Buffer.from(yield* read(bytes)).toString(), text)
        })
      )
    }

    it.effect("reads raw and RLE blocks, several frames, skippable frames, and nothing at all", () =>
      Effect.gen(function* () {
        for (const checksum of [true, false]) {
          for (const size of [true, false]) {
            const written = Buffer.concat([
              frame(random, { checksum, size }),
              skippable(random.subarray(0, 50)),
              frame(Buffer.alloc(200_000, 7), { checksum, size, blockSize: 65_536 }),
              frame(Buffer.alloc(0), { checksum, size })
            ])
            const expected = Buffer.concat([random, Buffer.alloc(200_000, 7)])
            assert.isTrue(expected.equals(yield* read(written)))
          }
        }
        assert.strictEqual((yield* read(skippable(random))).length, 0)
      })
    )

    it.effect("refuses every truncation", () =>
      Effect.gen(function* () {
        const whole = Buffer.concat([
          libzstd["size and checksum"],
          skippable(Buffer.alloc(3)),
          libzstd.checksum
        ])
        const ends = new Set([libzstd["size and checksum"].length, libzstd["size and checksum"].length + 11])
        for (let length = 0; length < whole.length; length++) {
          if (ends.has(length)) continue
          assert.match(yield* refused(whole.subarray(0, length)), /^invalid: /, `${length} bytes`)
        }
      })
    )

    it.effect("finds flipped bits, a third of all, of a frame with size and checksum", () =>
      Effect.gen(function* () {
        const whole = libzstd["size and checksum"]
        for (let bit = 0; bit < whole.length * 8; bit += 3) {
          const flipped = Buffer.from(whole)
          flipped[bit >> 3]! ^= 1 << (bit & 7)
          const result = yield* Effect.either(read(flipped))
          // Turning the checksum's own flag off leaves four bytes behind, which are no frame; the dictionary's flag asks for one.
          if (result._tag === "Right")
            assert.strictEqual(Buffer.from(result.right).toString(), text, `bit ${bit}`)
        }
      })
    )

    it.effect("refuses trailing bytes, wrong checksums and wrong sizes", () =>
      Effect.gen(function* () {
        const good = frame(random)
        assert.match(
          yield* refused(Buffer.concat([good, Buffer.from("garbage and more")])),
          /no zstd frame at byte/
        )
        const wrongSum = Buffer.from(good)
        wrongSum[wrongSum.length - 1]! ^= 1
        assert.match(yield* refused(wrongSum), /invalid: .*checksum/)
        const small = Buffer.from(frame(random, { checksum: false }))
        small.writeUInt32LE(random.length - 1, 5)
        assert.match(yield* refused(small), /^invalid: /)
        small.writeUInt32LE(random.length + 1, 5)
        assert.match(yield* refused(small), /its blocks cannot hold more/)
      })
    )

    it.effect("stops at the limit: by the header, and by the bytes where the header is silent", () =>
      Effect.gen(function* () {
        const zeros = Buffer.alloc(3_000_000)
        assert.strictEqual((yield* read(frame(zeros), 3_000_000)).length, 3_000_000)
        assert.match(yield* refused(frame(zeros), 2_999_999), /^limit: .*2999999 bytes/)
        assert.match(yield* refused(frame(zeros, { size: false }), 2_999_999), /^limit: /)
        const two = Buffer.concat([frame(zeros, { size: false }), frame(zeros, { size: false })])
        assert.match(yield* refused(two, 5_000_000), /^limit: /)
        const wide = Buffer.from(libzstd.checksum)
        wide[5] = 0xff
        assert.match(yield* refused(wide), /^limit: .*window/)
      })
    )
  })
}

const recorded = path.resolve("../shared/stellar")
const objects = fs.existsSync(recorded)
  ? fs
      .readdirSync(recorded, { recursive: true, encoding: "utf8" })
      .filter((name) => /\.xdr\.zstd?$/.test(name))
      .map((name) => path.join(recorded, name))
  : []

describe.skipIf(objects.length === 0)(
  "recorded objects (skipped where ../shared/stellar is not there)",
  () => {
    it.effect("all decompress, by every engine, to the same bytes", () =>
      Effect.gen(function* () {
        assert.isAtLeast(objects.length, 29)
        for (const object of objects) {
          const bytes = fs.readFileSync(object)
          const contents = yield* Effect.forEach(engines, (engine) => Zstd.decompress(bytes, { engine }))
          assert.isAbove(contents[0]!.length, bytes.length, object)
          for (const content of contents) assert.isTrue(Buffer.from(content).equals(contents[0]!), object)
        }
      })
    )

    it.effect("with a byte flipped they are refused, or still give the same bytes", () =>
      Effect.gen(function* () {
        const bytes = fs.readFileSync(objects.find((name) => name.endsWith("FFFFFC18--999.xdr.zst"))!)
        const content = Buffer.from(yield* Zstd.decompress(bytes))
        for (let at = 0; at < bytes.length; at++) {
          const flipped = Buffer.from(bytes)
          flipped[at]! ^= 0xff
          const result = yield* Effect.either(Zstd.decompress(flipped))
          if (result._tag === "Right") assert.isTrue(content.equals(result.right), `byte ${at}`)
        }
      })
    )
  }
)
