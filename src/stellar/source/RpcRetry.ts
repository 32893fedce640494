/** Asking an RPC server until it answers, as far as that is any use. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Backoff from "./Backoff.js"
import { LedgerSourceError } from "./LedgerSource.js"
import * as RpcFailure from "./RpcFailure.js"

/** Whom is asked what. */
export interface Question {
  /** The server, for messages. */
  readonly server: string
  /** The method, for messages. */
  readonly method: string
}

/** What asking again does not mend. */
export type Final = RpcFailure.OutOfRange | RpcFailure.LimitTooHigh | RpcFailure.Refused

/** Wrong answers to one question that are borne, with a wait after each. */
const wrongAnswers = 4

/** The end of a question that was refused, in words. */
export const refusal = ({ method, server }: Question, failure: Final): LedgerSourceError =>
  new LedgerSourceError({
    reason: "unreadable",
    object: server,
    message: `${server} refuses ${method}: ${RpcFailure.explain(failure)}`
  })

/**
 * Asks again after what passes, for ever, and after what is wrong, four times, with the waits of Backoff. `adapt` hears of every failure and says whether it
 * has made the question an easier one, which gets its own four. Ends in `corrupt` or `missing` when it stays wrong, and in what is {@link Final}.
 */
export const persist = Effect.fnUntraced(function* <A>(
  question: Question,
  ask: Effect.Effect<A, RpcFailure.RpcFailure>,
  adapt: (failure: RpcFailure.Passing | RpcFailure.Wrong) => Effect.Effect<boolean> = () =>
    Effect.succeed(false)
): Effect.fn.Return<A, Final | LedgerSourceError> {
  const { method, server } = question
  let wrongs = 0
  for (let failures = 1; ; failures++) {
    const result = yield* Effect.either(ask)
    if (result._tag === "Right") return result.right
    const failure = result.left
    if (failure._tag !== "Passing" && failure._tag !== "Wrong") return yield* failure
    if (yield* adapt(failure)) wrongs = 0
    else if (failure._tag === "Wrong" && ++wrongs > wrongAnswers) {
      return yield* new LedgerSourceError({
        reason: failure.reason,
        object: server,
        message: `${server} does not answer ${method} as it must: ${failure.why}`
      })
    }
    const asked = yield* Backoff.retryAfter(failure._tag === "Passing" ? failure.retryAfter : undefined)
    const wait = Option.isSome(asked) ? asked.value : yield* Backoff.afterFailures(failures)
    yield* Effect.logWarning("The RPC server did not answer well, asking again").pipe(
      Effect.annotateLogs({
        server,
        method,
        why: failure.why,
        failures,
        wait: Duration.format(Duration.millis(Math.round(Duration.toMillis(wait))))
      })
    )
    yield* Effect.sleep(wait)
  }
})

/** As {@link persist}, where there is nothing else to do about a refusal: it is `unreadable`. */
export const insist = <A>(
  question: Question,
  ask: Effect.Effect<A, RpcFailure.RpcFailure>
): Effect.Effect<A, LedgerSourceError> =>
  Effect.mapError(persist(question, ask), (failure) =>
    failure._tag === "LedgerSourceError" ? failure : refusal(question, failure)
  )
