/** An anchor: who takes assets in and gives them out, as the operator describes it. */
import * as Schema from "effect/Schema"
import * as AccountAddress from "../../stellar/AccountAddress.js"

/** Most accounts, and most assets, of one anchor. */
export const most = 1000

const shown = (value: unknown) => JSON.stringify(value)?.slice(0, 80)

/** The name of an anchor in paths: `my-anchor`. */
export const Id = Schema.String.pipe(
  Schema.filter((text) => text.length <= 64 && /^[a-z0-9]+(-[a-z0-9]+)*$/.test(text))
).annotations({
  message: ({ actual }) =>
    `must be 1 to 64 lower case letters, digits and single hyphens between them, not ${shown(actual)}`,
  jsonSchema: {
    type: "string",
    pattern: "^[a-z0-9]+(-[a-z0-9]+)*$",
    maxLength: 64,
    description: "The anchor's name in paths"
  }
})

const Address = Schema.String.pipe(Schema.filter((text) => AccountAddress.isValid(text))).annotations({
  message: ({ actual }) =>
    `must be the address of an account, G and 55 more characters, not ${shown(actual)}`,
  jsonSchema: { type: "string", pattern: "^G[A-Z2-7]{55}$" }
})

const isAsset = (text: string): boolean => {
  const [code = "", issuer = "", ...more] = text.split(":")
  return more.length === 0 && /^[A-Za-z0-9]{1,12}$/.test(code) && AccountAddress.isValid(issuer)
}

const IssuedAsset = Schema.String.pipe(Schema.filter(isAsset)).annotations({
  message: ({ actual }) => `must be an asset, CODE:ISSUER, not ${shown(actual)}`,
  jsonSchema: { type: "string", pattern: "^[A-Za-z0-9]{1,12}:G[A-Z2-7]{55}$" }
})

const HomeDomain = Schema.String.pipe(
  Schema.pattern(/^(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$/)
).annotations({
  message: ({ actual }) => `must be a domain in lower case, such as example.com, not ${shown(actual)}`,
  jsonSchema: { type: "string", format: "hostname" }
})

const Name = Schema.String.pipe(Schema.filter(({ length }) => length >= 1 && length <= 100)).annotations({
  message: () => "must be 1 to 100 characters",
  jsonSchema: { type: "string", minLength: 1, maxLength: 100 }
})

const list = <A extends string>(item: Schema.Schema<A, string>, description: string) =>
  Schema.optionalWith(Schema.Array(item).pipe(Schema.maxItems(most)).annotations({ description }), {
    exact: true,
    default: (): ReadonlyArray<A> => []
  })

/** What an operator says of an anchor. */
export const Description = Schema.Struct({
  /** For people. */
  name: Name,
  /** Its domain (SEP-1); null when it has none. */
  homeDomain: Schema.optionalWith(Schema.NullOr(HomeDomain), { exact: true, default: () => null }),
  /** Accounts that it pays from and is paid at. */
  accounts: list(Address, "Accounts that it pays from and is paid at"),
  /** Assets that it issues. A payment in one of them that their issuer sends or gets counts as the anchor's too. */
  assets: list(IssuedAsset, "Assets that it issues, as CODE:ISSUER")
}).annotations({ identifier: "AnchorDescription" })

/** What an operator says of an anchor. */
export type Description = typeof Description.Type

/** An anchor with its id. */
export interface Anchor extends Description {
  readonly id: string
}
