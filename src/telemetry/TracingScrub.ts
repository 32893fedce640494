/**
 * What of a span leaves the process: a request without its query and headers, errors without what looks like a secret, and nothing that is endless.
 *
 * @module
 */
import * as Secrets from "./Secrets.js"

/** An attribute as OTLP's JSON has it. */
export interface Attribute {
  readonly key: string
  readonly value: {
    readonly stringValue?: string | null | undefined
    readonly intValue?: number | null | undefined
  }
}

/** What is looked at of a span in OTLP's JSON. */
export interface SpanData {
  readonly name: string
  /** 2 is a server's. */
  readonly kind: number
  readonly attributes: ReadonlyArray<Attribute>
  readonly events: ReadonlyArray<{ readonly attributes: ReadonlyArray<Attribute> }>
  /** Its code is 1 where it is fine, 2 for an error. */
  readonly status: { readonly code: number; readonly message?: string }
}

const serverKind = 2

/** The platform describes a request with everything that it has. The query may hold a token, and so may any header. */
const left = new Set(["url.full", "url.query"])

/** Headers that say something of a body, and of nobody. */
const kept = new Set(["content-type", "content-length"])

/** The exporter puts these on every span that failed, whether anything was interrupted or not. */
const untrue = new Set(["span.label", "status.interrupted"])

/** Longer texts are cut, in characters: a statement that inserts a whole ledger says no more than its beginning. */
const longest = 2048

const isKept = (key: string): boolean => {
  if (left.has(key) || untrue.has(key)) return false
  const header = /^http\.(?:request|response)\.header\.(.*)$/.exec(key)?.[1]
  return header === undefined ? !Secrets.isSecretName(key) : kept.has(header)
}

const cut = (text: string): string => (text.length > longest ? `${text.slice(0, longest)}…` : text)

const attributesOf = (attributes: ReadonlyArray<Attribute>): ReadonlyArray<Attribute> =>
  attributes.flatMap((attribute) => {
    if (!isKept(attribute.key)) return []
    const text = attribute.value.stringValue
    return typeof text !== "string"
      ? [attribute]
      : [{ key: attribute.key, value: { ...attribute.value, stringValue: Secrets.strip(cut(text)) } }]
  })

const textOf = (attributes: ReadonlyArray<Attribute>, key: string): string | undefined =>
  attributes.find((attribute) => attribute.key === key)?.value.stringValue ?? undefined

/** `GET /api/ledgers/:sequence`, as OpenTelemetry names the span of a request; without the path where nothing is there: those would have no end. */
const nameOf = ({ attributes, kind, name }: SpanData): string => {
  const method = textOf(attributes, "http.request.method")
  if (kind !== serverKind || method === undefined) return name
  const route = textOf(attributes, "http.route")
  return route === undefined ? method : `${method} ${route}`
}

const errorCode = 2

/** A request that was answered with 500 has ended well for the platform; for whoever looks for errors it has not. */
const isAnsweredWithFailure = ({ attributes, kind }: SpanData): boolean =>
  kind === serverKind &&
  attributes.some(({ key, value }) => key === "http.response.status_code" && (value.intValue ?? 0) >= 500)

const statusOf = <A extends SpanData>(span: A): A["status"] => {
  if (span.status.message !== undefined) {
    return { ...span.status, message: Secrets.strip(cut(span.status.message)) }
  }
  return isAnsweredWithFailure(span) ? { ...span.status, code: errorCode } : span.status
}

/** A span as it may be told. */
export const clean = <A extends SpanData>(span: A): A => ({
  ...span,
  name: nameOf(span),
  attributes: attributesOf(span.attributes),
  events: span.events.map((event) => ({ ...event, attributes: attributesOf(event.attributes) })),
  status: statusOf(span)
})
