/**
 * Where webhooks may be sent: what a URL must be, and what its name must lead to.
 *
 * A URL is looked at when it is given, and again with every attempt, together with the addresses that its name has at that moment: a name may lead elsewhere by
 * then. What is connected to is what was looked at (`Sender`).
 *
 * @module
 */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Net from "node:net"
import * as Address from "./Address.js"
import * as Resolver from "./Resolver.js"

/** What is allowed beyond the public internet by https. */
export interface Policy {
  /** Plain http too. */
  readonly allowHttp: boolean
  /** Addresses that lead inside. */
  readonly allowPrivate: Address.Allowed
}

/** A webhook is not sent there. */
export class EndpointRefused extends Data.TaggedError("EndpointRefused")<{
  /** Why, in a sentence without the URL's path and query, which may be secret. */
  readonly message: string
}> {}

/** The longest URL, in characters. */
export const longestUrl = 2048

/** Ports of other protocols, which would take a request for one of theirs; the Fetch standard's list of those from 1024 on. Below, only 80 and 443 are allowed. */
const badPorts = new Set([
  1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697,
  10080
])

const label = /^(?!-)[a-z0-9_-]{1,63}(?<!-)$/

/** The host without brackets and final dots. */
const hostOf = (url: URL): string => url.hostname.replace(/^\[|\]$/g, "").replace(/\.+$/, "")

/** Everything that can be told from the URL alone. The host of what is given back is an address in its usual spelling, or a name without a final dot. */
export const parse = (text: string, policy: Policy): Either.Either<URL, EndpointRefused> => {
  const refuse = (message: string) => Either.left(new EndpointRefused({ message }))
  if (text.length > longestUrl) return refuse(`the URL is longer than ${longestUrl} characters`)
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined) return refuse("the URL is not valid")
  if (url.protocol !== "https:" && !(url.protocol === "http:" && policy.allowHttp)) {
    const schemes = policy.allowHttp ? "https or http" : "https"
    return refuse(`the URL's scheme must be ${schemes}, not ${url.protocol.slice(0, -1)}`)
  }
  if (url.username !== "" || url.password !== "") return refuse("the URL must not carry a user or a password")
  const port = url.port === "" ? undefined : Number(url.port)
  if (port !== undefined && (badPorts.has(port) || (port < 1024 && port !== 80 && port !== 443))) {
    return refuse(`port ${port} is not one for webhooks: use 443, 80 or one from 1024 on`)
  }
  const host = hostOf(url)
  if (Net.isIP(host) > 0) {
    const kind = Address.refusal(host, policy.allowPrivate)
    if (kind !== undefined) return refuse(`${host} is ${kind}`)
  } else {
    const labels = host.split(".")
    if (host.length > 253 || !labels.every((one) => label.test(one)))
      return refuse(`${host} is no name of a host`)
  }
  url.hostname = Net.isIPv6(host) ? `[${host}]` : host
  url.hash = ""
  return Either.right(url)
}

/** Where limits for an endpoint apply: scheme, host and port. It says nothing that is secret. */
export const originOf = (url: string): string => (URL.canParse(url) ? new URL(url).origin : "invalid")

/** The addresses that a name has now; refused as a whole when one of them is. Fails with {@link EndpointRefused}. */
export const addresses = (
  name: string,
  policy: Policy
): Effect.Effect<ReadonlyArray<string>, EndpointRefused | Resolver.Unresolved, Resolver.Resolver> =>
  Effect.flatMap(Resolver.Resolver, ({ resolve }) =>
    Effect.flatMap(resolve(name), (found) => {
      for (const address of found) {
        const kind = Address.refusal(address, policy.allowPrivate)
        if (kind === undefined) continue
        const where = address === name ? name : `${name} leads to ${address}, which`
        return Effect.fail(new EndpointRefused({ message: `${where} is ${kind}` }))
      }
      return Effect.succeed(found)
    })
  )

/** The URL as it is kept, once all of it is acceptable, its name's addresses of now included. Fails with {@link EndpointRefused}, also where there is no address. */
export const check = (
  text: string,
  policy: Policy
): Effect.Effect<string, EndpointRefused, Resolver.Resolver> =>
  Effect.flatMap(parse(text, policy), (url) =>
    addresses(hostOf(url), policy).pipe(
      Effect.catchTag("Unresolved", ({ message }) => new EndpointRefused({ message })),
      Effect.as(url.href)
    )
  )
