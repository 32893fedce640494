/**
 * Every setting of the service, read in one go and shown as it is in effect.
 *
 * The components own their keys, defaults and bounds; this only knows how a value is written in an environment file.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as CacheConfig from "../cache/CacheConfig.js"
import * as AccessLog from "../http/AccessLog.js"
import * as BearerKeys from "../http/BearerKeys.js"
import * as ClientAddress from "../http/ClientAddress.js"
import * as Cors from "../http/Cors.js"
import * as HttpServerConfig from "../http/HttpServerConfig.js"
import * as RateLimitConfig from "../http/RateLimitConfig.js"
import * as AnchorsFile from "../insights/anchors/AnchorsFile.js"
import * as DatabaseConfig from "../insights/DatabaseConfig.js"
import * as SessionChoice from "../insights/realtime/SessionChoice.js"
import * as Intervals from "../insights/tasks/Intervals.js"
import * as Retention from "../insights/tasks/Retention.js"
import * as LeaseConfig from "../lease/LeaseConfig.js"
import * as Budget from "../lifecycle/Budget.js"
import * as LastRun from "../lifecycle/LastRun.js"
import * as Launch from "../lifecycle/Launch.js"
import * as Watchdog from "../lifecycle/node/Watchdog.js"
import * as ShutdownConfig from "../lifecycle/ShutdownConfig.js"
import * as HubConfig from "../realtime/HubConfig.js"
import * as RedisConfig from "../redis/RedisConfig.js"
import * as LakeSource from "../stellar/source/LakeSource.js"
import * as RpcConfig from "../stellar/source/RpcConfig.js"
import * as SimulatedSource from "../stellar/source/SimulatedSource.js"
import * as Source from "../stellar/source/Source.js"
import * as Network from "../stellar/Network.js"
import * as Logging from "../telemetry/Logging.js"
import * as OtlpConfig from "../telemetry/OtlpConfig.js"
import * as Telemetry from "../telemetry/Telemetry.js"
import * as Address from "../webhooks/Address.js"
import * as WebhookConfig from "../webhooks/WebhookConfig.js"

/** Keys that are read before the settings are, and by nobody else. */
export const ownKeys = ["SETTINGS_FILE"] as const

/** Every key of the settings. */
export const keys = [
  "SERVER_PORT",
  "SERVER_HOST",
  "HEALTH_PORT",
  "SERVER_KEEP_ALIVE_TIMEOUT",
  "SERVER_REQUEST_TIMEOUT",
  "SERVER_HEADERS_TIMEOUT",
  "SERVER_MAX_BODY",
  "TRUSTED_PROXIES",
  "ADMIN_KEYS",
  "CORS_ORIGINS",
  "RATE_LIMIT_REQUESTS",
  "RATE_LIMIT_KEY_REQUESTS",
  "RATE_LIMIT_FAILED_KEYS",
  "RATE_LIMIT_WINDOW",
  "DATABASE_URL",
  "LOG_LEVEL",
  "LOG_FORMAT",
  "ACCESS_LOG",
  "OTEL_EXPORTER_OTLP_ENDPOINT",
  "OTEL_EXPORTER_OTLP_HEADERS",
  "OTEL_SERVICE_NAME",
  "OTEL_RESOURCE_ATTRIBUTES",
  "OTEL_TRACES_SAMPLER",
  "OTEL_TRACES_SAMPLER_ARG",
  "SENTRY_DSN",
  "SENTRY_ENVIRONMENT",
  "STELLAR_NETWORK",
  "STELLAR_NETWORK_PASSPHRASE",
  "STELLAR_SOURCE",
  "STELLAR_LAKE_URL",
  "STELLAR_RPC_URL",
  "STELLAR_RPC_PAGE_SIZE",
  "STELLAR_RPC_POLL_INTERVAL",
  "STELLAR_RPC_REQUEST_TIMEOUT",
  "STELLAR_START_LEDGER",
  "STELLAR_SIMULATED_SEED",
  "STELLAR_SIMULATED_INTERVAL",
  "STELLAR_SIMULATED_TRANSACTIONS",
  "ANCHORS_FILE",
  "METRICS_SYNC_INTERVAL",
  "POOL_SNAPSHOT_INTERVAL",
  "TRUSTLINE_SNAPSHOT_INTERVAL",
  "RETENTION_OUTBOX",
  "RETENTION_PAYMENTS",
  "REDIS_URL",
  "REDIS_REQUIRED",
  "REDIS_PREFIX",
  "REDIS_CONNECT_TIMEOUT",
  "REDIS_COMMAND_TIMEOUT",
  "CACHE_MEMORY",
  "CACHE_ENTRIES",
  "CACHE_STALENESS",
  "LEASE_TTL",
  "LEASE_POLL_INTERVAL",
  "WEBHOOK_ALLOW_HTTP",
  "WEBHOOK_ALLOW_PRIVATE",
  "WEBHOOK_TIMEOUT",
  "WEBHOOK_CONCURRENCY",
  "WEBHOOK_PER_ENDPOINT",
  "WEBHOOK_SECRET_OVERLAP",
  "WEBHOOK_RETENTION",
  "WEBHOOK_MAX_WAITING",
  "WS_AUTH_TOKEN",
  "WS_ORIGINS",
  "WS_HEARTBEAT",
  "WS_MAX_MESSAGE",
  "WS_MESSAGE_RATE",
  "WS_MAX_CONNECTIONS",
  "WS_MAX_PER_ADDRESS",
  "WS_MAX_CHANNELS",
  "WS_QUEUE",
  "WS_SLOW_CLIENTS",
  "WS_SESSION_STORE",
  "WS_SESSION_INTERVAL",
  "WS_SESSION_TTL",
  "WS_RECONNECT_SPREAD",
  "STARTUP_TIMEOUT",
  "SHUTDOWN_ANNOUNCE_DELAY",
  "SHUTDOWN_GRACEFUL_TIMEOUT",
  "SHUTDOWN_BACKGROUND_TIMEOUT",
  "SHUTDOWN_WEBSOCKET_TIMEOUT",
  "SHUTDOWN_DB_TIMEOUT",
  "SHUTDOWN_CACHE_TIMEOUT",
  "SHUTDOWN_TELEMETRY_TIMEOUT",
  "SHUTDOWN_TIMEOUT",
  "SHUTDOWN_IDLE_GRACE",
  "SHUTDOWN_NEW_REQUESTS",
  "SHUTDOWN_WAIT_FOR_CONNECTIONS",
  "SHUTDOWN_FORCE_AFTER_TIMEOUT",
  "SHUTDOWN_REPORT_FILE",
  "SHUTDOWN_HEARTBEAT",
  "TERMINATION_GRACE_PERIOD"
] as const

/** One line of the settings. */
export interface Setting {
  readonly key: string
  /** As it would be written in an environment file; empty where nothing is set and nothing is derived. */
  readonly value: string
}

const shown = (
  value: string | number | Duration.Duration | Option.Option<string | number | Duration.Duration>
): string => {
  if (Option.isOption(value)) return Option.match(value, { onNone: () => "", onSome: shown })
  return Duration.isDuration(value) ? String(Duration.toMillis(value) / 1000) : String(value)
}

/** All keys. Fails with the first `ConfigError`, or with `BudgetRefused`. */
export const read = Effect.gen(function* () {
  const logging = yield* Logging.config(process.stdout.isTTY)
  const { otlp, sentry } = yield* Telemetry.config
  const http = yield* HttpServerConfig.config
  const database = yield* DatabaseConfig.config
  const { source, startLedger } = yield* Source.SourceConfig
  const simulated = yield* SimulatedSource.SimulatedConfig
  const network = yield* Network.config
  const networkIsSet = Option.isSome(yield* Network.configOption)
  // The lake's keys count only where a lake is read: a network of one's own needs no public one otherwise.
  const lake = yield* source === "lake"
    ? Effect.asSome(LakeSource.LakeConfig)
    : Effect.option(LakeSource.LakeConfig)
  const rpc = yield* RpcConfig.RpcConfig
  const trusted = yield* ClientAddress.config
  const corsOrigins = yield* Cors.config
  const rateLimit = yield* RateLimitConfig.config
  const accessLog = yield* AccessLog.config
  const adminKeys = yield* BearerKeys.config
  const anchorsFile = yield* AnchorsFile.config
  const intervals = yield* Intervals.config
  const retention = yield* Retention.config
  const redis = yield* RedisConfig.config
  const cache = yield* CacheConfig.config
  const lease = yield* LeaseConfig.config
  const webhooks = yield* WebhookConfig.config
  const hub = yield* HubConfig.config
  const sessionStore = yield* SessionChoice.config
  const startup = yield* Launch.startupTimeout
  const shutdown = yield* ShutdownConfig.config
  const budget = yield* Budget.derive(shutdown)
  const passphrase =
    source === "simulated" && !networkIsSet ? simulated.networkPassphrase : network.passphrase

  const values: Record<(typeof keys)[number], Parameters<typeof shown>[0]> = {
    SERVER_PORT: http.port,
    SERVER_HOST: http.host,
    HEALTH_PORT: http.healthPort,
    SERVER_KEEP_ALIVE_TIMEOUT: http.keepAliveTimeout,
    SERVER_REQUEST_TIMEOUT: http.requestTimeout,
    SERVER_HEADERS_TIMEOUT: http.headersTimeout,
    SERVER_MAX_BODY: http.maxBody,
    TRUSTED_PROXIES: trusted.text,
    // Keys are not shown, only that there are some.
    ADMIN_KEYS: adminKeys.count === 0 ? Option.none() : Option.some(`<${adminKeys.count} redacted>`),
    CORS_ORIGINS: Cors.shown(corsOrigins),
    RATE_LIMIT_REQUESTS: rateLimit.requests,
    RATE_LIMIT_KEY_REQUESTS: rateLimit.keyRequests,
    RATE_LIMIT_FAILED_KEYS: rateLimit.failedKeys,
    RATE_LIMIT_WINDOW: rateLimit.window,
    DATABASE_URL: database.url,
    LOG_LEVEL: logging.level.label.toLowerCase(),
    LOG_FORMAT: logging.format,
    ACCESS_LOG: accessLog,
    OTEL_EXPORTER_OTLP_ENDPOINT: otlp.endpoint,
    // Headers are not shown, only which there are.
    OTEL_EXPORTER_OTLP_HEADERS: OtlpConfig.shown(otlp.headers),
    OTEL_SERVICE_NAME: otlp.serviceName,
    OTEL_RESOURCE_ATTRIBUTES: OtlpConfig.text(otlp.attributes),
    OTEL_TRACES_SAMPLER: otlp.sampler.name,
    OTEL_TRACES_SAMPLER_ARG: otlp.samplerArg,
    // Of the DSN only the host: whoever has the rest can send reports.
    SENTRY_DSN: Option.map(sentry.project, ({ where }) => where),
    SENTRY_ENVIRONMENT: sentry.environment,
    STELLAR_NETWORK: source === "simulated" && !networkIsSet ? "" : network.name,
    STELLAR_NETWORK_PASSPHRASE: passphrase,
    STELLAR_SOURCE: source,
    STELLAR_LAKE_URL: Option.map(lake, ({ text }) => text),
    // Of the URL only the host: the rest may hold a key.
    STELLAR_RPC_URL: Option.map(rpc.endpoint, ({ name }) => name),
    STELLAR_RPC_PAGE_SIZE: rpc.pageSize,
    STELLAR_RPC_POLL_INTERVAL: rpc.pollInterval,
    STELLAR_RPC_REQUEST_TIMEOUT: rpc.requestTimeout,
    STELLAR_START_LEDGER: startLedger,
    STELLAR_SIMULATED_SEED: simulated.seed,
    STELLAR_SIMULATED_INTERVAL: Duration.decode(simulated.interval),
    STELLAR_SIMULATED_TRANSACTIONS: simulated.transactions,
    ANCHORS_FILE: anchorsFile,
    METRICS_SYNC_INTERVAL: intervals.metricsSync,
    POOL_SNAPSHOT_INTERVAL: intervals.poolSnapshots,
    TRUSTLINE_SNAPSHOT_INTERVAL: intervals.trustlineSnapshots,
    RETENTION_OUTBOX: retention.outbox,
    RETENTION_PAYMENTS: retention.payments,
    // Of the URL only where it is: the rest may hold a password.
    REDIS_URL: Option.map(redis.endpoint, ({ where }) => where),
    REDIS_REQUIRED: String(redis.required),
    REDIS_PREFIX: redis.prefix,
    REDIS_CONNECT_TIMEOUT: redis.connectTimeout,
    REDIS_COMMAND_TIMEOUT: redis.commandTimeout,
    CACHE_MEMORY: cache.memory,
    CACHE_ENTRIES: cache.entries,
    CACHE_STALENESS: cache.staleness,
    LEASE_TTL: lease.ttl,
    LEASE_POLL_INTERVAL: lease.poll,
    WEBHOOK_ALLOW_HTTP: String(webhooks.allowHttp),
    WEBHOOK_ALLOW_PRIVATE: Address.shown(webhooks.allowPrivate),
    WEBHOOK_TIMEOUT: webhooks.timeout,
    WEBHOOK_CONCURRENCY: webhooks.concurrency,
    WEBHOOK_PER_ENDPOINT: webhooks.perEndpoint,
    WEBHOOK_SECRET_OVERLAP: webhooks.secretOverlap,
    WEBHOOK_RETENTION: webhooks.retention,
    WEBHOOK_MAX_WAITING: webhooks.maxWaiting,
    WS_AUTH_TOKEN: Option.map(hub.authToken, () => "<redacted>"),
    WS_ORIGINS: Option.match(hub.origins, { onNone: () => "*", onSome: (origins) => [...origins].join(",") }),
    WS_HEARTBEAT: hub.heartbeat,
    WS_MAX_MESSAGE: hub.maxMessage,
    WS_MESSAGE_RATE: hub.messageRate,
    WS_MAX_CONNECTIONS: hub.maxConnections,
    WS_MAX_PER_ADDRESS: hub.maxPerAddress,
    WS_MAX_CHANNELS: hub.maxChannels,
    WS_QUEUE: hub.queue,
    WS_SLOW_CLIENTS: hub.slowClients,
    WS_SESSION_STORE: sessionStore,
    WS_SESSION_INTERVAL: hub.sessionInterval,
    WS_SESSION_TTL: hub.sessionTtl,
    WS_RECONNECT_SPREAD: hub.reconnectSpread,
    STARTUP_TIMEOUT: startup,
    SHUTDOWN_ANNOUNCE_DELAY: budget.announceDelay,
    SHUTDOWN_GRACEFUL_TIMEOUT: budget.stages.graceful,
    SHUTDOWN_BACKGROUND_TIMEOUT: budget.stages.background,
    SHUTDOWN_WEBSOCKET_TIMEOUT: budget.stages.websocket,
    SHUTDOWN_DB_TIMEOUT: budget.stages.database,
    SHUTDOWN_CACHE_TIMEOUT: budget.stages.cache,
    SHUTDOWN_TELEMETRY_TIMEOUT: budget.stages.telemetry,
    SHUTDOWN_TIMEOUT: budget.whole,
    SHUTDOWN_IDLE_GRACE: budget.idleGrace,
    SHUTDOWN_NEW_REQUESTS: budget.newRequests,
    SHUTDOWN_WAIT_FOR_CONNECTIONS: String(budget.waitForConnections),
    SHUTDOWN_FORCE_AFTER_TIMEOUT: String(budget.forceAfterTimeout),
    SHUTDOWN_REPORT_FILE: yield* LastRun.reportFile,
    SHUTDOWN_HEARTBEAT: yield* Watchdog.heartbeatConfig,
    TERMINATION_GRACE_PERIOD: shutdown.terminationGracePeriod
  }
  return {
    settings: keys.map((key): Setting => ({ key, value: shown(values[key]) })),
    budget,
    logging
  }
})
