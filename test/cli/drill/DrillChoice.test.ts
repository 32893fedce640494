import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as DrillChoice from "../../../src/cli/drill/DrillChoice.js"
import * as DrillFile from "../../../src/cli/drill/DrillFile.js"
import * as DrillHelp from "../../../src/cli/drill/DrillHelp.js"
import { settings } from "../../../src/cli/drill/DrillSettings.js"
import type { Scenario } from "../../../src/drill/Scenario.js"

const scenario = (id: string): Scenario => ({
  id,
  title: id,
  scenarios: [],
  needs: [],
  run: () => Promise.resolve()
})
const scenarios = [scenario("idle"), scenario("late")]

const choose = (given: Record<string, ReadonlyArray<string>>) =>
  DrillChoice.make(new Map(Object.entries(given)), scenarios)
const refusal = (given: Record<string, ReadonlyArray<string>>) =>
  Effect.map(Effect.flip(choose(given)), ({ message }) => message)

describe("what is asked of a drill", () => {
  it.effect("is this service, with every scenario, where nothing is said", () =>
    Effect.gen(function* () {
      const { course, reports, service } = yield* choose({})
      assert.isUndefined(service)
      assert.deepStrictEqual(course, { scenarios })
      assert.deepStrictEqual(reports, [])
    })
  )

  it.effect("takes every setting", () =>
    Effect.gen(function* () {
      const { course, reports, service } = yield* choose({
        command: ["node server.js"],
        url: ["http://127.0.0.1:8080"],
        fast: ["/f"],
        slow: ["/s?ms={ms}"],
        ws: ["/ws"],
        ready: ["/r"],
        scenario: ["late"],
        stops: ["50"],
        signal: ["SIGINT"],
        grace: ["1.5s"],
        "short-grace": ["500ms"],
        "short-grace-env": ["LIMIT=0.5", "EMPTY="],
        exit: ["0", "143", "SIGTERM"],
        connections: ["8"],
        report: ["a.html", "-"],
        duration: ["2min"],
        "start-timeout": ["10"],
        seed: ["0"],
        env: ["A=b=c"],
        cwd: ["/srv"],
        name: ["shop"],
        "allow-remote": ["true"]
      })
      assert.deepStrictEqual(service, {
        command: "node server.js",
        url: "http://127.0.0.1:8080",
        targets: { fast: "/f", slow: "/s?ms={ms}", ws: "/ws", ready: "/r" },
        cwd: "/srv",
        exits: [0, 143, "SIGTERM"],
        allowRemote: true,
        shortGrace: { graceMillis: 500, env: { LIMIT: "0.5", EMPTY: "" } }
      })
      assert.deepStrictEqual(course, {
        scenarios: [scenarios[1]!],
        stops: 50,
        signal: "SIGINT",
        graceMillis: 1500,
        connections: 8,
        seed: 0,
        mostMillis: 120_000,
        startMillis: 10_000,
        env: { A: "b=c" },
        name: "shop"
      })
      assert.deepStrictEqual(reports, ["a.html", "-"])
    })
  )

  it.effect("a service is asked at / on a port that the drill picks, where only its command is said", () =>
    Effect.gen(function* () {
      const { service } = yield* choose({ command: ["./serve"] })
      assert.deepStrictEqual(service, {
        command: "./serve",
        url: "http://127.0.0.1:0",
        targets: { fast: "/" }
      })
    })
  )

  it.effect.each([
    [{ stops: ["0"] }, '--stops: "0" is not a whole number from 1 to 100000'],
    [{ stops: ["1e3"] }, '--stops: "1e3" is not a whole number'],
    [{ seed: ["4294967296"] }, '--seed: "4294967296" is not a whole number from 0 to 4294967295'],
    [{ grace: ["soon"] }, '--grace: "soon" is not a time; allowed is 1ms to 1h, as 30s, 500ms or 2min'],
    [{ grace: ["-1s"] }, '--grace: "-1s" is not a time'],
    [{ grace: ["0"] }, '--grace: "0" is not a time'],
    [{ duration: ["25h"] }, '--duration: "25h" is not a time; allowed is 1ms to 24h'],
    [{ signal: ["TERM"] }, '--signal: there is no signal "TERM"'],
    [{ exit: ["SIGNOPE"], command: ["x"] }, '--exit: there is no signal "SIGNOPE"'],
    [{ scenario: ["lat"] }, '--scenario: there is no "lat"; allowed are idle, late'],
    [
      { report: ["out.pdf"] },
      '--report: "out.pdf" does not say its form; allowed are .html, .json, .txt and -'
    ],
    [{ env: ["A"] }, '--env: "A" is not of the form NAME=value'],
    [{ fast: ["/"] }, "--fast says something of a service that is started with --command, which is missing"],
    [{ url: ["http://127.0.0.1:1"] }, "--url says something of a service"],
    [
      { command: ["x"], "short-grace": ["1s"] },
      "--short-grace and --short-grace-env are of use only together"
    ]
  ] as ReadonlyArray<readonly [Record<string, ReadonlyArray<string>>, string]>)(
    "%j is refused",
    ([given, message]) => Effect.map(refusal(given), (found) => assert.include(found, message))
  )

  it.effect("all mistakes are told at once", () =>
    Effect.map(refusal({ stops: ["x"], grace: ["y"], seed: ["z"] }), (message) =>
      assert.deepStrictEqual(
        message.split("\n").map((line) => line.trim().split(":")[0]),
        ["--stops", "--seed", "--grace"].toSorted((a, b) => message.indexOf(a) - message.indexOf(b))
      )
    )
  )
})

describe("the file of a drill", () => {
  const read = (text: string) => Object.fromEntries(DrillFile.read("drill.toml", text))

  it("has the names of the command line", () => {
    assert.deepStrictEqual(
      read(
        'command = "node server.js"\nstops = 50\nscenario = ["idle", "late"]\nexit = [0, "SIGTERM"]\nallow-remote = false\nreport = "a.html"\n[env]\nA = "b"\nN = 1'
      ),
      {
        command: ["node server.js"],
        stops: ["50"],
        scenario: ["idle", "late"],
        exit: ["0", "SIGTERM"],
        "allow-remote": ["false"],
        report: ["a.html"],
        env: ["A=b", "N=1"]
      }
    )
  })

  it.each([
    ["stop = 50", 'drill.toml: there is no setting "stop"; allowed are command, url, '],
    ['file = "x.toml"', 'there is no setting "file"'],
    ["list = true", 'there is no setting "list"'],
    ["stops = [50]", "drill.toml: stops must be a text or a number"],
    ["stops = true", "stops must be a text or a number"],
    ["grace = 2026-01-01", "grace must be a text or a number"],
    ['env = ["A=b"]', 'env must be a table of texts, { NAME = "value" }'],
    ["scenario = [[1]]", "scenario must be a text or an array of texts"],
    ['allow-remote = "yes"', "allow-remote must be true or false"],
    ["stops = ", "drill.toml: not TOML at line 1"]
  ])("%j is refused", (text, message) => {
    try {
      read(text)
    } catch (error) {
      return assert.include((error as Error).message, message)
    }
    return assert.fail("it was accepted")
  })

  it.effect("that is not there is refused by its name", () =>
    Effect.gen(function* () {
      const { message } = yield* Effect.flip(DrillFile.load("/nowhere/drill.toml"))
      assert.include(message, "--file /nowhere/drill.toml: ENOENT")
    })
  )
})

describe("the help of a drill", () => {
  it("names every setting, in lines that fit", () => {
    for (const { name } of settings) assert.match(DrillHelp.text, new RegExp(`^  --${name}( |$)`, "m"))
    for (const line of DrillHelp.text.split("\n")) assert.isAtMost(line.length, 120, line)
  })
})
