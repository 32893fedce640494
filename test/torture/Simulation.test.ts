/** Thousands of simulated stops; ten thousand in the long form. `npm run simulate -- --runs 1000000 --seed N` goes on from there. */
import { assert, describe, it } from "@effect/vitest"
import { execFile } from "node:child_process"
import { constants, setPriority } from "node:os"
import { promisify } from "node:util"

const runs = process.env.TORTURE === "long" ? "10000" : "2000"

describe("laws 1 to 6 and 9 in simulated lives", () => {
  it(`hold in ${runs} random ones`, async () => {
    // Awaited, not waited for: a worker that is silent for a minute is taken for dead by the runner.
    const run = promisify(execFile)(
      process.execPath,
      ["--import", "tsx", ".scripts/simulate.ts", "--regressions", "--runs", runs, "--seed", "100000"],
      { encoding: "utf8", timeout: 240_000 }
    )
    // It needs only a processor, and what else is tested meanwhile must not wait for one.
    setPriority(run.child.pid!, constants.priority.PRIORITY_LOW)
    const failed = await run.then(
      ({ stdout }) => (console.log(stdout.trim()), undefined),
      (error: { readonly stdout?: string; readonly stderr?: string }) =>
        `${error.stdout}${error.stderr}` || String(error)
    )
    assert.isUndefined(failed)
  }, 300_000)
})
