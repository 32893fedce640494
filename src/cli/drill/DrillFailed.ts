/** The drill was carried out, and its verdict is bad. */
import * as Data from "effect/Data"
import * as ExitCode from "../../lifecycle/ExitCode.js"

/** Something was lost, or an expectation was not met. All that there is to say has been printed. Exit code 1. */
export class DrillFailed extends Data.TaggedError("DrillFailed") {
  readonly [ExitCode.symbol] = ExitCode.failed
}
