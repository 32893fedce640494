import { execFileSync } from "node:child_process"
import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import * as CommandLine from "../../src/drill/CommandLine.js"

const argvOf = (text: string): string | ReadonlyArray<string> => {
  const parsed = CommandLine.parse(text)
  return typeof parsed === "string" ? parsed : parsed.argv
}

describe("CommandLine.parse", () => {
  it.each<[string, ReadonlyArray<string>]>([
    ["node server.js", ["node", "server.js"]],
    ["  node \t server.js\n", ["node", "server.js"]],
    [`'/opt/my node' "a b" c\\ d ''`, ["/opt/my node", "a b", "c d", ""]],
    [`sh -c 'exec "$NODE" | tee "a;b"'`, ["sh", "-c", 'exec "$NODE" | tee "a;b"']],
    [`a"b"'c'd`, ["abcd"]],
    [`x "a\\"b\\\\c\\d"`, ["x", 'a"b\\c\\d']],
    ["java -Xmx1g -Da=b app.jar", ["java", "-Xmx1g", "-Da=b", "app.jar"]]
  ])("%j", (text, argv) => {
    assert.deepStrictEqual(argvOf(text), argv)
  })

  it("takes assignments in front of the program for environment", () => {
    assert.deepStrictEqual(CommandLine.parse("PORT=80 MODE='a b' node x=y"), {
      argv: ["node", "x=y"],
      env: { PORT: "80", MODE: "a b" }
    })
  })

  it.each([
    ["", /names no program/],
    ["A=1", /names no program/],
    ["node 'x", /not closed/],
    ['node "x', /not closed/],
    ["node x\\", /backslash/],
    ["node x && rm y", /"&" in the command needs a shell/],
    ["node $HOME/x", /"\$"/],
    ["node *.js", /"\*"/]
  ])("refuses %j", (text, message) => {
    const parsed = CommandLine.parse(text)
    assert.match(typeof parsed === "string" ? parsed : "", message)
  })

  it("splits as a shell does", () => {
    const word = fc.stringOf(fc.constantFrom("a", "b", " ", "'", '"', "\\", "=", "é"), { maxLength: 8 })
    const cases: Array<string> = []
    fc.assert(
      fc.property(word, (text) => {
        if (typeof CommandLine.parse(`x ${text}`) !== "string") cases.push(text)
      }),
      { numRuns: 300 }
    )
    const script = cases.map((text) => `printf '%s\\0' x ${text}; printf '\\1'`).join("\n")
    const said = execFileSync("sh", ["-c", script], { encoding: "utf8" }).split("\u0001").slice(0, -1)
    assert.lengthOf(said, cases.length)
    said.forEach((line, i) => {
      assert.deepStrictEqual(argvOf(`x ${cases[i]}`), line.split("\0").slice(0, -1), JSON.stringify(cases[i]))
    })
  })
})
