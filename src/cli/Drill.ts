/** `stellar-insights drill`: stops a service again and again under load, and says what was lost. */
import * as Command from "@effect/cli/Command"
import * as Options from "@effect/cli/Options"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Signals from "../lifecycle/node/Signals.js"
import * as DrillHelp from "./drill/DrillHelp.js"
import { DrillRefused } from "./drill/DrillRefused.js"
import type { DrillSetting, Given } from "./drill/DrillSettings.js"
import { settings } from "./drill/DrillSettings.js"

type Texts = ReadonlyArray<string>

/** The option of a setting, which yields the texts that were given. */
const option = ({ description, form, name, value }: DrillSetting): Options.Options<Texts> => {
  if (form === "switch") {
    return Options.boolean(name).pipe(
      Options.withDescription(description),
      Options.map((given): Texts => (given ? ["true"] : []))
    )
  }
  const text = Options.text(name).pipe(Options.withPseudoName(value), Options.withDescription(description))
  return form === "one"
    ? text.pipe(
        Options.optional,
        Options.map((given): Texts => Option.toArray(given))
      )
    : text.pipe(
        Options.repeated,
        Options.map((given): Texts => given)
      )
}

const options = Options.all(Object.fromEntries(settings.map((setting) => [setting.name, option(setting)])))

const isAsked = (arg: string): boolean => arg === "--help" || arg === "-h"

/** What is wrong with the names of options; the library says no more of one without a value than that it is unknown. */
const mistake = (args: ReadonlyArray<string>): string | undefined => {
  for (let i = 0; i < args.length; i++) {
    const [, name, value] = /^--([^=]+)(=.*)?$/s.exec(args[i]!) ?? []
    if (name === undefined) return `"${args[i]}" is no option`
    const setting = settings.find((one) => one.name === name)
    if (setting === undefined) return `there is no option --${name}`
    if (setting.form === "switch" || value !== undefined) continue
    i += 1
    if (i === args.length || settings.some((one) => args[i] === `--${one.name}`))
      return `--${name} needs a value: --${name} ${setting.value}`
  }
  return undefined
}

/**
 * What comes before the library reads the arguments of the program: the help of a drill, which the library would give in its own way, and mistakes that it
 * cannot explain. Whatever else there is to do is `otherwise`.
 */
export const before = <A, E, R>(
  args: ReadonlyArray<string>,
  otherwise: Effect.Effect<A, E, R>
): Effect.Effect<A | void, E | DrillRefused, R> =>
  Effect.suspend((): Effect.Effect<A | void, E | DrillRefused, R> => {
    if (args[0] !== "drill") return otherwise
    if (args.some(isAsked)) return Console.log(DrillHelp.text.trimEnd())
    const wrong = mistake(args.slice(1))
    return wrong === undefined
      ? otherwise
      : new DrillRefused({ message: `${wrong}; see stellar-insights drill --help` })
  })

/** The command; what it runs is loaded when it is run. */
export const command = (signals: Signals.Captured) =>
  Command.make("drill", { given: options }, ({ given }) =>
    Effect.promise(() => import("./drill/RunDrill.js")).pipe(
      Effect.flatMap(({ run }) => {
        const flags: Given = new Map(Object.entries(given).filter(([, texts]) => texts.length > 0))
        return run(flags, signals)
      })
    )
  ).pipe(Command.withDescription("Stop a service again and again, under load, and say what was lost."))
