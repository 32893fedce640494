/** How an RPC server is read, as configured. */
import * as Config from "effect/Config"
import * as ConfigError from "effect/ConfigError"
import * as Duration from "effect/Duration"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Network from "../Network.js"
import * as RpcUrl from "./RpcUrl.js"
import * as Setting from "./Setting.js"

/** The key of the URL. */
export const urlKey = "STELLAR_RPC_URL"

/** What is wrong with the URL, without the URL: its text may hold a key even where it is none. */
export const refuse = (message: string): ConfigError.ConfigError => ConfigError.InvalidData([urlKey], message)

/** The default of `STELLAR_RPC_PAGE_SIZE`. */
export const pageSize = 10

/** The default of `STELLAR_RPC_POLL_INTERVAL`. */
export const pollInterval = Duration.seconds(2)

/** The default of `STELLAR_RPC_REQUEST_TIMEOUT`. */
export const requestTimeout = Duration.seconds(30)

/** What is configured. */
export interface Settings {
  /** The server; none where the key is not set. */
  readonly endpoint: Option.Option<RpcUrl.RpcUrl>
  /** The network that the server must belong to. */
  readonly networkPassphrase: string
  /** Ledgers to ask for at once. */
  readonly pageSize: number
  /** How often to ask for a ledger that is not there yet. */
  readonly pollInterval: Duration.Duration
  /** How long one request may take, its body included. */
  readonly requestTimeout: Duration.Duration
}

/**
 * The RPC server as configured.
 *
 * | key | default | allowed |
 * |---|---|---|
 * | `STELLAR_RPC_URL` | none; needed with `STELLAR_SOURCE=rpc` | an `http://` or `https://` URL; never shown beyond its host |
 * | `STELLAR_RPC_PAGE_SIZE` | 10 | 1 to 200 ledgers; a P26 ledger is about 1.3 MB of JSON |
 * | `STELLAR_RPC_POLL_INTERVAL` | 2 s | 0.1 s to 1 minute |
 * | `STELLAR_RPC_REQUEST_TIMEOUT` | 30 s | 1 s to 5 minutes |
 *
 * and the network's keys, see Network.ts. A gap is filled from `STELLAR_LAKE_URL` when that is set.
 */
export const RpcConfig: Config.Config<Settings> = Config.all({
  endpoint: Config.option(
    Config.string(urlKey).pipe(
      Config.mapOrFail((text) => {
        const endpoint = RpcUrl.parse(text.trim())
        return endpoint === undefined
          ? Either.left(refuse(`${urlKey} is not valid (it is not shown): it must be ${RpcUrl.allowed}`))
          : Either.right(endpoint)
      })
    )
  ),
  networkPassphrase: Config.map(Network.config, ({ passphrase }) => passphrase),
  pageSize: Setting.integer("STELLAR_RPC_PAGE_SIZE", 1, 200).pipe(Config.withDefault(pageSize)),
  pollInterval: Setting.duration("STELLAR_RPC_POLL_INTERVAL", "1 minute", "100 millis").pipe(
    Config.withDefault(pollInterval)
  ),
  requestTimeout: Setting.duration("STELLAR_RPC_REQUEST_TIMEOUT", "5 minutes", "1 second").pipe(
    Config.withDefault(requestTimeout)
  )
})
