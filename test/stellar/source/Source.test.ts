import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as NodeContext from "@effect/platform-node/NodeContext"
import { assert, describe, it } from "@effect/vitest"
import type * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import * as Network from "../../../src/stellar/Network.js"
import * as LakeSource from "../../../src/stellar/source/LakeSource.js"
import { LedgerSource } from "../../../src/stellar/source/LedgerSource.js"
import * as Source from "../../../src/stellar/source/Source.js"

const given = (env: Record<string, string>) => ConfigProvider.fromMap(new Map(Object.entries(env)))
const read = <A>(config: Config.Config<A>, env: Record<string, string>) =>
  Effect.withConfigProvider(config, given(env))

/** Builds the configured source, and gives the one line of the error where it cannot. */
const build = (env: Record<string, string>) =>
  LedgerSource.pipe(
    Effect.provide(Source.layerConfig),
    Effect.provide(Layer.merge(FetchHttpClient.layer, NodeContext.layer)),
    Effect.withConfigProvider(given(env))
  )
const refused = (env: Record<string, string>) =>
  Effect.map(Effect.flip(build(env)), (error) => {
    const line = String(error)
    assert.notInclude(line, "\n")
    return line
  })

const folder = Effect.acquireRelease(
  Effect.sync(() => fs.mkdtempSync(path.join(os.tmpdir(), "lake-"))),
  (made) => Effect.sync(() => fs.rmSync(made, { recursive: true }))
)

describe("Source", () => {
  it.effect("simulates unless told otherwise", () =>
    Effect.gen(function* () {
      const source = yield* build({})
      assert.strictEqual(source.description, "simulated 1 (Stellar Insights Simulated Network)")
      assert.strictEqual(yield* source.firstSequence, 2)
      const config = yield* read(Source.SourceConfig, {})
      assert.strictEqual(config.source, "simulated")
      assert.isTrue(Option.isNone(config.startLedger))
    })
  )

  it.scoped("reads a lake where it is told to", () =>
    Effect.gen(function* () {
      const root = yield* folder
      const source = yield* build({ STELLAR_SOURCE: "lake", STELLAR_LAKE_URL: root })
      assert.strictEqual(source.description, `lake ${root} (${Network.passphrases.pubnet})`)
      const publicLake = yield* build({ STELLAR_SOURCE: "lake" })
      assert.include(
        publicLake.description,
        "https://aws-public-blockchain.s3.us-east-2.amazonaws.com/v1.1/stellar/ledgers/pubnet"
      )
      const testnet = yield* read(LakeSource.LakeConfig, { STELLAR_NETWORK: "testnet" })
      assert.strictEqual(testnet.text, LakeSource.publicLakes["testnet"])
      assert.strictEqual(testnet.networkPassphrase, Network.passphrases.testnet)
    })
  )

  it.effect("refuses what cannot be right in one line with key, value and what is allowed", () =>
    Effect.gen(function* () {
      for (const [key, value, allowed] of [
        ["STELLAR_SOURCE", "horizon", "one of simulated, lake"],
        ["STELLAR_SOURCE", "", "one of simulated, lake"],
        ["STELLAR_START_LEDGER", "1", "an integer from 2 to 4294967295"],
        ["STELLAR_START_LEDGER", "4294967296", "an integer from 2 to 4294967295"],
        ["STELLAR_START_LEDGER", "", "an integer from 2 to 4294967295"],
        ["STELLAR_START_LEDGER", "tip", "an integer from 2 to 4294967295"],
        ["STELLAR_START_LEDGER", "0x10", "an integer from 2 to 4294967295"],
        ["STELLAR_SIMULATED_TRANSACTIONS", "-1", "an integer from 0 to 10000"],
        ["STELLAR_NETWORK_PASSPHRASE", "", "the network's passphrase, which is never empty"]
      ] as const) {
        const line = yield* refused({ [key]: value })
        assert.include(line, `${key}=${JSON.stringify(value)} is not valid: it must be ${allowed}`)
      }
      const config = yield* read(Source.SourceConfig, { STELLAR_START_LEDGER: "4294967295" })
      assert.strictEqual(Option.getOrNull(config.startLedger), 4294967295)
    })
  )

  it.scoped("refuses a lake that is not there, not a location, or of another network", () =>
    Effect.gen(function* () {
      const root = yield* folder
      const missing = path.join(root, "nowhere")
      const lake = (url: string, more: Record<string, string> = {}) =>
        refused({ STELLAR_SOURCE: "lake", STELLAR_LAKE_URL: url, ...more })
      assert.include(
        yield* lake(missing),
        `STELLAR_LAKE_URL=${JSON.stringify(missing)} is not valid: ${missing} cannot be read: it does not exist; it must be the path of a folder`
      )
      for (const url of ["s3://bucket/lake", "http://", "https://user:secret@lake.example/x", ""]) {
        assert.include(
          yield* lake(url),
          `STELLAR_LAKE_URL=${JSON.stringify(url.replace("user:secret", "<redacted>"))} is not valid: it must be the path of a folder`
        )
      }
      fs.writeFileSync(
        path.join(root, ".config.json"),
        JSON.stringify({
          networkPassphrase: Network.passphrases.testnet,
          version: "1.0",
          compression: "zstd",
          ledgersPerBatch: 1,
          batchesPerPartition: 64000
        })
      )
      const other = yield* lake(root)
      assert.include(other, Network.passphrases.testnet)
      assert.include(other, Network.passphrases.pubnet)
      yield* build({ STELLAR_SOURCE: "lake", STELLAR_LAKE_URL: root, STELLAR_NETWORK: "testnet" })
      const own = {
        STELLAR_SOURCE: "lake",
        STELLAR_NETWORK: "mine",
        STELLAR_NETWORK_PASSPHRASE: "My Network"
      }
      assert.include(
        yield* refused(own),
        `STELLAR_LAKE_URL is not set and the network "mine" has no public lake`
      )
    })
  )
})

describe("Network", () => {
  it.effect("is known by name, or by its passphrase", () =>
    Effect.gen(function* () {
      const network = (name?: string, passphrase?: string) =>
        read(Network.config, {
          ...(name === undefined ? {} : { STELLAR_NETWORK: name }),
          ...(passphrase === undefined ? {} : { STELLAR_NETWORK_PASSPHRASE: passphrase })
        })
      assert.deepStrictEqual(yield* network(), { name: "pubnet", passphrase: Network.passphrases.pubnet })
      for (const [name, passphrase] of Object.entries(Network.passphrases)) {
        assert.deepStrictEqual(yield* network(name), { name, passphrase })
      }
      assert.deepStrictEqual(yield* network("pubnet", "Mine"), { name: "pubnet", passphrase: "Mine" })
      assert.deepStrictEqual(yield* network(undefined, "Mine"), { name: "custom", passphrase: "Mine" })
      assert.strictEqual((yield* network(undefined, Network.passphrases.testnet)).name, "testnet")
      for (const name of ["pubnett", "constructor", "Pubnet"]) {
        const line = String(yield* Effect.flip(network(name)))
        assert.include(
          line,
          `STELLAR_NETWORK=${JSON.stringify(name)} is not a network known by name: it must be one of pubnet, testnet`
        )
      }
      assert.isTrue(Option.isNone(yield* read(Network.configOption, {})))
      assert.isTrue(Option.isSome(yield* read(Network.configOption, { STELLAR_NETWORK_PASSPHRASE: "x" })))
    })
  )

  it("has the id that transactions are hashed with", () => {
    assert.strictEqual(
      Network.id(Network.passphrases.pubnet).toString("hex"),
      "7ac33997544e3175d266bd022439b22cdb16508c01163f26e5cb2a3e1045a979"
    )
  })
})
