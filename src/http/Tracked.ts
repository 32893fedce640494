/**
 * What the server knows of a request while an app has it: the fiber that answers, so that interruption reaches it and what it logs bears the request's name, and the
 * pattern of the route that took it.
 *
 * @module
 */
import * as NodeHttpServerRequest from "@effect/platform-node/NodeHttpServerRequest"
import type * as HttpApp from "@effect/platform/HttpApp"
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import * as HttpRouter from "@effect/platform/HttpRouter"
import * as HttpServer from "@effect/platform/HttpServer"
import { HttpServerRequest } from "@effect/platform/HttpServerRequest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as FiberRef from "effect/FiberRef"
import * as FiberRefs from "effect/FiberRefs"
import * as HashMap from "effect/HashMap"
import * as HashSet from "effect/HashSet"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import { Response } from "./Message.js"

const responseOf = (fiber: Fiber.RuntimeFiber<unknown, unknown>): unknown =>
  NodeHttpServerRequest.toServerResponse(Context.unsafeGet(fiber.currentContext, HttpServerRequest))

/** An app whose fibers are known. The platform's own frame around it is uninterruptible, so interruption is allowed here. */
export const tracked = <E, R>(app: HttpApp.Default<E, R>): HttpApp.Default<E, R> => {
  const answer = Effect.interruptible(app)
  return Effect.withFiberRuntime((fiber) => {
    const response = responseOf(fiber) as Response
    response.fiber = fiber as Fiber.RuntimeFiber<unknown, unknown>
    return answer
  })
}

/** What a request logs bears its name. Annotations would cost each request as much as a limit does, and few log anything: so the name is looked up when something is logged. */
const named = <Message, Output>(logger: Logger.Logger<Message, Output>): Logger.Logger<Message, Output> =>
  Logger.make((options) => {
    const context = FiberRefs.getOrDefault(options.context, FiberRef.currentContext)
    const request = Context.getOption(context, HttpServerRequest)
    if (Option.isNone(request)) return logger.log(options)
    const response = NodeHttpServerRequest.toServerResponse(request.value)
    if (!(response instanceof Response)) return logger.log(options)
    return logger.log({
      ...options,
      annotations: HashMap.set(options.annotations, "request_id", response.id)
    })
  })

/** Runs what makes a server's handler, so that all loggers name the requests that it handles. */
export const naming = <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.locallyWith(self, FiberRef.currentLoggers, HashSet.map(named))

const noting = <A, E, R>(pattern: string, handler: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.withFiberRuntime((fiber) => {
    const response = responseOf(fiber)
    if (response instanceof Response) response.route = pattern
    return handler
  })

/** The same router, whose routes say by which pattern they were found. */
export const routed = <E, R>(router: HttpRouter.HttpRouter<E, R>): HttpRouter.HttpRouter<E, R> => {
  const routes = Array.from(router.routes, ({ handler, method, path, prefix, uninterruptible }) =>
    HttpRouter.makeRoute(method, path, noting(path, handler), {
      prefix: Option.getOrUndefined(prefix),
      uninterruptible
    })
  )
  const mounts = Array.from(router.mounts)
  return mounts.reduce(
    (all, [path, app, options]) =>
      HttpRouter.mountApp(all, path as `/${string}`, noting(`${path}/*`, app), options),
    HttpRouter.fromIterable(routes)
  ) as HttpRouter.HttpRouter<E, R>
}

/** `HttpApiBuilder.serve()` of {@link routed} routes. */
export const serveApi = Layer.unwrapEffect(
  HttpApiBuilder.httpApp.pipe(
    Effect.updateService(HttpApiBuilder.Router, (service) => ({
      ...service,
      router: Effect.map(service.router, routed)
    })),
    Effect.map((app) => HttpServer.serve(app))
  )
).pipe(Layer.provide([HttpApiBuilder.Router.Live, HttpApiBuilder.Middleware.layer]))
