/** The loads, in the order in which they take turns. */
import type { Scenario } from "../Scenario.js"
import * as Arrivals from "./Arrivals.js"
import * as Bodies from "./Bodies.js"
import * as KeptAlive from "./KeptAlive.js"

/** Plain traffic around the signal; single situations are apart. */
export const all: ReadonlyArray<Scenario> = [
  KeptAlive.busy,
  KeptAlive.thoughtful,
  Arrivals.newConnections,
  KeptAlive.slow,
  KeptAlive.pipelined,
  Arrivals.postAtClosing,
  Bodies.uploads,
  Bodies.streams,
  Arrivals.blocked,
  Bodies.everything
]
