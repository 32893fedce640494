/**
 * Rolling restarts: two replicas behind a balancer, each stopped and started again in turn, while requests come through the balancer at a
 * fixed rate. Whatever is not a whole 2xx with the right body is a loss.
 *
 * @module
 */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { DrillError } from "../DrillOptions.js"
import * as Balancer from "./Balancer.js"
import * as Load from "./Load.js"
import * as Replica from "./Replica.js"
import * as RollingReport from "./RollingReport.js"

/** What is restarted, and how. */
export interface Options extends Replica.Options {
  readonly setup: Balancer.Setup
  readonly mix: ReadonlyArray<Load.Share>
  /** Requests a second. Default: 300. */
  readonly rate?: number
  /** Kept-alive connections to the balancer. Default: 64. */
  readonly connections?: number
  /** How often each of the two replicas is restarted. Default: 10. */
  readonly restarts?: number
  /** The least number of requests; the restarts are spread over the time that they take. Default: 60000. */
  readonly requests?: number
  /** A replica that is not gone so long after its signal is killed, in milliseconds. Default: 15000. */
  readonly cap?: number
  /** Uniform in [0, 1). */
  readonly random: () => number
  /** Hears of each restart. */
  readonly onRestart?: (restart: RollingReport.Restart) => void
}

const names = ["one", "two"] as const
/** How long the balancer may take to see that a replica is there, in milliseconds. */
const upWithin = 30_000
/** How long answers are waited for in the end, in milliseconds. */
const patience = 10_000
const lossesKept = 200
const logKept = 200

const now = () => performance.now()

/** Waits until the balancer sees a server as it should be, looking every `millis`. */
const until = (balancer: Balancer.Balancer, server: string, up: boolean, millis: number) =>
  Effect.gen(function* () {
    while ((yield* balancer.seen(server)).up !== up) yield* Effect.sleep(millis)
    return now()
  })

const restart = (
  options: Options,
  balancer: Balancer.Balancer,
  server: string,
  port: number,
  running: Replica.Running,
  from: number
) =>
  Effect.gen(function* () {
    const signalledAt = now()
    const noticing = yield* Effect.fork(until(balancer, server, false, 10))
    const how = yield* Replica.stop(running, options.cap ?? 15_000)
    const exit = now()
    const next = yield* Replica.start(options, port)
    const ready = now()
    const up = yield* until(balancer, server, true, 20).pipe(
      Effect.timeoutFail({
        duration: upWithin,
        onTimeout: () =>
          new DrillError({
            reason: "start",
            message: `the balancer does not see that ${options.name} (${server}) is ready`
          })
      })
    )
    const noticed = yield* Fiber.poll(noticing)
    yield* Fiber.interrupt(noticing)
    const seenAt =
      noticed._tag === "Some" && noticed.value._tag === "Success" ? noticed.value.value : undefined
    const since = (at: number) => Math.round(at - signalledAt)
    const told: RollingReport.Restart = {
      replica: server,
      at: Math.round(signalledAt - from),
      seenDown: seenAt === undefined ? null : since(seenAt),
      exit: since(exit),
      how,
      ready: since(ready),
      up: since(up)
    }
    options.onRestart?.(told)
    return { next, told }
  })

const report = (
  options: Options,
  balancer: Balancer.Balancer,
  counts: Load.Counts,
  restarts: ReadonlyArray<RollingReport.Restart>,
  from: number,
  until: number
): Omit<RollingReport.RollingReport, "counted"> => {
  const during = { stopping: 0, gone: 0, unseen: 0, nothing: 0 }
  const losses = counts.losses.map((sent): RollingReport.Lost => {
    const what = RollingReport.during(restarts, sent.doneAt - from)
    during[what]++
    return {
      kind: sent.kind,
      outcome: sent.outcome,
      status: sent.status ?? null,
      ending: sent.ending ?? null,
      at: Math.round(sent.sentAt - from),
      took: Math.round(sent.doneAt - sent.sentAt),
      during: what
    }
  })
  const sorted = counts.latencies.toSorted((a, b) => a - b)
  return {
    name: options.name,
    setup: options.setup.id,
    balancer: balancer.version,
    configuration: balancer.configuration,
    env: options.env,
    requests: counts.requests,
    lost: losses.length + counts.unsent,
    losses: losses.slice(0, lossesKept),
    during,
    kinds: counts.kinds,
    unsent: counts.unsent,
    latency: {
      median: RollingReport.quantile(sorted, 0.5),
      p99: RollingReport.quantile(sorted, 0.99),
      longest: sorted.at(-1) ?? 0
    },
    restarts,
    log: balancer.log().slice(-logKept),
    seconds: Math.round((until - from) / 1000)
  }
}

/**
 * One run. Fails when HAProxy is not there or a replica does not start; a loss is no failure but in the report. Everything that was started is
 * gone when it ends, also when it is interrupted.
 */
export const run = (
  options: Options
): Effect.Effect<RollingReport.RollingReport, Balancer.BalancerFailed | DrillError> =>
  Effect.gen(function* () {
    const { connections = 64, rate = 300, requests = 60_000, restarts = 10 } = options
    const [front, ...ports] = yield* Replica.freePorts(1 + names.length)
    const replicas = yield* Effect.forEach(names, (name, i) =>
      Effect.map(Replica.start(options, ports[i]!), (running) => ({ name, port: ports[i]!, running }))
    )
    const balancer = yield* Balancer.start({
      setup: options.setup,
      port: front!,
      ready: options.ready,
      servers: Object.fromEntries(replicas.map(({ name, port }) => [name, port]))
    })
    for (const { name } of replicas) yield* until(balancer, name, true, 20)
    const from = now()
    const load = yield* Effect.acquireRelease(
      Effect.sync(() =>
        Load.start({ port: front!, rate, connections, mix: options.mix, random: options.random })
      ),
      (it) => Effect.promise(() => it.stop(0))
    )
    const turns = restarts * replicas.length
    const millis = (requests / rate) * 1000
    const restarted: Array<RollingReport.Restart> = []
    for (let turn = 0; turn < turns; turn++) {
      // The first and the last have some load around them, too.
      const due = from + ((turn + 0.5) * millis) / (turns + 1)
      yield* Effect.sleep(Math.max(500, due - now()))
      const replica = replicas[turn % replicas.length]!
      const { next, told } = yield* restart(
        options,
        balancer,
        replica.name,
        replica.port,
        replica.running,
        from
      )
      replica.running = next
      restarted.push(told)
    }
    while (load.counts().requests < requests) yield* Effect.sleep(50)
    const counts = yield* Effect.promise(() => load.stop(patience))
    const ended = now()
    const counted: Record<string, Balancer.Seen> = {}
    for (const { name } of replicas) counted[name] = yield* balancer.seen(name)
    return { ...report(options, balancer, counts, restarted, from, ended), counted }
  }).pipe(Effect.scoped)
