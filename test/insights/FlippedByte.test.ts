/**
 * One byte of an object changed, whatever byte and however: ingestion either halts and names the object, or stores exactly what the whole object says.
 *
 * The checksum of the frame finds most of it; so a second form of each property changes the ledger first and packs it afterwards, as whoever
 * forges an object would, and only the ledger's own hashes stand in the way.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as fc from "fast-check"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import * as LedgerFacts from "../../src/stellar/LedgerFacts.js"
import * as Network from "../../src/stellar/Network.js"
import * as SelfMade from "../stellar/xdr/SelfMadeLedger.js"
import * as Recorded from "../stellar/xdr/RecordedLedgers.js"
import * as Lake from "../support/Lake.js"
import * as LakeServer from "../support/LakeServer.js"
import * as Service from "./Service.js"

const sequence = 1000
const networkPassphrase = Network.passphrases.pubnet
const options = { networkPassphrase }
const key = Lake.keyOf(sequence, options)

const flipped = (bytes: Uint8Array, at: number, mask: number): Uint8Array => {
  const copy = Uint8Array.from(bytes)
  copy[at]! ^= mask
  return copy
}

/** Ingests a lake of one object, and compares what became of it. True when it was stored. */
const ingest = (sequence: number, key: string, object: Uint8Array, truth: LedgerFacts.LedgerFacts) =>
  Effect.scoped(
    Effect.gen(function* () {
      const objects: Lake.Objects = new Map([...Lake.pack([], options), [key, object]])
      const server = yield* LakeServer.make(objects, { prefix: "lake", listing: "none" })
      const source = Service.lake(server.url.href, networkPassphrase)
      const service = yield* Service.run(yield* Service.fresh, source, sequence)
      const { halt } = yield* Service.until(
        service,
        ({ ledgersSinceStart, state }) => state === "halted" || ledgersSinceStart > 0
      )
      const stored = yield* service.store.page({ before: Option.none(), limit: 10 })
      if (halt === null) {
        assert.deepStrictEqual(stored, [truth])
        return true
      }
      assert.deepStrictEqual(stored, [])
      assert.include(halt.object!, key)
      assert.include(halt.message, key)
      const { obstacles } = yield* service.lifecycle.readiness.status
      assert.include(obstacles[0]!.reason, key)
      return false
    })
  )

/** A place in `bytes` and a change to it. */
const change = (bytes: Uint8Array) =>
  fc.record({ at: fc.nat({ max: bytes.length - 1 }), mask: fc.integer({ min: 1, max: 255 }) })

const property = (
  runs: number,
  bytes: Uint8Array,
  holds: (changed: Uint8Array) => Effect.Effect<unknown, unknown>
) =>
  Effect.promise(() =>
    fc.assert(
      fc.asyncProperty(change(bytes), ({ at, mask }) =>
        Effect.runPromise(holds(flipped(bytes, at, mask))).then(() => {})
      ),
      { numRuns: runs }
    )
  )

describe("a ledger of our own", () => {
  const bytes = SelfMade.bytes({ sequence })
  const truth = LedgerFacts.extract(bytes)
  const whole = Lake.pack([{ sequence, bytes }], options).get(key)!

  it.live("is stored as it is when nothing is changed", () =>
    Effect.map(ingest(sequence, key, whole, truth), (stored) => assert.isTrue(stored))
  )

  it.live("with a byte of its object changed", () =>
    property(20, whole, (object) => ingest(sequence, key, object, truth))
  )

  it.live("with a byte of it changed before it was packed", () =>
    property(20, bytes, (forged) =>
      ingest(sequence, key, Lake.pack([{ sequence, bytes: forged }], options).get(key)!, truth)
    )
  )

  it("gives its own facts or none, whichever byte is changed", () => {
    let same = 0
    for (let at = 0; at < bytes.length; at++) {
      for (const mask of [1, 0x80]) {
        try {
          assert.deepStrictEqual(LedgerFacts.extract(flipped(bytes, at, mask)), truth)
          same += 1
        } catch (error) {
          if (!(error instanceof LedgerFacts.LedgerRejected)) throw error
        }
      }
    }
    // What no hash covers, the meta, may change without a fact changing.
    assert.isAbove(same, 0)
    assert.isBelow(same, bytes.length * 2)
  })
})

describe.skipIf(!Recorded.available)(`a recorded ledger${Recorded.note}`, () => {
  it.live("with a byte of its object changed", () =>
    Effect.gen(function* () {
      const path = "FE2A45FF--30784000-30847999/FE29B17D--30822018.xdr.zst"
      const object = readFileSync(join(Recorded.folder, "lake-pubnet", path))
      const truth = Recorded.pubnet()
        .map(({ bytes }) => LedgerFacts.extract(bytes))
        .find(({ sequence }) => sequence === 30_822_018)!
      const entry = path.split("/")[1]!
      yield* property(15, object, (changed) =>
        ingest(30_822_018, `${Lake.keyOf(30_822_018, options).split("/")[0]}/${entry}`, changed, truth)
      )
    })
  )
})
