/** The contract of the HTTP API: what can be asked, what comes back. Clients import this and no handler. */
import * as HttpApi from "@effect/platform/HttpApi"
import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as HttpApiSchema from "@effect/platform/HttpApiSchema"
import * as OpenApi from "@effect/platform/OpenApi"
import * as Schema from "effect/Schema"
import * as Problem from "../http/Problem.js"
import * as Anchors from "./api/Anchors.js"
import * as Broadcast from "./api/Broadcast.js"
import * as CacheStats from "./api/CacheStats.js"
import * as Corridors from "./api/Corridors.js"
import * as Events from "./api/Events.js"
import * as Network from "./api/Network.js"
import * as Payments from "./api/Payments.js"
import * as Pools from "./api/Pools.js"
import * as Tasks from "./api/Tasks.js"
import * as Trustlines from "./api/Trustlines.js"
import * as Webhooks from "./api/Webhooks.js"
import * as ApiProblem from "./ApiProblem.js"
import * as Parameter from "./Parameter.js"

const amount = (what: string) =>
  Schema.String.annotations({
    jsonSchema: {
      type: "string",
      pattern: "^\\d+$",
      description: `${what}, in stroops (1e-7), as decimal text`
    }
  })
const count = (what: string) =>
  Schema.Number.annotations({ jsonSchema: { type: "integer", description: what } })
const hash = (what: string) => Schema.String.annotations({ description: `${what}, 64 hexadecimal digits` })

/** A ledger as the API gives it. */
export class Ledger extends Schema.Class<Ledger>("Ledger")({
  sequence: count("The ledger's number"),
  hash: hash("SHA-256 of its header"),
  prevHash: hash("Hash of the ledger before it"),
  closeTime: count("When the network closed it, in seconds since 1970, UTC"),
  closedAt: Schema.String.annotations({
    jsonSchema: { type: "string", format: "date-time", description: "The same, as ISO 8601" }
  }),
  protocol: count("Protocol version in force"),
  lcmVersion: count("Version of the LedgerCloseMeta that it came in"),
  txCount: count("Transactions, successful or not"),
  successTx: count("Successful transactions"),
  failedTx: count("Failed transactions"),
  opCount: count("Operations of successful transactions"),
  txSetOpCount: count("Operations of all transactions"),
  totalFeeCharged: amount("What all transactions paid, after refunds"),
  feePool: amount("Fees that the network has collected so far"),
  totalCoins: amount("Coins in existence"),
  baseFee: count("Fee of an operation when there is no surge, in stroops"),
  baseReserve: count("Unit of an account's minimum balance, in stroops"),
  maxTxSetSize: count("Operations (before protocol 11: transactions) that fit into a ledger by agreement"),
  feeBumps: count("Fee bumps of which the transaction inside was applied"),
  sorobanTx: count("Transactions that call or maintain contracts")
}) {}

/** A page of ledgers. */
export class LedgerPage extends Schema.Class<LedgerPage>("LedgerPage")({
  /** Newest first. */
  ledgers: Schema.Array(Ledger),
  /** What to give as `before` for the page after this one; null when there is none. */
  next: Schema.NullOr(count("What to give as `before` for the next page; null at the end"))
}) {}

/** Bounds of the parameters, inclusive; `limit` is a number of ledgers, `timeout` is in seconds. */
export const bounds = {
  limit: { min: 1, max: 200, default: 20 },
  timeout: { min: 0, max: 60, default: 30 },
  sequence: { min: 1, max: Parameter.lastSequence }
} as const

const sequence = (description: string) => Parameter.integer({ ...bounds.sequence, description })
const limit = Parameter.integer({ ...bounds.limit, description: "How many ledgers at most; 20 by default" })
const timeout = Parameter.integer({
  ...bounds.timeout,
  description: "Seconds to wait at most; 30 by default"
})
const afterBounds = { min: 0, max: Parameter.lastSequence, description: "The last ledger that you have" }
const after = Schema.propertySignature(Parameter.integer(afterBounds)).annotations({
  missingMessage: () => `${Parameter.allowed(afterBounds)}, and is missing`
})

/** Ledgers. */
export class Ledgers extends HttpApiGroup.make("ledgers")
  .add(
    HttpApiEndpoint.get("list", "/")
      .setUrlParams(
        Schema.Struct({
          before: Schema.optionalWith(sequence("Only ledgers with a lower sequence"), { exact: true }),
          limit: Schema.optionalWith(limit, { exact: true, default: () => bounds.limit.default })
        })
      )
      .addSuccess(LedgerPage)
      .annotate(OpenApi.Summary, "Ledgers, newest first")
  )
  .add(
    HttpApiEndpoint.get("latest", "/latest")
      .addSuccess(Ledger)
      .addError(ApiProblem.NotFound)
      .annotate(OpenApi.Summary, "The newest ledger")
  )
  .add(
    HttpApiEndpoint.get("next", "/next")
      .setUrlParams(
        Schema.Struct({
          after,
          timeout: Schema.optionalWith(timeout, { exact: true, default: () => bounds.timeout.default })
        })
      )
      .addSuccess(Ledger)
      .addSuccess(HttpApiSchema.NoContent)
      .annotate(OpenApi.Summary, "The ledger after another one, as soon as it is in")
      .annotate(
        OpenApi.Description,
        "Answers with the first ledger after `after`, waiting for it if it is not in yet. 204 when it has not come within `timeout` seconds, or " +
          "when the service is about to stop: ask again."
      )
  )
  .add(
    HttpApiEndpoint.get("bySequence", "/:sequence")
      .setPath(Schema.Struct({ sequence: sequence("The ledger's number") }))
      .addSuccess(Ledger)
      .addError(ApiProblem.NotFound)
      .annotate(OpenApi.Summary, "One ledger")
  )
  .addError(ApiProblem.Unavailable)
  .prefix("/api/ledgers") {}

/** The API of the service. */
export class Api extends HttpApi.make("stellar-insights")
  .add(Ledgers)
  .add(Network.Network)
  .add(Corridors.Corridors)
  .add(Anchors.Anchors)
  .add(Payments.Payments)
  .add(Payments.AccountMerges)
  .add(Pools.Pools)
  .add(Trustlines.TrustlineGroup)
  .add(Tasks.Tasks)
  .add(Events.Events)
  .add(Broadcast.Broadcast)
  .add(Webhooks.Webhooks)
  .add(CacheStats.CacheGroup)
  .addError(ApiProblem.BadRequest)
  .annotate(HttpApi.AdditionalSchemas, [
    ApiProblem.BadRequest,
    ApiProblem.TooLarge,
    ApiProblem.NotJson,
    ApiProblem.TooMany
  ])
  .annotate(OpenApi.Title, "Stellar Insights")
  .annotate(
    OpenApi.Description,
    "A Stellar network, verified and counted: ledgers, payments, corridors, anchors, trustlines and pools."
  )
  // What does not decode is answered as problem details (see http/ProblemMiddleware), so the platform's own form of it is not part of the contract.
  .annotate(OpenApi.Transform, (spec) => withCommon(spec as OpenApi.OpenAPISpec) as never) {}

/** What any endpoint may answer, or any that takes a body, in place of the platform's own form of it. */
function withCommon(spec: OpenApi.OpenAPISpec): OpenApi.OpenAPISpec {
  const { HttpApiDecodeError: _error, Issue: _issue, PropertyKey: _key, ...schemas } = spec.components.schemas
  const problem = (name: string, description: string) => ({
    description,
    content: { [Problem.contentType]: { schema: { $ref: `#/components/schemas/${name}` } } }
  })
  const all = {
    400: problem("BadRequest", "A parameter is missing or not valid"),
    429: problem(
      "TooMany",
      "More came from this address, or with this key, than may; Retry-After says when to come back"
    )
  }
  const bodies = {
    413: problem("TooLarge", "The body is longer than SERVER_MAX_BODY"),
    415: problem("NotJson", "The body is not application/json")
  }
  for (const path of Object.values(spec.paths)) {
    for (const operation of Object.values(path)) {
      Object.assign(operation.responses, all, operation.requestBody === undefined ? {} : bodies)
    }
  }
  return { ...spec, components: { ...spec.components, schemas } }
}
