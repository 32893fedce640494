/** The routes of the peers that are built on Effect, so that their servers differ in nothing but the server. */
import { createHash } from "node:crypto"
import * as HttpRouter from "@effect/platform/HttpRouter"
import * as HttpServer from "@effect/platform/HttpServer"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"

const milliseconds = HttpServerRequest.HttpServerRequest.pipe(
  Effect.map((request) => Number(new URL(request.url, "http://peer").searchParams.get("ms")))
)

const block = (ms: number): void => {
  const until = performance.now() + ms
  while (performance.now() < until);
}

const fast = HttpServerResponse.unsafeJson({ ok: true })

const slow = Effect.gen(function* () {
  const ms = yield* milliseconds
  yield* Effect.sleep(ms)
  return HttpServerResponse.unsafeJson({ waited: ms })
})

const blocked = Effect.gen(function* () {
  const ms = yield* milliseconds
  yield* Effect.sync(() => setTimeout(block, 2, ms))
  return HttpServerResponse.unsafeJson({ ok: true })
})

const stream = Effect.gen(function* () {
  const ms = yield* milliseconds
  const pieces = Stream.range(0, 19).pipe(
    Stream.rechunk(1),
    Stream.schedule(Schedule.spaced(ms / 20)),
    Stream.map((i) => new Uint8Array(1024).fill(97 + i))
  )
  return HttpServerResponse.stream(pieces, { contentType: "text/plain" })
})

const tick = Stream.make(new TextEncoder().encode("data: tick\n\n"))

const events = HttpServerResponse.stream(Stream.repeat(tick, Schedule.spaced(25)), {
  contentType: "text/event-stream"
})

const echo = Effect.gen(function* () {
  const request = yield* HttpServerRequest.HttpServerRequest
  const body = Buffer.concat(Chunk.toReadonlyArray(yield* Stream.runCollect(request.stream)))
  const sha256 = createHash("sha256").update(body).digest("hex")
  return HttpServerResponse.unsafeJson({ length: body.length, sha256 })
})

const upload = Effect.gen(function* () {
  const request = yield* HttpServerRequest.HttpServerRequest
  const bytes = yield* Stream.runFold(request.stream, 0, (sum, chunk) => sum + chunk.length)
  return HttpServerResponse.unsafeJson({ bytes })
})

/** What every peer offers. */
export const routes = HttpRouter.empty.pipe(
  HttpRouter.get("/fast", fast),
  HttpRouter.get("/slow", slow),
  HttpRouter.get("/block", blocked),
  HttpRouter.get("/busy", blocked),
  HttpRouter.get("/stream", stream),
  HttpRouter.get("/events", events),
  HttpRouter.post("/echo", echo),
  HttpRouter.post("/upload", upload)
)

/** Readiness of a server that has no notion of it. */
export const alwaysReady = HttpRouter.empty.pipe(HttpRouter.get("/health/ready", fast))

/** Says where the server listens; to be built after what serves. */
export const announce = Layer.effectDiscard(
  HttpServer.addressWith((address) =>
    Effect.sync(() => {
      if (address._tag === "TcpAddress") process.stdout.write(`listening ${address.port}\n`)
    })
  )
)
