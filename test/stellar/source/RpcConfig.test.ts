import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as NodeContext from "@effect/platform-node/NodeContext"
import { assert, describe, it } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import * as Network from "../../../src/stellar/Network.js"
import { LedgerSource, type RawLedger } from "../../../src/stellar/source/LedgerSource.js"
import * as RpcConfig from "../../../src/stellar/source/RpcConfig.js"
import * as SimulatedSource from "../../../src/stellar/source/SimulatedSource.js"
import * as Source from "../../../src/stellar/source/Source.js"
import * as Lake from "../../support/Lake.js"
import * as RpcServer from "../../support/RpcServer.js"

const given = (env: Record<string, string>) => ConfigProvider.fromMap(new Map(Object.entries(env)))
const build = (env: Record<string, string>) =>
  LedgerSource.pipe(
    Effect.provide(Source.layerConfig),
    Effect.provide(Layer.merge(FetchHttpClient.layer, NodeContext.layer)),
    Effect.withConfigProvider(given({ STELLAR_SOURCE: "rpc", ...env }))
  )
/** The one line of the error. */
const refused = (env: Record<string, string>) =>
  Effect.map(Effect.flip(build(env)), (error) => {
    const line = String(error)
    assert.notInclude(line, "\n")
    return line
  })

const simulated = SimulatedSource.make({ interval: 0, transactions: 0 })
  .ledgers(2, undefined)
  .pipe(Stream.take(12), Stream.runCollect, Effect.map(Array.from<RawLedger>))

const networkPassphrase = SimulatedSource.passphrase

describe("RpcConfig", () => {
  it.effect("has defaults for everything but the URL", () =>
    Effect.gen(function* () {
      const config = yield* RpcConfig.RpcConfig.pipe(Effect.withConfigProvider(given({})))
      assert.isNull(Option.getOrNull(config.endpoint))
      assert.strictEqual(config.networkPassphrase, Network.passphrases.pubnet)
      assert.strictEqual(config.pageSize, 10)
      assert.strictEqual(Duration.toMillis(config.pollInterval), 2000)
      assert.strictEqual(Duration.toMillis(config.requestTimeout), 30_000)
      const set = yield* RpcConfig.RpcConfig.pipe(
        Effect.withConfigProvider(
          given({
            STELLAR_RPC_URL: " http://rpc.example ",
            STELLAR_RPC_PAGE_SIZE: "200",
            STELLAR_RPC_POLL_INTERVAL: "0.1",
            STELLAR_RPC_REQUEST_TIMEOUT: "5 minutes"
          })
        )
      )
      assert.strictEqual(Option.getOrNull(set.endpoint)?.name, "http://rpc.example")
      assert.strictEqual(set.pageSize, 200)
      assert.strictEqual(Duration.toMillis(set.pollInterval), 100)
      assert.strictEqual(Duration.toMillis(set.requestTimeout), 300_000)
    })
  )

  it.effect("refuses what cannot be right, and shows no URL", () =>
    Effect.gen(function* () {
      const url = { STELLAR_RPC_URL: "http://127.0.0.1:9/" }
      for (const [key, value, allowed] of [
        ["STELLAR_RPC_PAGE_SIZE", "0", "an integer from 1 to 200"],
        ["STELLAR_RPC_PAGE_SIZE", "201", "an integer from 1 to 200"],
        ["STELLAR_RPC_POLL_INTERVAL", "0.09", "a time from 100ms to 1m: "],
        ["STELLAR_RPC_POLL_INTERVAL", "61", "a time from 100ms to 1m: "],
        ["STELLAR_RPC_REQUEST_TIMEOUT", "0", "a time from 1s to 5m: "],
        ["STELLAR_RPC_REQUEST_TIMEOUT", "301", "a time from 1s to 5m: "]
      ] as const) {
        assert.include(
          yield* refused({ ...url, [key]: value }),
          `${key}=${JSON.stringify(value)} is not valid: it must be ${allowed}`
        )
      }
      for (const text of ["", "ftp://us3r:s3cr3t@rpc.example", "https://rpc.example/s3cr3t#x", "s3cr3t"]) {
        const line = yield* refused({ STELLAR_RPC_URL: text })
        assert.include(
          line,
          "STELLAR_RPC_URL is not valid (it is not shown): it must be an http:// or https:// URL"
        )
        assert.notInclude(line, "s3cr3t")
      }
      assert.include(yield* refused({}), "STELLAR_RPC_URL is not set: it must be an http:// or https:// URL")
    })
  )

  it.scopedLive("refuses a server of another network in one line that names both", () =>
    Effect.gen(function* () {
      const server = yield* RpcServer.make({ ledgers: [], networkPassphrase: Network.passphrases.testnet })
      const line = yield* refused({ STELLAR_RPC_URL: `${server.url}s3cr3t/` })
      assert.include(line, "STELLAR_RPC_URL is not valid: http://127.0.0.1:")
      assert.include(line, `"${Network.passphrases.testnet}", configured is "${Network.passphrases.pubnet}"`)
      assert.notInclude(line, "s3cr3t")
      const source = yield* build({ STELLAR_RPC_URL: server.url, STELLAR_NETWORK: "testnet" })
      assert.strictEqual(source.networkPassphrase, Network.passphrases.testnet)
    })
  )

  it.scopedLive("fills a gap from STELLAR_LAKE_URL, and only when that is set", () =>
    Effect.gen(function* () {
      const ledgers = yield* simulated
      const folder = yield* Effect.acquireRelease(
        Effect.sync(() => fs.mkdtempSync(path.join(os.tmpdir(), "lake-"))),
        (made) => Effect.sync(() => fs.rmSync(made, { recursive: true }))
      )
      Lake.write(folder, Lake.pack(ledgers.slice(0, 8), { networkPassphrase }))
      const server = yield* RpcServer.make({ ledgers: ledgers.slice(6), networkPassphrase })
      const env = {
        STELLAR_RPC_URL: server.url,
        STELLAR_NETWORK: "simulated",
        STELLAR_NETWORK_PASSPHRASE: networkPassphrase
      }
      const both = yield* build({ ...env, STELLAR_LAKE_URL: folder })
      const found = yield* both.ledgers(3, undefined).pipe(Stream.take(11), Stream.runCollect)
      for (const [i, { bytes, object, sequence }] of Array.from(found).entries()) {
        assert.strictEqual(sequence, 3 + i)
        assert.isTrue(Buffer.from(bytes).equals(ledgers[i + 1]!.bytes))
        assert.strictEqual(object.startsWith(folder), sequence < 8)
      }
      const alone = yield* build(env)
      const error = yield* Effect.flip(Stream.runHead(alone.ledgers(3, undefined)))
      assert.include(error.message, "ledgers 3 to 7 are missing")

      assert.include(
        yield* refused({ ...env, STELLAR_LAKE_URL: path.join(folder, "nowhere") }),
        "STELLAR_LAKE_URL="
      )
      const pubnet = yield* RpcServer.make({
        ledgers: ledgers.slice(6),
        networkPassphrase: Network.passphrases.pubnet
      })
      const known = yield* build({ STELLAR_RPC_URL: pubnet.url })
      assert.include(
        (yield* Effect.flip(Stream.runHead(known.ledgers(3, undefined)))).message,
        "set STELLAR_LAKE_URL to one that has them (such as https://aws-public-blockchain.s3.us-east-2.amazonaws.com/"
      )
    })
  )
})
