/** B4: a request that dies is a report, and so is a trace of it an error. */
import * as HttpRouter from "@effect/platform/HttpRouter"
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Duration from "effect/Duration"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as ProblemMiddleware from "../../src/http/ProblemMiddleware.js"
import * as Lifecycle from "../../src/lifecycle/Lifecycle.js"
import * as ErrorReports from "../../src/telemetry/ErrorReports.js"
import * as Tracing from "../../src/telemetry/Tracing.js"
import * as Harness from "../http/support/Harness.js"
import * as Run from "../support/Run.js"
import * as SpanDouble from "../support/SpanDouble.js"

it.scopedLive("B4: a request that dies is answered with 500, reported once and seen in its trace", () =>
  Effect.gen(function* () {
    const reports: Array<ErrorReports.Report> = []
    const spans: Array<string> = []
    const lifecycle = yield* Lifecycle.make(Duration.seconds(10))
    const observing = ErrorReports.observing.pipe(
      Layer.provide([
        Layer.succeed(
          ErrorReports.ErrorReports,
          ErrorReports.make((report) => void reports.push(report), Effect.void)
        ),
        Layer.succeed(Lifecycle.Lifecycle, lifecycle)
      ])
    )
    const tracer = SpanDouble.tracer(({ name, parent }) => ({
      spanId: "b7ad6b7169203331",
      traceId: Option.match(parent, {
        onNone: () => "0af7651916cd43dd8448eb211c80319c",
        onSome: (of) => of.traceId
      }),
      end: (_, exit) => void spans.push(`${name} ${Exit.isSuccess(exit) ? "ended" : "failed"}`)
    }))
    const read = Effect.fn("Store.read")(() => Effect.die(new Error("broken")))
    const router = HttpRouter.empty.pipe(HttpRouter.get("/dies", read()))
    const app = ProblemMiddleware.middleware(Effect.flatten(HttpRouter.toHttpApp(router)))
    const { port } = yield* Harness.serve({ app, lifecycle }).pipe(
      Effect.provide([observing, Tracing.layer(tracer), Run.collectLogs([])])
    )
    for (let i = 0; i < 2; i++) {
      const { status } = yield* Effect.promise(() => fetch(`http://127.0.0.1:${port}/dies?token=secret`))
      assert.strictEqual(status, 500)
    }
    assert.strictEqual(reports.length, 1)
    assert.strictEqual(reports[0]?.message, "request died")
    assert.strictEqual(Option.getOrNull(reports[0]!.failure)?.message, "broken")
    assert.deepInclude(reports[0]?.data, { method: "GET", path: "/dies" })
    assert.notInclude(JSON.stringify(reports), "secret")
    assert.deepStrictEqual(spans.slice(0, 2), ["Store.read failed", "http.server GET ended"])
  })
)
