/** Stretches of ledgers to be replayed out of a lake: recorded ones where they are at hand, and simulated ones. */
import * as Effect from "effect/Effect"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join, resolve } from "node:path"
import * as Network from "../../src/stellar/Network.js"
import * as SimulatedSource from "../../src/stellar/source/SimulatedSource.js"
import * as Lake from "./Lake.js"
import * as SimulatedOracle from "./SimulatedOracle.js"

/** A stretch. */
export interface Stretch {
  /** For people. */
  readonly name: string
  readonly first: number
  readonly last: number
  /** A lake that holds these ledgers and no later ones. */
  readonly objects: Lake.Objects
  /** Settings that say which network it is, and where to begin. */
  readonly env: Record<string, string>
}

const recordings = resolve(import.meta.dirname, "../../../shared/stellar")

/** Whether recorded ledgers are at hand. */
export const isRecorded = existsSync(recordings)

/** A recorded stretch. */
export const recorded = (network: "pubnet" | "testnet", first: number, last: number): Stretch => {
  const folder = join(recordings, `lake-${network}`)
  const options = { networkPassphrase: Network.passphrases[network] }
  const objects: Lake.Objects = new Map([
    [".config.json", readFileSync(join(folder, ".config.json"))] as const
  ])
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" })
  for (let sequence = first; sequence <= last; sequence++) {
    // A lake may be laid out in folders, or not.
    const key = Lake.keyOf(sequence, options)
    const found = files.find((file) => file.endsWith(key.split("/").at(-1)!))
    if (found === undefined) throw new Error(`no ledger ${sequence} in ${folder}`)
    objects.set(found, readFileSync(join(folder, found)))
  }
  const env = { STELLAR_NETWORK: network, STELLAR_START_LEDGER: String(first) }
  return { name: `${network} ${first} to ${last}`, first, last, objects, env }
}

/** A simulated stretch. */
export const simulated = async (first: number, last: number, transactions: number): Promise<Stretch> => {
  const ledgers = await Effect.runPromise(SimulatedOracle.ledgers({ transactions }, first, last - first + 1))
  return {
    name: `simulated ${first} to ${last}`,
    first,
    last,
    objects: Lake.pack(ledgers, { networkPassphrase: SimulatedSource.passphrase }),
    env: {
      STELLAR_NETWORK: "simulated",
      STELLAR_NETWORK_PASSPHRASE: SimulatedSource.passphrase,
      STELLAR_START_LEDGER: String(first)
    }
  }
}
