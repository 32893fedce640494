/** Ten thousand simulated stops. `npm run simulate -- --runs 1000000 --seed N` goes on from there. */
import { assert, describe, it } from "@effect/vitest"
import { spawnSync } from "node:child_process"

describe("laws 1 to 6 and 9 in simulated lives", () => {
  it("hold in 10,000 random ones", () => {
    const { status, stderr, stdout } = spawnSync(
      process.execPath,
      ["--import", "tsx", ".scripts/simulate.ts", "--regressions", "--runs", "10000", "--seed", "100000"],
      { encoding: "utf8", timeout: 240_000 }
    )
    console.log(stdout.trim())
    assert.strictEqual(status, 0, `${stdout}${stderr}`)
  }, 300_000)
})
