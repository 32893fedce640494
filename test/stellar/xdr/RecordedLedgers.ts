/** The recorded ledgers beside the repository, for tests that compare with the real network. */
import { decompress } from "fzstd"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join, resolve } from "node:path"
import { fileURLToPath } from "node:url"
import * as LedgerBatch from "../../../src/stellar/xdr/LedgerBatch.js"

/** Where they are, from the root of the repository. */
export const folder = resolve(fileURLToPath(new URL("../../../", import.meta.url)), "../shared/stellar")

/** Whether they are there at all. */
export const available = existsSync(join(folder, "oracle.json"))

/** What a suite that needs them puts behind its name. */
export const note = available ? "" : " (skipped: there is no folder ../shared/stellar)"

/** One `LedgerCloseMeta` and the file it came from. */
export interface Recorded {
  readonly name: string
  readonly bytes: Uint8Array
}

const read = (...path: ReadonlyArray<string>): Uint8Array => readFileSync(join(folder, ...path))

const lake = (name: string): ReadonlyArray<Recorded> =>
  readdirSync(join(folder, name), { recursive: true })
    .map(String)
    .filter((path) => /\.zstd?$/.test(path))
    .sort()
    .flatMap((path) =>
      LedgerBatch.decodeBatch(decompress(read(name, path))).ledgers.map((bytes) => ({
        name: `${name}/${path}`,
        bytes
      }))
    )

/** Ledgers with their length before them, its top bit set. */
const framed = (name: string, stream: Uint8Array): ReadonlyArray<Recorded> => {
  const view = new DataView(stream.buffer, stream.byteOffset, stream.byteLength)
  const found: Array<Recorded> = []
  for (let at = 0; at < stream.length;) {
    const length = view.getUint32(at) & 0x7fffffff
    found.push({ name: `${name}[${found.length}]`, bytes: stream.subarray(at + 4, at + 4 + length) })
    at += 4 + length
  }
  return found
}

/** Ten ledgers of the public network at protocol 26 and eleven at 13. */
export const pubnet = () => lake("lake-pubnet")

/** Three ledgers of the test network at protocol 20, under both suffixes. */
export const testnet = () => [...lake("lake-testnet"), ...lake("lake-testnet-zstd-suffix")]

/** Single ledgers of the public network, protocols 2 to 20. */
export const singles = (): ReadonlyArray<Recorded> =>
  readdirSync(join(folder, "single")).map((name) => ({
    name,
    bytes: Buffer.from(readFileSync(join(folder, "single", name), "utf8"), "base64")
  }))

/** Ledgers of stellar-core's own tests with arms of protocol 27. */
export const core = () =>
  readdirSync(join(folder, "core-p27")).flatMap((name) => framed(name, read("core-p27", name)))

/** Three ledgers of which two have wrong hashes. */
export const bad = () => framed("p23-wrong-hashes", decompress(read("bad", "p23-wrong-hashes.xdr.zstd")))

/** Thirty full ledgers of a load test. */
export const load = () => framed("apply-load", decompress(read("load", "apply-load-p27-30-ledgers.xdr.zst")))

/** All of them. */
export const all = () => [...pubnet(), ...testnet(), ...singles(), ...core(), ...bad(), ...load()]

/** The expected facts. */
export const oracle = (): ReadonlyArray<Record<string, unknown>> =>
  (
    JSON.parse(readFileSync(join(folder, "oracle.json"), "utf8")) as {
      ledgers: ReadonlyArray<Record<string, unknown>>
    }
  ).ledgers
