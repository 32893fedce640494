/** The API as something that can be served: handlers, problem details for what does not decode, its description and its documentation. */
import * as HttpApi from "@effect/platform/HttpApi"
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import * as HttpRouter from "@effect/platform/HttpRouter"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as OpenApi from "@effect/platform/OpenApi"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as ProblemMiddleware from "../http/ProblemMiddleware.js"
import * as AnchorsHttp from "./api/AnchorsHttp.js"
import * as Answers from "./api/Answers.js"
import * as BroadcastHttp from "./api/BroadcastHttp.js"
import * as CacheStatsHttp from "./api/CacheStatsHttp.js"
import * as CorridorsHttp from "./api/CorridorsHttp.js"
import * as EventsHttp from "./api/EventsHttp.js"
import * as NetworkHttp from "./api/NetworkHttp.js"
import * as PaymentsHttp from "./api/PaymentsHttp.js"
import * as PoolsHttp from "./api/PoolsHttp.js"
import * as TasksHttp from "./api/TasksHttp.js"
import * as TrustlinesHttp from "./api/TrustlinesHttp.js"
import * as WebhooksHttp from "./api/WebhooksHttp.js"
import * as Api from "./Api.js"
import * as LedgersHttp from "./LedgersHttp.js"

/** Everything that the page needs is in it; that it asks nobody else is also told to the browser. */
const contentSecurityPolicy =
  "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; font-src data:; connect-src 'self'"

/** `/docs`. The page's two megabytes are loaded when somebody asks for it first, which most services live without. */
const docs = HttpApiBuilder.Router.use((router) =>
  Effect.gen(function* () {
    const api = yield* HttpApi.Api
    const page = yield* Effect.cached(
      Effect.gen(function* () {
        const Swagger = yield* Effect.promise(() => import("@effect/platform/HttpApiSwagger"))
        const built = Layer.provideMerge(Swagger.layer(), HttpApiBuilder.Router.Live)
        const context = yield* Layer.build(built).pipe(Effect.provideService(HttpApi.Api, api), Effect.scoped)
        const app = yield* HttpRouter.toHttpApp(yield* Context.get(context, HttpApiBuilder.Router).router)
        return Effect.map(app, HttpServerResponse.setHeader("content-security-policy", contentSecurityPolicy))
      })
    )
    yield* router.get("/docs", Effect.flatten(page))
  })
)

/** `/openapi.json`. Made when somebody asks for it first: it takes as long as all of the routes do, and no start should wait for it. */
const description = HttpApiBuilder.Router.use((router) =>
  Effect.gen(function* () {
    const { api } = yield* HttpApi.Api
    const made = Effect.sync(() => HttpServerResponse.unsafeJson(OpenApi.fromApi(api)))
    yield* router.get("/openapi.json", yield* Effect.cached(made))
  })
)

const groups = Layer.mergeAll(
  LedgersHttp.layer,
  NetworkHttp.layer,
  CorridorsHttp.layer,
  AnchorsHttp.layer,
  PaymentsHttp.layer,
  PoolsHttp.layer,
  TrustlinesHttp.layer,
  TasksHttp.layer,
  EventsHttp.layer,
  BroadcastHttp.layer,
  WebhooksHttp.layer,
  CacheStatsHttp.layer
).pipe(Layer.provide(Answers.layer))

const api = HttpApiBuilder.api(Api.Api).pipe(Layer.provide(groups))

/** Two assets in a path have up to 139 characters; the router's own limit of 100 would not find their corridor. */
const longParameters = HttpRouter.setRouterConfig({ maxParamLength: 300 })

/** The whole API, to be given to `HttpApiBuilder.serve`. Needs the store and the lifecycle. */
export const layer = Layer.mergeAll(ProblemMiddleware.layer, description, docs, longParameters).pipe(
  Layer.provideMerge(api)
)
