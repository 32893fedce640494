/**
 * The URL of an RPC server, which is often a secret: hosted ones take their key from the path, the query, or as user name and password. What is said
 * of a server is therefore its origin, and words that come from outside are cleared of whatever the URL holds beside it.
 */
import * as Redacted from "effect/Redacted"

/** Where an RPC server is, with its secrets kept from logs. */
export interface RpcUrl {
  /** What may be shown: scheme, host and port, with `/…` behind it where there is more. */
  readonly name: string
  /** What is asked: the URL without user name and password, which `fetch` does not take. */
  readonly url: Redacted.Redacted
  /** The `authorization` header that user name and password make; undefined where there are none. */
  readonly authorization: Redacted.Redacted | undefined
  /** A text from outside without anything that the URL keeps to itself. */
  readonly hide: (text: string) => string
}

/** What the text of the URL may be, in the words of the error message. */
export const allowed =
  "an http:// or https:// URL without a fragment, such as https://mainnet.sorobanrpc.com; a user name and password in it are sent as basic authentication"

/** Shorter parts of a URL are words like `rpc` and `v1`, and taking them out of a sentence would leave none. */
const shortestSecret = 6

const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** Understands the text of a URL; undefined when it is not {@link allowed}. */
export const parse = (text: string): RpcUrl | undefined => {
  if (!/^https?:\/\//i.test(text) || !URL.canParse(text)) return undefined
  const url = new URL(text)
  if (url.hash !== "") return undefined
  const { password, username } = url
  const isBare = url.pathname === "/" && url.search === ""
  const parts = [password, username, ...url.pathname.split("/"), ...url.search.split(/[?&=]/)]
  const whole = [text, url.href, url.pathname + url.search]
  url.username = ""
  url.password = ""
  const secrets = [...whole, url.href, ...parts, ...parts.map(decoded)]
    .filter((secret) => secret.length >= shortestSecret)
    .sort((one, other) => other.length - one.length)
  const basic = Buffer.from(`${decoded(username)}:${decoded(password)}`).toString("base64")
  return {
    name: isBare ? url.origin : `${url.origin}/…`,
    url: Redacted.make(url.href),
    authorization: username === "" && password === "" ? undefined : Redacted.make(`Basic ${basic}`),
    hide: (words) =>
      secrets.reduce(
        (clear, secret) => clear.replaceAll(secret, secret.startsWith("http") ? url.origin : "…"),
        words
      )
  }
}
