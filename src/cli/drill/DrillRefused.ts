/** The drill cannot begin: what it was told makes no sense, or the service does not start. */
import * as Data from "effect/Data"
import * as ExitCode from "../../lifecycle/ExitCode.js"

/** Says in one sentence what is wrong and what is allowed. Exit code 2. */
export class DrillRefused extends Data.TaggedError("DrillRefused")<{ readonly message: string }> {
  readonly [ExitCode.symbol] = ExitCode.invalid
}
