/**
 * Which spans are made.
 *
 * A trace begins where work comes from outside or from a clock: a request, a unit of a task, an attempt at a webhook, the stop. Whatever else has no parent, such as a look at
 * the lease four times a second, is not recorded, nor are requests for health and metrics. Below a beginning everything is recorded, or nothing.
 *
 * @module
 */
import * as HttpMiddleware from "@effect/platform/HttpMiddleware"
import type * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Tracer from "effect/Tracer"
import type { Sampler } from "./OtlpConfig.js"

// One for all: a service that traces nothing makes several of these spans for every request.
const noAttributes: ReadonlyMap<string, unknown> = new Map()
const noLinks: ReadonlyArray<Tracer.SpanLink> = []

/** A span that nobody will see: it knows who it is, so that what is below it, here and in other services, is left out as well. */
class Unrecorded implements Tracer.Span {
  readonly _tag = "Span"
  readonly sampled = false
  readonly attributes = noAttributes
  readonly links = noLinks
  status: Tracer.SpanStatus
  readonly name: string
  readonly traceId: string
  readonly spanId: string
  readonly parent: Option.Option<Tracer.AnySpan>
  readonly context: Context.Context<never>
  readonly kind: Tracer.SpanKind

  constructor(of: {
    readonly name: string
    readonly traceId: string
    readonly spanId: string
    readonly parent: Option.Option<Tracer.AnySpan>
    readonly context: Context.Context<never>
    readonly kind: Tracer.SpanKind
    readonly startTime: bigint
  }) {
    this.name = of.name
    this.traceId = of.traceId
    this.spanId = of.spanId
    this.parent = of.parent
    this.context = of.context
    this.kind = of.kind
    this.status = { _tag: "Started", startTime: of.startTime }
  }
  end(endTime: bigint, exit: Extract<Tracer.SpanStatus, { _tag: "Ended" }>["exit"]): void {
    this.status = { _tag: "Ended", startTime: this.status.startTime, endTime, exit }
  }
  attribute(): void {}
  event(): void {}
  addLinks(): void {}
}

/**
 * The parent that a caller names, as far as it is one: a collector refuses a whole batch for one id that is none, and headers are anybody's. Ids of 64 bits (B3) get
 * zeros in front.
 */
const valid = (parent: Option.Option<Tracer.AnySpan>): Option.Option<Tracer.AnySpan> => {
  if (Option.isNone(parent) || parent.value._tag === "Span") return parent
  const { sampled, spanId } = parent.value
  const traceId = parent.value.traceId.padStart(32, "0")
  const isValid =
    /^(?!0+$)[0-9a-f]{32}$/.test(traceId) &&
    /^(?:.{16}|.{32})$/.test(parent.value.traceId) &&
    /^(?!0+$)[0-9a-f]{16}$/.test(spanId)
  return isValid ? Option.some(Tracer.externalSpan({ traceId, spanId, sampled })) : Option.none()
}

/** The part of the trace id that decides, as a number from 0 to 1: the same in every service that asks it. */
const share = (traceId: string): number => Number.parseInt(traceId.slice(-13), 16) / 16 ** 13

/** A tracer that gives `inner` what is to be recorded. */
export const sampled = (inner: Tracer.Tracer, sampler: Sampler): Tracer.Tracer => {
  const isKept = (traceId: string): boolean => share(traceId) < sampler.ratio
  const decide = (
    traceId: string,
    parent: Option.Option<Tracer.AnySpan>,
    kind: Tracer.SpanKind,
    options: Tracer.SpanOptions | undefined
  ): boolean => {
    if (Option.isNone(parent)) return (kind === "server" || options?.root === true) && isKept(traceId)
    if (parent.value._tag === "Span" || sampler.parentBased) return parent.value.sampled
    return isKept(traceId)
  }
  return Tracer.make({
    span: (name, named, context, links, startTime, kind, options) => {
      const parent = valid(named)
      // The common case of what is not recorded needs no identity of its own.
      if (Option.isSome(parent) && parent.value._tag === "Span" && !parent.value.sampled) {
        const { spanId, traceId } = parent.value
        return new Unrecorded({ name, traceId, spanId, parent, context, kind, startTime })
      }
      const span = inner.span(name, parent, context, links, startTime, kind, options)
      if (decide(span.traceId, parent, kind, options)) return span
      const { spanId, traceId } = span
      return new Unrecorded({ name, traceId, spanId, parent, context, kind, startTime })
    },
    context: inner.context
  })
}

/** Requests that are not traced: probes come every few seconds, and nobody asks where they spent their time. */
const isProbe = ({ url }: HttpServerRequest.HttpServerRequest): boolean =>
  /^\/(?:health(?:\/|\?|$)|metrics(?:\?|$))/.test(url)

const disabledWhen = (which: (request: HttpServerRequest.HttpServerRequest) => boolean) =>
  Layer.scopedDiscard(Effect.locallyScoped(HttpMiddleware.currentTracerDisabledWhen, which))

/** Has everything that is built on it traced by `tracer`, but for requests for health and metrics. */
export const layer = (tracer: Tracer.Tracer): Layer.Layer<never> =>
  Layer.merge(Layer.setTracer(tracer), disabledWhen(isProbe))

const noId = { traceId: "0".repeat(32), spanId: "0".repeat(16) }

/** A tracer that records nothing. Its spans are there for the causes of errors, which tell by them what was called. */
const none = Tracer.make({
  span: (name, parent, context, _links, startTime, kind) =>
    new Unrecorded({ ...noId, name, parent, context, kind, startTime }),
  context: (f) => f()
})

/** Nobody takes spans: none are recorded, and requests are not described for them. */
export const layerNone: Layer.Layer<never> = Layer.merge(
  Layer.setTracer(none),
  disabledWhen(() => true)
)
