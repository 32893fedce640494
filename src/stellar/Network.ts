/**
 * Which Stellar network is meant. A network is its passphrase: the hash of the passphrase is mixed into every transaction hash, so ledgers
 * read under the wrong one do not verify.
 *
 * | key | default | allowed |
 * |---|---|---|
 * | `STELLAR_NETWORK` | `pubnet` | `pubnet`, `testnet`, `futurenet`, `local` (also `standalone`), or any name of your own with a passphrase |
 * | `STELLAR_NETWORK_PASSPHRASE` | the named network's | any text; needed for a name of your own, and wins over the named network's |
 */
import * as Config from "effect/Config"
import * as ConfigError from "effect/ConfigError"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import { createHash } from "node:crypto"
import * as Setting from "./source/Setting.js"

/** The passphrases of the networks that are known by name, as their operators publish them. */
export const passphrases = {
  pubnet: "Public Global Stellar Network ; September 2015",
  testnet: "Test SDF Network ; September 2015",
  futurenet: "Test SDF Future Network ; October 2022",
  local: "Standalone Network ; February 2017",
  standalone: "Standalone Network ; February 2017"
} as const

/** A network as the service knows it. */
export interface Network {
  /** What the operator calls it; one of {@link passphrases}' keys or a name of their own. For display only. */
  readonly name: string
  /** What defines it. */
  readonly passphrase: string
}

/** The network's id: SHA-256 of the passphrase, 32 bytes, as transaction hashes contain it. Never fails. */
export const id = (passphrase: string): Buffer => createHash("sha256").update(passphrase, "utf8").digest()

const known: ReadonlyArray<readonly [name: string, passphrase: string]> = Object.entries(passphrases)

const resolve = (keys: {
  readonly name: Option.Option<string>
  readonly passphrase: Option.Option<string>
}): Either.Either<Network, ConfigError.ConfigError> => {
  const given = Option.getOrUndefined(keys.passphrase)
  const name = Option.getOrElse(keys.name, () =>
    given === undefined ? "pubnet" : (known.find((entry) => entry[1] === given)?.[0] ?? "custom")
  )
  const passphrase = given ?? known.find((entry) => entry[0] === name)?.[1]
  return passphrase === undefined
    ? Either.left(
        ConfigError.InvalidData(
          ["STELLAR_NETWORK"],
          `STELLAR_NETWORK=${JSON.stringify(name)} is not a network known by name: it must be one of ` +
            `${Object.keys(passphrases).join(", ")}, or STELLAR_NETWORK_PASSPHRASE must be set`
        )
      )
    : Either.right({ name, passphrase })
}

const keys = Config.all({
  name: Config.option(
    Setting.text("STELLAR_NETWORK", `one of ${Object.keys(passphrases).join(", ")}, or a name of your own`)
  ),
  passphrase: Config.option(
    Setting.text("STELLAR_NETWORK_PASSPHRASE", "the network's passphrase, which is never empty")
  )
})

/** The configured network, pubnet where neither key is set. Ends in a `ConfigError` of one line when a name is unknown and has no passphrase. */
export const config: Config.Config<Network> = Config.mapOrFail(keys, resolve)

/** As {@link config}, but none where neither key is set: for a source that has a network of its own. */
export const configOption: Config.Config<Option.Option<Network>> = Config.mapOrFail(keys, (read) =>
  Option.isNone(read.name) && Option.isNone(read.passphrase)
    ? Either.right(Option.none())
    : Either.map(resolve(read), Option.some)
)
