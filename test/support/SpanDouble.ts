/** A tracer for tests, whose spans tell what happens to them. */
import * as Tracer from "effect/Tracer"

/** What a tracer is told of a span that begins. */
export interface Begun extends Pick<Tracer.Span, "name" | "parent" | "context" | "links" | "kind"> {
  /** In nanoseconds. */
  readonly startTime: bigint
}

/** Who the span is, and what a test wants to hear of it. */
export type Own = Pick<Tracer.Span, "spanId" | "traceId" | "end"> &
  Partial<Pick<Tracer.Span, "attribute" | "event">>

/** A tracer of recorded spans. */
export const tracer = (begin: (begun: Begun) => Own): Tracer.Tracer =>
  Tracer.make({
    context: (f) => f(),
    span: (name, parent, context, links, startTime, kind) => ({
      _tag: "Span",
      name,
      parent,
      context,
      links,
      kind,
      sampled: true,
      status: { _tag: "Started", startTime },
      attributes: new Map(),
      attribute: () => {},
      event: () => {},
      addLinks: () => {},
      ...begin({ name, parent, context, links, kind, startTime })
    })
  })
