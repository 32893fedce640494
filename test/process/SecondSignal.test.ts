import { afterEach, assert, describe, it } from "@effect/vitest"
import { spawnSync } from "node:child_process"
import { writeFileSync } from "node:fs"
import { join, resolve } from "node:path"
import { stripVTControlCharacters } from "node:util"
import * as Child from "../support/Child.js"

afterEach(Child.clear)

/** Law 5: all that is left shares a second; a fifth of one is the machine's. */
const hurriedMillis = 1200

const pause = (millis: number) => new Promise((resolve) => setTimeout(resolve, millis))

/** A service that has half a minute to drain, and was told to stop a second before. */
const draining = async (knob: string, first: NodeJS.Signals = "SIGTERM") => {
  const child = Child.start(await Child.program("guarded.ts"), { KNOB: knob })
  await child.says(/\bready\b/)
  child.kill(first)
  await child.says(knob === "hang" ? /phase releasing/ : /phase draining/)
  await pause(400)
  return child
}

const assertForced = async (child: Child.Child, since: number, open: RegExp) => {
  const end = await child.end
  assert.deepInclude(end, { code: 3, signal: null }, `${child.stdout()}${child.stderr()}`)
  assert.isBelow(performance.now() - since, hurriedMillis)
  assert.match(child.stdout(), open)
}

describe("law 5: a second signal", () => {
  it.each([
    ["SIGTERM", "SIGTERM"],
    ["SIGTERM", "SIGINT"],
    ["SIGHUP", "SIGTERM"],
    ["SIGINT", "SIGINT"]
  ] as const)(
    "scenario 8: %s, then %s, in a 30 s drain: code 3, what was open is listed",
    async (first, second) => {
      const child = await draining("slow", first)
      const since = performance.now()
      child.kill(second)
      await assertForced(child, since, /second signal[\s\S]*open.*worker \(quiesce\)[\s\S]*database/)
      assert.include(child.stdout(), "database closed")
    }
  )

  it("a release that never ends and a leaked handle do not stretch it", async () => {
    const child = Child.start(await Child.program("guarded.ts"), { KNOB: "hang", LIMIT: "20" })
    await child.says(/\bready\b/)
    // Not one of those after which NodeRuntime.runMain ends the process itself.
    child.kill("SIGHUP")
    await child.says(/phase releasing/)
    await pause(400)
    const since = performance.now()
    child.kill("SIGHUP")
    await assertForced(child, since, /second signal[\s\S]*database/)
    assert.match(child.stderr(), /left open: Timeout/)
  })

  it("fifty in a row, in the drain, do no worse", async () => {
    const child = await draining("slow")
    const since = performance.now()
    for (let i = 0; i < 50; i++) {
      child.kill(i % 3 === 0 ? "SIGINT" : "SIGTERM")
      await pause(10)
    }
    await assertForced(child, since, /worker \(quiesce\)/)
    assert.lengthOf(child.stdout().match(/second signal/g) ?? [], 1)
    assert.lengthOf(child.stdout().match(/database closed/g) ?? [], 1)
  })

  it("fifty in a row, the first among them, do no worse: the echo is one", async () => {
    const child = Child.start(await Child.program("guarded.ts"), { KNOB: "slow" })
    await child.says(/\bready\b/)
    const since = performance.now()
    for (let i = 0; i < 50; i++) {
      child.kill("SIGTERM")
      await pause(5)
    }
    await assertForced(child, since, /worker \(quiesce\)/)
    assert.lengthOf(child.stdout().match(/database closed/g) ?? [], 1)
  })
})

/** Runs npm in a terminal of its own and types Ctrl+C once the service is ready. `exec`: with the shell between them, the service would not get npm's own. */
const typed = async (knob: string, ...npm: ReadonlyArray<string>) => {
  const cwd = Child.folder()
  const [program] = await Child.program("guarded.ts")
  writeFileSync(
    join(cwd, "package.json"),
    JSON.stringify({
      name: "typed",
      version: "1.0.0",
      scripts: { start: `exec node ${program}`, nested: "exec npm start" }
    })
  )
  return Child.start(
    [resolve(import.meta.dirname, "programs/terminal.py"), "service_ready", "npm", ...npm],
    { KNOB: knob },
    cwd,
    "python3"
  )
}

const canType = spawnSync("python3", ["-c", "import pty, os; os.waitstatus_to_exitcode"]).status === 0

describe.skipIf(!canType)("Ctrl+C in a terminal under npm start (needs python3 for the terminal)", () => {
  it("is one signal, though npm passes on what the terminal has sent to all", async () => {
    const child = await typed("none", "start")
    await child.says(/shutdown completed/)
    await child.end
    const said = stripVTControlCharacters(child.stdout())
    assert.notInclude(said, "second signal")
    assert.match(said, /exit_code: 0/)
  })

  it.each([[["start"]], [["run", "nested"]]])(
    "is one signal also while the drain goes on: npm %j",
    async (npm) => {
      const child = await typed("slow", ...npm)
      await child.says(/phase draining/)
      await pause(700)
      assert.notInclude(child.stdout(), "second signal")
    }
  )
})
