// `npm test`. What needs only processors (unit) runs at the lowest priority beside what waits for sockets and other programs (programs, live), and takes what that
// leaves; drills come when nothing else runs. With arguments it is one `vitest run` with them.
import { spawn } from "node:child_process"
import { constants, setPriority } from "node:os"
import { createRequire } from "node:module"
import { dirname, join } from "node:path"

const vitest = join(dirname(createRequire(import.meta.url).resolve("vitest/package.json")), "vitest.mjs")

const children = new Set()
let isOver = false

/** Runs vitest and gives its code; `yields` to everybody else, with its output in one piece at the end. */
const run = (args, yields = false) =>
  new Promise((resolve) => {
    if (isOver) return resolve(1)
    const env = process.stdout.isTTY ? { ...process.env, FORCE_COLOR: "1" } : process.env
    const stdio = yields ? ["ignore", "pipe", "pipe"] : ["ignore", "inherit", "inherit"]
    const child = spawn(process.execPath, [vitest, "run", ...args], { env, stdio })
    children.add(child)
    const said = []
    child.stdout?.on("data", (data) => said.push(data))
    child.stderr?.on("data", (data) => said.push(data))
    // Before it has children of its own, which have the priority that it has then.
    if (yields) setPriority(child.pid, constants.priority.PRIORITY_LOW)
    child.on("close", (code) => {
      children.delete(child)
      if (said.length > 0) process.stdout.write(Buffer.concat(said))
      resolve(code ?? 1)
    })
  })

for (const signal of ["SIGINT", "SIGTERM"]) {
  process.on(signal, () => {
    isOver = true
    // The one that it takes its workers along at.
    for (const child of children) child.kill("SIGINT")
  })
}

const args = process.argv.slice(2)
if (args.length > 0) process.exitCode = await run(args)
else {
  const unit = run(["--project", "unit"], true)
  const live = await run(["--project", "programs", "--project", "live"])
  const codes = [live, await unit, await run(["--project", "drill"])]
  process.exitCode = codes.find((code) => code !== 0) ?? 0
}
