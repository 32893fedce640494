/**
 * A drill's report for machines: what `DrillReport.Json` reads.
 *
 * @module
 */
import * as Schema from "effect/Schema"
import { DrillReport } from "../DrillReport.js"

const encode = Schema.encodeSync(DrillReport)

/** JSON with a line for each value, so that two reports can be compared with `diff`. Ends without a line end. */
export const render = (report: DrillReport): string => JSON.stringify(encode(report), null, 1)
