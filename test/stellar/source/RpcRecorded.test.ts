import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as NodeContext from "@effect/platform-node/NodeContext"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import * as fs from "node:fs"
import * as path from "node:path"
import * as LedgerFacts from "../../../src/stellar/LedgerFacts.js"
import * as Network from "../../../src/stellar/Network.js"
import * as LakeSource from "../../../src/stellar/source/LakeSource.js"
import * as RpcSource from "../../../src/stellar/source/RpcSource.js"
import * as RpcUrl from "../../../src/stellar/source/RpcUrl.js"
import * as RpcNode from "../../support/RpcNode.js"
import * as RpcServer from "../../support/RpcServer.js"

const root = "../shared/stellar"
const platform = Layer.merge(FetchHttpClient.layer, NodeContext.layer)

const fromLake = (name: string, networkPassphrase: string, start: number, count: number) =>
  LakeSource.make({ location: { _tag: "Folder", path: path.join(root, name) }, networkPassphrase }).pipe(
    Effect.flatMap((lake) => Stream.runCollect(Stream.take(lake.ledgers(start, undefined), count))),
    Effect.map((ledgers) => Array.from(ledgers)),
    Effect.provide(platform)
  )

interface RecordedLedger {
  readonly sequence: number
  readonly metadataXdr: string
}
interface RecordedPage {
  readonly ledgers: ReadonlyArray<RecordedLedger>
  readonly latestLedger: number
  readonly oldestLedger: number
}
const recorded = (name: string) =>
  JSON.parse(fs.readFileSync(path.join(root, "rpc", name), "utf8")) as unknown
const testnetPage = (): RecordedPage =>
  (
    recorded("get_ledgers-testnet-36233-36234.json") as {
      GetLedgersResult: { value: RecordedPage }
    }
  ).GetLedgersResult.value
const decoded = ({ ledgers }: RecordedPage) =>
  ledgers.map(({ metadataXdr, sequence }) => ({ sequence, bytes: Buffer.from(metadataXdr, "base64") }))

describe.skipIf(!fs.existsSync(root))(`recorded RPC (skipped where ${root} is not there)`, () => {
  it.scopedLive("gives the bytes that the lake gives, for every recorded sequence", () =>
    Effect.gen(function* () {
      for (const [name, passphrase, start, count] of [
        ["lake-pubnet", Network.passphrases.pubnet, 63_092_982, 10],
        ["lake-pubnet", Network.passphrases.pubnet, 30_822_015, 11],
        ["lake-testnet", Network.passphrases.testnet, 997, 3]
      ] as const) {
        const expected = yield* fromLake(name, passphrase, start, count)
        const server = yield* RpcServer.make({ ledgers: expected, networkPassphrase: passphrase })
        const source = yield* RpcSource.make({
          endpoint: RpcUrl.parse(server.url)!,
          networkPassphrase: passphrase,
          pageSize: 4
        }).pipe(Effect.provide(platform))
        assert.strictEqual(yield* source.firstSequence, start + count - 1)
        const found = yield* source
          .ledgers(start, undefined)
          .pipe(Stream.take(count), Stream.runCollect, Effect.map(Array.from<(typeof expected)[number]>))
        assert.strictEqual(found.length, count)
        let before: string | undefined
        for (const [i, ledger] of found.entries()) {
          assert.strictEqual(ledger.sequence, expected[i]!.sequence)
          assert.isTrue(Buffer.from(ledger.bytes).equals(expected[i]!.bytes))
          const facts = LedgerFacts.extract(ledger.bytes)
          assert.strictEqual(facts.sequence, start + i)
          if (before !== undefined) assert.strictEqual(facts.previousHash, before)
          before = facts.hash
        }
        assert.deepStrictEqual(
          server.questions.filter((question) => question.startsWith("getLedgers")).slice(0, 2),
          count > 4 ? [`getLedgers ${start} 4`, `getLedgers ${start + 4} 4`] : [`getLedgers ${start} 4`]
        )
      }
    })
  )

  it.scopedLive("reads a page and a health as they were recorded", () =>
    Effect.gen(function* () {
      const page = testnetPage()
      const server = yield* RpcServer.make({
        ledgers: [],
        networkPassphrase: Network.passphrases.testnet
      })
      server.misbehave("getLedgers", (good) => ({
        ...good,
        body: JSON.stringify({ jsonrpc: "2.0", id: 1, result: page })
      }))
      server.misbehave("getHealth", (good) => ({
        ...good,
        body: fs.readFileSync(path.join(root, "rpc/get_health.json"), "utf8")
      }))
      const source = yield* RpcSource.make({
        endpoint: RpcUrl.parse(server.url)!,
        networkPassphrase: Network.passphrases.testnet
      }).pipe(Effect.provide(platform))
      assert.strictEqual(yield* source.firstSequence, 50_000)
      const found = yield* source.ledgers(36_233, undefined).pipe(Stream.take(2), Stream.runCollect)
      for (const [i, ledger] of Array.from(found).entries()) {
        const facts = yield* LedgerFacts.fromBytes(ledger.bytes)
        assert.strictEqual(facts.sequence, 36_233 + i)
        assert.strictEqual(facts.hash, (page.ledgers[i] as unknown as { hash: string }).hash)
      }
    })
  )

  it("the server of the tests answers as the recorded ones did", () => {
    const small = (recorded("get_ledgers.json") as { result: RecordedPage }).result
    for (const page of [small, testnetPage()]) {
      const node = RpcNode.make({ ledgers: decoded(page), networkPassphrase: "any" })
      node.ranges = [{ oldest: page.oldestLedger, latest: page.latestLedger }]
      const answer = node.answer(
        JSON.stringify({
          jsonrpc: "2.0",
          id: 1,
          method: "getLedgers",
          params: { startLedger: page.ledgers[0]!.sequence, pagination: { limit: 2 } }
        })
      )
      const { result } = JSON.parse(answer.body) as { result: RecordedPage }
      assert.deepStrictEqual(Object.keys(result), Object.keys(page))
      const whole = page as unknown as Record<string, unknown>
      // It does not hold the first and the last ledger of the recorded server, so it cannot know when they closed.
      assert.deepStrictEqual(
        { ...result, latestLedgerCloseTime: 0, oldestLedgerCloseTime: 0 } as object,
        { ...whole, latestLedgerCloseTime: 0, oldestLedgerCloseTime: 0 } as object
      )
    }
  })
})
