/** An anchor: who takes assets in and gives them out, as the operator describes it. */
import * as Schema from "effect/Schema"
import * as AccountAddress from "../../stellar/AccountAddress.js"
import * as AssetName from "../AssetName.js"

/** Most accounts, and most assets, of one anchor. */
export const most = 1000

const shown = (value: unknown): string => {
  const json = JSON.stringify(value) ?? "nothing"
  return json.length > 80 ? `${json.slice(0, 80)}…` : json
}

/** A text of a form. Whatever else is given is refused in the same words. */
const form = (allowed: string, fits: (text: string) => boolean, jsonSchema: object) => {
  const message = ({ actual }: { readonly actual: unknown }) => `must be ${allowed}, not ${shown(actual)}`
  return Schema.String.annotations({ message }).pipe(
    Schema.filter(fits),
    Schema.annotations({ message, jsonSchema: { type: "string", ...jsonSchema } })
  )
}

/** Whether this may be the name of an anchor in paths. */
export const isId = (text: string): boolean => text.length <= 64 && /^[a-z0-9]+(-[a-z0-9]+)*$/.test(text)

/** The name of an anchor in paths: `my-anchor`. */
export const Id = form("1 to 64 lower case letters, digits and single hyphens between them", isId, {
  pattern: "^[a-z0-9]+(-[a-z0-9]+)*$",
  maxLength: 64,
  description: "The anchor's name in paths"
})

const Address = form("the address of an account, G and 55 more characters", AccountAddress.isValid, {
  pattern: "^G[A-Z2-7]{55}$"
})

const IssuedAsset = form("an asset, CODE:ISSUER", AssetName.isIssued, {
  pattern: "^[A-Za-z0-9]{1,12}:G[A-Z2-7]{55}$"
})

const domain = /^(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$/
const aDomain = (value: unknown) => `must be a domain in lower case, such as example.com, not ${shown(value)}`
const HomeDomain = form("a domain in lower case, such as example.com", (text) => domain.test(text), {
  format: "hostname"
})

// One refusal, not one for the domain and one for null.
const NullableDomain = Schema.NullOr(HomeDomain).annotations({
  message: ({ actual }) => ({ message: aDomain(actual), override: true }),
  description: "Its domain (SEP-1); null when it has none"
})

const Name = form("1 to 100 characters", ({ length }) => length >= 1 && length <= 100, {
  minLength: 1,
  maxLength: 100,
  description: "Its name for people"
})

const tooMany = () => `must be a list of at most ${most}`
const list = <A extends string>(item: Schema.Schema<A, string>, description: string) =>
  Schema.optionalWith(
    Schema.Array(item)
      .annotations({ message: tooMany })
      .pipe(Schema.maxItems(most, { message: tooMany }))
      .annotations({ description }),
    { exact: true, default: (): ReadonlyArray<A> => [] }
  )

/** What an operator says of an anchor. */
export const Description = Schema.Struct({
  /** For people. */
  name: Schema.propertySignature(Name).annotations({
    missingMessage: () => "must be 1 to 100 characters, and is missing"
  }),
  /** Its domain (SEP-1); null when it has none. */
  homeDomain: Schema.optionalWith(NullableDomain, { exact: true, default: () => null }),
  /** Accounts that it pays from and is paid at. */
  accounts: list(Address, "Accounts that it pays from and is paid at"),
  /** Assets that it issues. A payment in one of them that their issuer sends or gets counts as the anchor's too. */
  assets: list(IssuedAsset, "Assets that it issues, as CODE:ISSUER")
}).annotations({
  identifier: "AnchorDescription",
  // All faults at once, and a misspelt name is one.
  parseOptions: { errors: "all", onExcessProperty: "error" }
})

/** What an operator says of an anchor. */
export type Description = typeof Description.Type

/** An anchor with its id. */
export interface Anchor extends Description {
  readonly id: string
}
