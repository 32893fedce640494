import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as NodeContext from "@effect/platform-node/NodeContext"
import { assert, describe, it } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import * as fc from "fast-check"
import * as fs from "node:fs"
import * as path from "node:path"
import * as LedgerFacts from "../../../src/stellar/LedgerFacts.js"
import * as Network from "../../../src/stellar/Network.js"
import * as LakeObject from "../../../src/stellar/source/LakeObject.js"
import * as LakeSource from "../../../src/stellar/source/LakeSource.js"

const root = "../shared/stellar"
const platform = Layer.merge(FetchHttpClient.layer, NodeContext.layer)

const lake = (name: string, networkPassphrase: string) =>
  LakeSource.make({ location: { _tag: "Folder", path: path.join(root, name) }, networkPassphrase }).pipe(
    Effect.provide(platform)
  )

describe.skipIf(!fs.existsSync(root))(`recorded lakes (skipped where ${root} is not there)`, () => {
  for (const [name, passphrase, start, count, tip] of [
    ["lake-pubnet", Network.passphrases.pubnet, 63_092_982, 10, 63_092_991],
    ["lake-pubnet", Network.passphrases.pubnet, 30_822_015, 11, 63_092_991],
    ["lake-testnet", Network.passphrases.testnet, 997, 3, 999],
    ["lake-testnet-zstd-suffix", Network.passphrases.testnet, 997, 3, 999]
  ] as const) {
    it.effect(`${name} gives ${count} ledgers from ${start} on, which verify and chain`, () =>
      Effect.gen(function* () {
        const source = yield* lake(name, passphrase)
        assert.strictEqual(yield* source.firstSequence, tip)
        const found = yield* source.ledgers(start, undefined).pipe(Stream.take(count), Stream.runCollect)
        let before: string | undefined
        for (const [i, ledger] of Array.from(found).entries()) {
          const facts = LedgerFacts.extract(ledger.bytes)
          assert.strictEqual(facts.sequence, start + i)
          assert.strictEqual(ledger.sequence, start + i)
          if (before !== undefined) assert.strictEqual(facts.previousHash, before)
          before = facts.hash
        }
      })
    )
  }

  it.effect("an object with a byte changed is refused, or still holds the same ledgers", () =>
    Effect.gen(function* () {
      const keys = [
        ["lake-pubnet/FE2A45FF--30784000-30847999/FE29B17D--30822018.xdr.zst", 30_822_018, 150],
        ["lake-pubnet/FC3E15FF--63040000-63103999/FC3D4702--63092989.xdr.zst", 63_092_989, 30],
        ["lake-testnet/FFFFFC18--999.xdr.zst", 999, 300]
      ] as const
      for (const [key, sequence, numRuns] of keys) {
        const object = path.join(root, key)
        const wanted = { object, range: { start: sequence, end: sequence } }
        const bytes = fs.readFileSync(object)
        const whole = Chunk.unsafeHead(yield* LakeObject.open(wanted, bytes)).bytes
        const property = fc.asyncProperty(
          fc.nat(bytes.length - 1),
          fc.integer({ min: 1, max: 255 }),
          async (at, change) => {
            const damaged = Buffer.from(bytes)
            damaged[at]! ^= change
            const result = await Effect.runPromise(Effect.either(LakeObject.open(wanted, damaged)))
            if (result._tag === "Left") assert.include(result.left.message, object)
            else assert.isTrue(Buffer.from(whole).equals(Chunk.unsafeHead(result.right).bytes))
          }
        )
        yield* Effect.promise(() => fc.assert(property, { numRuns }))
      }
    })
  )
})
