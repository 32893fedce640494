/** `stellar-insights backfill`: ingests a stretch of ledgers into the database of the service, and ends. */
import * as Command from "@effect/cli/Command"
import * as Options from "@effect/cli/Options"
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as LogLevel from "effect/LogLevel"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import * as Backfill from "../insights/Backfill.js"
import * as Database from "../insights/Database.js"
import * as LedgerStore from "../insights/LedgerStore.js"
import * as NodeLaunch from "../lifecycle/node/NodeLaunch.js"
import type * as Signals from "../lifecycle/node/Signals.js"
import * as Source from "../stellar/source/Source.js"
import * as Logging from "../telemetry/Logging.js"
import * as BackfillProgress from "./BackfillProgress.js"
import * as Settings from "./Settings.js"

/** What was asked for. */
export interface Asked extends Backfill.Stretch {
  /** Instead of `STELLAR_SOURCE`. */
  readonly source: Option.Option<(typeof Source.names)[number]>
}

const least = 2
const most = 4_294_967_295

const checked = ({ from, to }: Backfill.Stretch): Effect.Effect<void, Backfill.BackfillRefused> => {
  for (const [option, value] of [
    ["--from", from],
    ["--to", to]
  ] as const) {
    if (value < least || value > most) {
      const message = `${option} ${value} is not valid: it must be an integer from ${least} to ${most}`
      return new Backfill.BackfillRefused({ message })
    }
  }
  return to < from
    ? new Backfill.BackfillRefused({ message: `--to ${to} is before --from ${from}` })
    : Effect.void
}

/** How it ended, and how to go on. */
const ending = (progress: Backfill.Progress, exitCode: number): string => {
  const { begin, from, last, stored, to } = progress
  const count = `${stored} ${stored === 1 ? "ledger" : "ledgers"} by this run`
  if (Backfill.isDone(progress)) return `ledgers ${from} to ${to} are stored, ${count}`
  const next = (last ?? begin - 1) + 1
  const how = exitCode === 0 ? "the same command" : "when the cause is mended, the same command"
  return last === null
    ? `stopped before the first ledger was stored; ${how} begins with ledger ${next}`
    : `stopped after ledger ${last}, ${count}; ${how} goes on with ledger ${next}`
}

/** Runs until the stretch is stored or it is stopped. Fails with {@link Backfill.BackfillRefused}, or `ConfigError` when the logging keys are wrong. */
export const run = ({ from, source, to }: Asked, signals: Signals.Captured) =>
  Effect.gen(function* () {
    yield* checked({ from, to })
    const logging = yield* Logging.config(process.stdout.isTTY)
    const progress = yield* Ref.make(Option.none<Backfill.Progress>())
    const { stderr } = process
    const terminal = stderr.isTTY
      ? Option.some<BackfillProgress.Terminal>({
          write: (text) => stderr.write(text),
          get columns() {
            // A terminal may not know how wide it is.
            return stderr.columns || 80
          }
        })
      : Option.none()
    const app = Backfill.layer({ from, to, progress }).pipe(
      Layer.provideMerge(BackfillProgress.layer({ progress, terminal })),
      Layer.provide(LedgerStore.layer),
      Layer.provide([Database.layerConfig, Source.layerConfig]),
      Layer.provide([FetchHttpClient.layer, NodeContext.layer]),
      // Before anything is opened or written, every key is read: what is wrong leaves nothing behind.
      Layer.provide(Layer.effectDiscard(Settings.read))
    )
    // Where a bar is to be seen, what happens as it should needs no lines of its own.
    const level =
      Option.isSome(terminal) && logging.level === LogLevel.Info ? LogLevel.Warning : logging.level
    const say = (text: string) =>
      logging.format === "pretty" || Option.isSome(terminal) ? Console.log(text) : Effect.logInfo(text)
    yield* NodeLaunch.launch(app, {
      signals,
      onReport: ({ exitCode }) =>
        Effect.flatMap(
          Ref.get(progress),
          Option.match({
            // It was not begun; why is said already.
            onNone: () => Effect.void,
            onSome: (is) => say(ending(is, exitCode))
          })
        )
    }).pipe(Effect.provide(Logging.layer({ ...logging, level })))
  }).pipe((effect) =>
    Effect.configProviderWith((provider) => {
      const given = new Map([
        // At its own pace a simulated stretch would take as long as it took the network.
        ["STELLAR_SIMULATED_INTERVAL", "0"],
        ...Option.match(source, { onNone: () => [], onSome: (name) => [["STELLAR_SOURCE", name]] as const })
      ])
      return Effect.withConfigProvider(
        effect,
        ConfigProvider.orElse(ConfigProvider.fromMap(given), () => provider)
      )
    })
  )

const ledger = (name: string, what: string) =>
  Options.integer(name).pipe(Options.withPseudoName("LEDGER"), Options.withDescription(what))

/** The command; `configured` gives it `.env` and the settings file. */
export const command = (
  signals: Signals.Captured,
  configured: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, unknown, R>
) =>
  Command.make(
    "backfill",
    {
      from: ledger(
        "from",
        "The first ledger. An empty database begins with it; else it must be stored, or the next one."
      ),
      to: ledger("to", "The last ledger. One that the network has not closed yet is waited for."),
      source: Options.choice("source", Source.names).pipe(
        Options.withDescription(
          "Where ledgers come from, instead of STELLAR_SOURCE; its keys are the service's."
        ),
        Options.optional
      )
    },
    (asked) => configured(run(asked, signals))
  ).pipe(
    Command.withDescription(
      "Store the ledgers from --from to --to in the database of the service (DATABASE_URL), and end. " +
        "A database holds one unbroken chain: an empty one begins with --from, another one goes on after its last ledger, and what is stored already is passed over. " +
        "SIGTERM or Ctrl+C stops it after the ledger in hand, with exit code 0; the same command goes on from there. No other process may store ledgers meanwhile."
    )
  )
