import { afterAll, assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { readdirSync, readFileSync, writeFileSync } from "node:fs"
import { createServer } from "node:net"
import { join, resolve } from "node:path"
import * as Drill from "../../src/cli/Drill.js"
import * as RunDrill from "../../src/cli/drill/RunDrill.js"
import * as DrillReport from "../../src/drill/DrillReport.js"
import * as ExitCode from "../../src/lifecycle/ExitCode.js"
import * as Child from "../support/Child.js"

// They run side by side: what one has left over is cleared when all are done.
afterAll(Child.clear)

const server = resolve(import.meta.dirname, "../drill/servers-situation/wrong.mjs")
const command = (fault: string) => `${process.execPath} ${server} ${fault}`
const paths = ["--fast", "/fast", "--slow", "/slow?ms={ms}", "--ready", "/ready"]

const drill = (args: ReadonlyArray<string>, env?: Record<string, string>, cwd?: string) =>
  Child.start([Child.bin, "drill", ...args], env, cwd)

/** Command lines of the processes that name `text`. */
const running = (text: string): ReadonlyArray<string> =>
  readdirSync("/proc")
    .filter((pid) => /^\d+$/.test(pid) && pid !== String(process.pid))
    .flatMap((pid) => {
      try {
        return [readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ")]
      } catch {
        return []
      }
    })
    .filter((line) => line.includes(text))

const read = (text: string) => Effect.runPromise(Schema.decodeUnknown(DrillReport.Json)(text))

describe.concurrent("stellar-insights drill", () => {
  it("passes a service that stops right: 0, a table, and the report in every form", async () => {
    const child = drill([
      "--command",
      command("none"),
      ...paths,
      "--scenario",
      "late-request",
      "--stops",
      "2",
      "--seed",
      "9",
      "--name",
      "right",
      "--report",
      "a.html",
      "--report",
      "a.json",
      "--report",
      "a.txt"
    ])
    assert.strictEqual((await child.end).code, 0, child.stderr())
    assert.match(child.stdout(), /PASSED\. Nothing was lost: 2 stops of 1 scenario, \d+ requests/)
    assert.match(child.stderr(), /^2 stops, seed 9\nok {3}late-request #1: .*\nok {3}late-request #2: /)
    const file = (name: string) => readFileSync(join(child.folder, name), "utf8")
    const report = await read(file("a.json"))
    assert.isTrue(report.verdict.passed)
    assert.strictEqual(report.seed, 9)
    assert.include(file("a.html"), "<title>right: passed</title>")
    assert.strictEqual(file("a.txt"), child.stdout())
  })

  it("fails one that loses requests: 1, the list, and nothing but JSON where that is asked for", async () => {
    const child = drill([
      "--command",
      command("cuts-busy"),
      ...paths,
      "--scenario",
      "late-request",
      "--stops",
      "1",
      "--report",
      "-"
    ])
    assert.strictEqual((await child.end).code, 1, child.stderr())
    const report = await read(child.stdout())
    assert.isFalse(report.verdict.passed)
    assert.isAbove(report.verdict.lost.length, 0)
    assert.match(child.stderr(), /FAILED\. \d+ requests? (was|were) lost/)
    assert.match(child.stderr(), /stop 1: GET \/slow (dropped|cut) by /)
  })

  it("takes its settings from a file, over which the command line wins", async () => {
    const folder = Child.folder()
    writeFileSync(
      join(folder, "drill.toml"),
      `command = "${command("none")}"\nfast = "/fast"\nready = "/ready"\nscenario = "idle-connections"\nstops = 7\n`
    )
    const child = drill(["--file", "drill.toml", "--stops", "1"], {}, folder)
    assert.strictEqual((await child.end).code, 0, child.stderr())
    assert.match(child.stdout(), /1 stop of 1 scenario/)
  })

  it("leaves no process behind when it is interrupted, and says so by 130", async () => {
    const mark = `none mark-${process.pid}-${Date.now()}`
    const child = drill(["--command", command(mark), ...paths, "--stops", "50", "--report", "never.html"])
    await child.says(/ok {3}\S+ #1/)
    while (running(mark).length < 2) await new Promise((wait) => setTimeout(wait, 5))
    child.kill("SIGINT")
    assert.strictEqual((await child.end).code, 130)
    assert.deepStrictEqual(running(mark), [])
    assert.deepStrictEqual(readdirSync(child.folder), [])
  })

  it("drills this service itself when it is told of none", async () => {
    // What lies in the working directory is none of its business.
    const folder = Child.folder()
    writeFileSync(join(folder, ".env"), "SERVER_PORT=nonsense\n")
    const child = drill(["--scenario", "late-request", "--stops", "1", "--report", "self.json"], {}, folder)
    assert.strictEqual((await child.end).code, 0, child.stderr() + child.stdout())
    const report = await read(readFileSync(join(folder, "self.json"), "utf8"))
    assert.strictEqual(report.name, "stellar-insights serve")
    const [stop] = report.stops
    assert.includeMembers(
      (stop?.steps ?? []).map(({ name }) => name),
      ["draining", "http", "database"]
    )
    assert.deepStrictEqual(readdirSync(folder).toSorted(), [".env", "self.json"])
  })

  it("prints a help of its own, and the scenarios with what they need", async () => {
    const help = drill(["--help"])
    assert.strictEqual((await help.end).code, 0)
    assert.match(
      help.stdout(),
      /^Stop a service again and again[^]*--command COMMAND[^]*Exit code: 0 nothing/
    )
    const list = drill(["--list"])
    assert.strictEqual((await list.end).code, 0)
    assert.match(list.stdout(), /^late-request\n {4}.*\n {4}needs --slow; covers 2, 13 of the catalogue$/m)
  })
})

/** As the program does it, but in this process: what `args` are refused with. */
const refusal = (args: ReadonlyArray<string>) => {
  const flags = new Map<string, ReadonlyArray<string>>()
  for (let i = 0; i < args.length; i += 2) flags.set(args[i]!.slice(2), [args[i + 1]!])
  const run = Effect.suspend(() => RunDrill.run(flags, { listen: () => undefined }))
  return Drill.before(["drill", ...args], run).pipe(
    Effect.flip,
    Effect.map((error) => {
      assert.strictEqual(ExitCode.ofCause(Cause.fail(error)), 2)
      return (error as Error).message
    })
  )
}

describe.concurrent("a drill that cannot begin says why, and ends with 2", () => {
  it("in one line", async () => {
    const child = drill(["--bogus"])
    assert.strictEqual((await child.end).code, 2)
    assert.strictEqual(
      child.stderr(),
      "stellar-insights: there is no option --bogus; see stellar-insights drill --help\n"
    )
    assert.strictEqual(child.stdout(), "")
  })

  it.effect.each([
    [["--url"], /^--url needs a value: --url URL; see stellar-insights drill --help$/],
    [["--stops", "--list"], /^--stops needs a value/],
    [["server.js"], /^"server.js" is no option/],
    [["--stops", "none"], /^--stops: "none" is not a whole number from 1 to 100000$/],
    [["--file", "none.toml"], /^--file none.toml: ENOENT/],
    [["--report", "no/such/folder/a.html"], /^--report no\/such\/folder\/a.html: ENOENT/],
    [["--command", "true", "--url", "http://192.0.2.1:80"], /^192.0.2.1 is not this machine/],
    [["--command", "true", "--url", "localhost"], /^"localhost" is no url/],
    [["--command", "cat | cat"], /^"\|" in the command needs a shell/],
    [["--command", "true", "--fast", "fast"], /^the path for fast must begin with \//],
    [["--command", "/no/such/program"], /\/no\/such\/program/],
    [
      ["--command", `${process.execPath} -e 'console.error("no database"); process.exit(7)'`],
      /ended before it was ready, code 7[^]*no database/
    ],
    [["--command", "sleep 60", "--start-timeout", "300ms"], /^sleep 60 was not ready within 300 ms/]
  ] as ReadonlyArray<readonly [ReadonlyArray<string>, RegExp]>)("%j", ([args, message]) =>
    Effect.map(refusal(args), (said) => assert.match(said, message))
  )

  it.effect("also when somebody else has the port", () =>
    Effect.gen(function* () {
      const other = createServer()
      yield* Effect.promise(() => new Promise<void>((ready) => other.listen(0, "127.0.0.1", ready)))
      const { port } = other.address() as { port: number }
      const said = yield* refusal(["--command", command("none"), "--url", `http://127.0.0.1:${port}`])
      assert.strictEqual(said, `somebody listens on port ${port} already`)
      other.close()
    })
  )
})
