/**
 * Error reports to Sentry. Imported only where a project is configured.
 *
 * Of Sentry's SDK only the client is used: it hooks into nothing, reads no environment and takes no exception of the process, which are the lifecycle's. Its requests are made here, so
 * that none outlives the layer.
 *
 * @module
 */
import { createTransport, defaultStackParser, LightNodeClient, Scope } from "@sentry/node-core/light"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type { HttpClientError } from "@effect/platform/HttpClientError"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as ErrorReports from "./ErrorReports.js"
import * as ExporterHealth from "./ExporterHealth.js"
import type { Project } from "./SentryConfig.js"

/** Where to, and how. */
export interface Options {
  /** Where reports go. */
  readonly project: Project
  /** How this installation is called there. */
  readonly environment: string
  /** The version of the service. */
  readonly version: string
  /** How long delivering what is left may take at the end. */
  readonly patience: Duration.Duration
}

/** How long a request may take. */
const requestTimeout = Duration.seconds(10)

/** Annotations by which one looks for reports. */
const tags = ["component", "event_type", "task"] as const

type Request = Parameters<Parameters<typeof createTransport>[1]>[0]

const post = (
  client: HttpClient.HttpClient,
  health: ExporterHealth.ExporterHealth,
  url: string,
  headers: Record<string, string>
) => {
  const fails = (why: string) =>
    Effect.suspend(() => {
      health.dropped("reports", 1)
      return health.fails(why)
    })
  return ({ body }: Request) =>
    HttpClientRequest.post(url, { headers }).pipe(
      typeof body === "string"
        ? HttpClientRequest.bodyText(body, "application/x-sentry-envelope")
        : HttpClientRequest.bodyUint8Array(body, "application/x-sentry-envelope"),
      client.execute,
      Effect.tap((response) => response.arrayBuffer),
      Effect.tap(({ status }) => (status < 300 ? health.works : fails(`the answer was ${status}`))),
      Effect.tapError((error: HttpClientError) =>
        fails(error._tag === "RequestError" ? "Sentry was not reached" : "the answer broke off")
      ),
      Effect.map(({ headers, status }) => ({
        statusCode: status,
        headers: {
          "x-sentry-rate-limits": headers["x-sentry-rate-limits"] ?? null,
          "retry-after": headers["retry-after"] ?? null
        }
      })),
      Effect.timeoutFail({ duration: requestTimeout, onTimeout: () => "there was no answer in time" }),
      Effect.tapError((error) => (typeof error === "string" ? fails(error) : Effect.void)),
      Effect.withTracerEnabled(false)
    )
}

const scopeOf = ({ cause, data, level, message, omitted }: ErrorReports.Report): Scope => {
  const scope = new Scope()
  scope.setLevel(level)
  scope.setTag("what", message)
  for (const tag of tags) if (typeof data[tag] === "string") scope.setTag(tag, data[tag])
  scope.setExtras(data)
  if (cause !== "") scope.setExtra("cause", cause)
  if (omitted > 0) scope.setExtra("omitted_before", omitted)
  return scope
}

const errorOf = ({ message, name, stack }: ErrorReports.Failure): Error =>
  Object.assign(new Error(message), { name, stack })

/** The service. What has not arrived within the patience when the scope closes is given up and told. */
const make = (options: Options) =>
  Effect.gen(function* () {
    const http = yield* HttpClient.HttpClient
    const health = ExporterHealth.make("sentry", options.project.where)
    const runPromise = yield* FiberSet.makeRuntimePromise<never>()
    let waiting = 0
    const settings: ConstructorParameters<typeof LightNodeClient>[0] = {
      dsn: Redacted.value(options.project.dsn),
      environment: options.environment,
      release: `stellar-insights@${options.version}`,
      integrations: [],
      stackParser: defaultStackParser,
      sendClientReports: false,
      sendDefaultPii: false,
      transport: (given) => {
        const send = post(http, health, given.url, given.headers ?? {})
        return createTransport(given, (request) => {
          waiting += 1
          return runPromise(
            Effect.ensuring(
              send(request),
              Effect.sync(() => (waiting -= 1))
            )
          )
        })
      }
    }
    const client = new LightNodeClient(settings)
    client.init()
    const flush = Effect.asVoid(Effect.promise(() => client.flush(Duration.toMillis(options.patience))))
    yield* Effect.addFinalizer(() =>
      Effect.promise(() => client.close(Duration.toMillis(options.patience))).pipe(
        Effect.zipRight(
          Effect.suspend(() => {
            health.dropped("reports", waiting)
            return health.undelivered(waiting)
          })
        )
      )
    )
    return ErrorReports.make((report) => {
      const scope = scopeOf(report)
      Option.match(report.failure, {
        onNone: () => client.captureMessage(report.message, report.level, undefined, scope),
        onSome: (failure) => client.captureException(errorOf(failure), undefined, scope)
      })
    }, flush)
  })

/** Reports to Sentry until it is released. Never fails. */
export const layer = (
  options: Options
): Layer.Layer<ErrorReports.ErrorReports, never, HttpClient.HttpClient> =>
  Layer.scoped(ErrorReports.ErrorReports, make(options))
