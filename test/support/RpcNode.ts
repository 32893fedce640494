/**
 * What a Stellar RPC server answers, as recorded from real ones, without the HTTP around it; and what it answers when it is told to misbehave.
 */
import { encodeLedgerHeader, encodeLedgerHeaderHistoryEntry } from "../../src/stellar/xdr/generated/encode.js"
import { decodeLedgerCloseMetaOutline } from "../../src/stellar/xdr/generated/outline.js"

/** One answer over HTTP. */
export interface Reply {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  /** What becomes of it on the way. `silent`: nothing is sent; `stalled`: half of it, and no end; `cut`: half of it, and the connection closes. */
  readonly way?: "silent" | "stalled" | "cut"
}

/** What to do with one good answer. */
export type Misbehaviour = (good: Reply) => Reply

/** The ledgers that a node says it has, both included. */
export interface Range {
  readonly oldest: number
  readonly latest: number
}

/** How the node is. */
export interface Options {
  /** What it holds. */
  readonly ledgers: Iterable<{ readonly sequence: number; readonly bytes: Uint8Array }>
  /** Its network. */
  readonly networkPassphrase: string
  /** The largest page that it gives. Default 200. */
  readonly maximumLimit?: number
}

const json = { "content-type": "application/json" }

/** A JSON-RPC error as an answer. */
export const rpcError =
  (code: number, message: string): Misbehaviour =>
  (good) => ({
    ...good,
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, error: { code, message } })
  })

/** Another status, with any body. */
export const status =
  (
    code: number,
    headers: Readonly<Record<string, string>> = {},
    body = "<html>not now</html>"
  ): Misbehaviour =>
  () => ({ status: code, headers, body })

/** The misbehaviours that need no more words. */
export const misbehaviours = {
  queueFull: rpcError(-32000, "rpc queue for getLedgers surpassed queue limit of 1000 requests"),
  executionLimit: rpcError(-32001, "request exceeded processing limit threshold"),
  internal: rpcError(-32603, "DB is empty"),
  internalToo: rpcError(-32003, "[-32003] request failed to process due to internal issue"),
  garbage: (good) => ({ ...good, body: "<html><body>Bad gateway</body></html>" }),
  truncated: (good) => ({ ...good, body: good.body.slice(0, good.body.length >> 1) }),
  withoutFirst: (good) => {
    const body = JSON.parse(good.body) as { result: { ledgers: Array<unknown> } }
    body.result.ledgers.shift()
    return { ...good, body: JSON.stringify(body) }
  },
  damaged: (good) => ({ ...good, body: good.body.replaceAll(/"metadataXdr":"[^"]{40}/g, '"metadataXdr":"') }),
  notBase64: (good) => ({
    ...good,
    body: good.body.replaceAll(/"metadataXdr":"..../g, '"metadataXdr":"{;-(')
  }),
  silent: (good) => ({ ...good, way: "silent" }),
  stalled: (good) => ({ ...good, way: "stalled" }),
  cut: (good) => ({ ...good, way: "cut" })
} satisfies Record<string, Misbehaviour>

/** A node that can be asked. */
export interface RpcNode {
  /** What it holds; may change. */
  readonly ledgers: Map<number, Uint8Array>
  /** What it says it holds, one after the other where there are several: nodes behind one URL. Default: from its first ledger to its last. */
  ranges: ReadonlyArray<Range>
  /** Its network; may change. */
  networkPassphrase: string
  /** Every question so far, such as `getHealth` or `getLedgers 5 10` (the first ledger and how many). */
  readonly questions: Array<string>
  /** What to do with the next answers to a method, one each. */
  readonly misbehave: (method: string, ...what: ReadonlyArray<Misbehaviour>) => void
  /** The answer to the body of a request. */
  readonly answer: (body: string) => Reply
}

interface Question {
  readonly id: unknown
  readonly method: string
  readonly params?: {
    readonly startLedger?: number
    readonly pagination?: { readonly cursor?: string; readonly limit?: number }
  }
}

const headerOf = (bytes: Uint8Array) => decodeLedgerCloseMetaOutline(bytes).value.ledgerHeader
const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64")

/** A node that holds these ledgers. */
export const make = (options: Options): RpcNode => {
  const maximumLimit = options.maximumLimit ?? 200
  const planned = new Map<string, Array<Misbehaviour>>()
  let turn = 0
  const closeTimeOf = (sequence: number) => {
    const bytes = node.ledgers.get(sequence)
    return bytes === undefined ? 0 : Number(headerOf(bytes).header.scpValue.closeTime)
  }
  const rangeNow = (): Range => {
    if (node.ranges.length > 0) return node.ranges[turn++ % node.ranges.length]!
    const sequences = Array.from(node.ledgers.keys())
    return { oldest: Math.min(...sequences), latest: Math.max(...sequences) }
  }
  const spanOf = ({ latest, oldest }: Range) => ({
    latestLedger: latest,
    latestLedgerCloseTime: closeTimeOf(latest),
    oldestLedger: oldest,
    oldestLedgerCloseTime: closeTimeOf(oldest)
  })

  const getLedgers = (params: Question["params"]): unknown => {
    const { cursor, limit = 50 } = params?.pagination ?? {}
    if (limit > maximumLimit) throw [-32600, `limit must not exceed ${maximumLimit}`]
    if (params?.startLedger !== undefined && cursor !== undefined) {
      throw [-32600, `startLedger (${params.startLedger}) and cursor (${cursor}) cannot both be set`]
    }
    const start = cursor === undefined ? Number(params?.startLedger) : Number(cursor) + 1
    const range = rangeNow()
    if (!(start >= range.oldest && start <= range.latest)) {
      const bounds = `must be between the oldest ledger: ${range.oldest} and the latest ledger: ${range.latest} for this rpc instance`
      throw cursor === undefined
        ? [-32600, `start ledger (${start}) ${bounds}`]
        : [-32602, `cursor ('${cursor}') ${bounds}`]
    }
    const found: Array<object> = []
    for (let sequence = start; sequence <= range.latest && found.length < limit; sequence++) {
      const bytes = node.ledgers.get(sequence)
      if (bytes === undefined) break
      const entry = headerOf(bytes)
      found.push({
        hash: Buffer.from(entry.hash).toString("hex"),
        sequence,
        ledgerCloseTime: String(entry.header.scpValue.closeTime),
        headerXdr: base64(encodeLedgerHeaderHistoryEntry(entry)),
        metadataXdr: base64(bytes)
      })
    }
    return { ledgers: found, ...spanOf(range), cursor: String(start + found.length - 1) }
  }

  const resultOf = ({ method, params }: Question): unknown => {
    switch (method) {
      case "getNetwork":
        return { passphrase: node.networkPassphrase, protocolVersion: 25 }
      case "getHealth": {
        const { latest, oldest } = rangeNow()
        return {
          status: "healthy",
          latestLedger: latest,
          oldestLedger: oldest,
          ledgerRetentionWindow: 120_960
        }
      }
      case "getLatestLedger": {
        const { latest } = rangeNow()
        const bytes = node.ledgers.get(latest)!
        const { hash, header } = headerOf(bytes)
        return {
          id: Buffer.from(hash).toString("hex"),
          protocolVersion: header.ledgerVersion,
          sequence: latest,
          closeTime: String(header.scpValue.closeTime),
          headerXdr: base64(encodeLedgerHeader(header)),
          metadataXdr: base64(bytes)
        }
      }
      case "getLedgers":
        return getLedgers(params)
      default:
        throw [-32601, "method not found"]
    }
  }

  const node: RpcNode = {
    ledgers: new Map(Array.from(options.ledgers, ({ bytes, sequence }) => [sequence, bytes])),
    ranges: [],
    networkPassphrase: options.networkPassphrase,
    questions: [],
    misbehave: (method, ...what) => void planned.set(method, [...(planned.get(method) ?? []), ...what]),
    answer: (text) => {
      const question = JSON.parse(text) as Question
      const { method, params } = question
      node.questions.push(
        method === "getLedgers" ? `${method} ${params?.startLedger} ${params?.pagination?.limit}` : method
      )
      let outcome: object
      try {
        outcome = { result: resultOf(question) }
      } catch (thrown) {
        const [code, message] = thrown as [number, string]
        outcome = { error: { code, message } }
      }
      const body = JSON.stringify({ jsonrpc: "2.0", id: question.id, ...outcome })
      const good: Reply = { status: 200, headers: json, body }
      return planned.get(method)?.shift()?.(good) ?? good
    }
  }
  return node
}
