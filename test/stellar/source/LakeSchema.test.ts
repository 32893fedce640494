import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import * as LakeSchema from "../../../src/stellar/source/LakeSchema.js"
import * as Lake from "../../support/Lake.js"

const schema = (ledgersPerBatch: number, batchesPerPartition: number): LakeSchema.LakeSchema => ({
  networkPassphrase: undefined,
  ledgersPerBatch,
  batchesPerPartition
})

describe("LakeSchema", () => {
  it("names objects as Galexie does", () => {
    assert.strictEqual(
      LakeSchema.keyOf(schema(1, 64_000), 63_093_001),
      "FC3E15FF--63040000-63103999/FC3D46F6--63093001"
    )
    assert.strictEqual(LakeSchema.keyOf(schema(1, 1), 999), "FFFFFC18--999")
    assert.strictEqual(LakeSchema.keyOf(schema(64, 10), 2), "FFFFFFFF--0-639/FFFFFFFF--0-63")
    assert.strictEqual(LakeSchema.keyOf(schema(64, 10), 700), "FFFFFD7F--640-1279/FFFFFD7F--640-703")
    assert.strictEqual(LakeSchema.keyOf(schema(64, 1), 700), "FFFFFD7F--640-703")
  })

  it("agrees with the test's own packing, sorts newest first, and reads back what it names", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 4_000_000_000 }),
        fc.integer({ min: 1, max: 5000 }),
        fc.integer({ min: 1, max: 200 }),
        fc.integer({ min: 1, max: 64_000 }),
        (sequence, ahead, ledgersPerBatch, batchesPerPartition) => {
          const described = schema(ledgersPerBatch, batchesPerPartition)
          const key = LakeSchema.keyOf(described, sequence)
          const options = { networkPassphrase: null, ledgersPerBatch, batchesPerPartition }
          assert.strictEqual(`${key}.xdr.zst`, Lake.keyOf(sequence, options))
          assert.strictEqual(
            LakeSchema.startOf(`${key}.xdr.zst`),
            LakeSchema.batchOf(described, sequence).start
          )
          const later = LakeSchema.keyOf(described, sequence + ahead)
          assert.isTrue(later <= key)
          assert.isTrue(".config.json" < later)
        }
      )
    )
  })

  it("takes only ledger objects for ledger objects", () => {
    for (const key of [
      ".config.json",
      "FC3E15FF--63040000-63103999",
      "FFFFFC18--998.xdr.zst",
      "FFFFFC18--999.xdr.zst.tmp",
      "fffffc18--999.xdr.zst"
    ]) {
      assert.isUndefined(LakeSchema.startOf(key), key)
    }
    assert.strictEqual(LakeSchema.startOf("a/b/FFFFFC18--999.xdr.zstd"), 999)
    assert.strictEqual(LakeSchema.newestOf(["x", "FFFFFC19--998.xdr.zst", "FFFFFC18--999.xdr.zst"]), 999)
    assert.isUndefined(LakeSchema.newestOf([".config.json"]))
  })

  it("reads a description, and says what is wrong with one", () => {
    const good = {
      networkPassphrase: "a network",
      version: "1.0",
      compression: "zstd",
      ledgersPerBatch: 64,
      batchesPerPartition: 10
    }
    const read = (value: unknown) =>
      LakeSchema.parse(typeof value === "string" ? value : JSON.stringify(value))
    assert.deepStrictEqual(
      read(good).pipe((either) => (either._tag === "Right" ? either.right : either.left)),
      { networkPassphrase: "a network", ledgersPerBatch: 64, batchesPerPartition: 10 }
    )
    for (const [value, why] of [
      ["{", /not JSON/],
      ["null", /not a JSON object/],
      [{ ...good, ledgersPerBatch: 0 }, /ledgersPerBatch/],
      [{ ...good, ledgersPerBatch: undefined }, /ledgersPerBatch/],
      [{ ...good, batchesPerPartition: 1.5 }, /batchesPerPartition/],
      [{ ...good, compression: "gzip" }, /compression/],
      [{ ...good, version: "2.0" }, /version/],
      [{ ...good, networkPassphrase: 1 }, /networkPassphrase/]
    ] as const) {
      const result = read(value)
      assert.match(result._tag === "Left" ? result.left : "", why)
    }
  })
})
