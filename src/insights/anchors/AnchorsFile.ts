/**
 * Anchors out of a file, put into the store at the start; what the file does not name stays as it is.
 *
 * ```toml
 * [my-anchor]
 * name = "My Anchor"
 * home_domain = "example.com"
 * accounts = ["G…"]
 * assets = ["USD:G…"]
 * ```
 *
 * | key | default | allowed |
 * |---|---|---|
 * | `ANCHORS_FILE` | `config/anchors.toml` where that is there | a file in TOML as above |
 */
import * as Config from "effect/Config"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import { readFile } from "node:fs/promises"
import { parse } from "smol-toml"
import * as ExitCode from "../../lifecycle/ExitCode.js"
import * as Anchor from "./Anchor.js"
import * as AnchorStore from "./AnchorStore.js"

/** The file that is read where there is one and `ANCHORS_FILE` names no other. */
export const standard = "config/anchors.toml"

/** The file cannot be read, or does not describe anchors. Ends the start with code 2. */
export class AnchorsRefused extends Data.TaggedError("AnchorsRefused")<{
  /** A whole sentence that names file, place and what is allowed. */
  readonly message: string
}> {
  readonly [ExitCode.symbol] = ExitCode.invalid
}

/** `ANCHORS_FILE`. */
export const config: Config.Config<Option.Option<string>> = Config.option(
  Config.nonEmptyString("ANCHORS_FILE")
)

const issueOf = (id: string, error: ParseResult.ParseError): string => {
  const [issue] = ParseResult.ArrayFormatter.formatErrorSync(error)
  const path = (issue?.path ?? []).map((part) => (part === "homeDomain" ? "home_domain" : String(part)))
  return `[${[id, ...path].join(".")}] ${issue?.message}; an anchor has name, home_domain, accounts and assets`
}

const describe = (id: string, value: unknown): Either.Either<Anchor.Anchor, string> => {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return Either.left(`${id} must be a table that describes an anchor, [${id}]`)
  }
  const { home_domain: homeDomain, ...rest } = value as Record<string, unknown>
  const description = homeDomain === undefined ? rest : { ...rest, homeDomain }
  return Either.all([
    Schema.decodeUnknownEither(Anchor.Id)(id),
    Schema.decodeUnknownEither(Anchor.Description, { onExcessProperty: "error" })(description)
  ]).pipe(
    Either.mapBoth({
      onRight: ([, anchor]) => ({ id, ...anchor }),
      onLeft: (error) => issueOf(id, error)
    })
  )
}

/** The anchors that a text describes. `file` is what errors call it. */
export const read = (
  file: string,
  text: string
): Either.Either<ReadonlyArray<Anchor.Anchor>, AnchorsRefused> =>
  Either.try({ try: () => parse(text), catch: (error) => `is no TOML: ${String(error)}` }).pipe(
    Either.flatMap((table) => Either.all(Object.entries(table).map(([id, value]) => describe(id, value)))),
    Either.mapLeft((what) => new AnchorsRefused({ message: `ANCHORS_FILE=${JSON.stringify(file)}: ${what}` }))
  )

/** Puts the file's anchors into the store when it is built. Fails with `ConfigError`, {@link AnchorsRefused} (both exit code 2) or `SqlError`. */
export const layerConfig = Layer.effectDiscard(
  Effect.gen(function* () {
    const named = yield* config
    const file = Option.getOrElse(named, () => standard)
    const text = yield* Effect.tryPromise(() => readFile(file, "utf8")).pipe(
      Effect.asSome,
      Effect.catchAll(({ error }) => {
        const { code, message } = error as NodeJS.ErrnoException
        return code === "ENOENT" && Option.isNone(named)
          ? Effect.succeedNone
          : new AnchorsRefused({ message: `ANCHORS_FILE=${JSON.stringify(file)} cannot be read: ${message}` })
      })
    )
    if (Option.isNone(text)) return
    const anchors = yield* read(file, text.value)
    const store = yield* AnchorStore.AnchorStore
    yield* Effect.forEach(anchors, store.put, { discard: true })
    yield* Effect.logInfo("Anchors were read").pipe(Effect.annotateLogs({ file, anchors: anchors.length }))
  })
)
