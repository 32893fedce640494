import { afterEach, assert, describe, it } from "@effect/vitest"
import { chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import * as Child from "./Child.js"
import * as Installed from "./Installed.js"

afterEach(Child.clear)

const here = process.env.PATH ?? ""

/** A folder with an `apt-get` that notes what it is asked, and on `install` runs `does`. */
const place = (does: string) => {
  const folder = Child.folder()
  const asked = join(folder, "asked")
  const apt = join(folder, "apt-get")
  writeFileSync(
    apt,
    `#!/bin/sh\necho "$@" >> ${asked}\ncase "$*" in *install*)\nsleep 0.1\n${does}\necho done;; esac\n`
  )
  chmodSync(apt, 0o755)
  return {
    place: { path: `${folder}:${here}`, mayInstall: true, lock: join(folder, "lock") },
    program: join(folder, "some-tool"),
    asked: () => (existsSync(asked) ? readFileSync(asked, "utf8").trim().split("\n") : [])
  }
}

describe.skipIf(process.platform !== "linux")("programs that tests need (on Linux)", () => {
  it("what is on the path is used as it is", async () => {
    const tool = await Installed.tool("sh", "dash")
    assert.match(tool.path ?? "", /^\/.*\/sh$/)
    assert.strictEqual(tool.note, "")
  })

  it("what is missing is installed once, however many ask", async () => {
    const {
      asked,
      place: where,
      program
    } = place(`touch $(dirname $0)/some-tool; chmod +x $(dirname $0)/some-tool`)
    const tools = await Promise.all([1, 2, 3].map(() => Installed.toolIn(where, "some-tool", "some-package")))
    for (const tool of tools) assert.deepStrictEqual(tool, { path: program, note: "" })
    assert.deepStrictEqual(
      asked().map((line) => line.includes("install") && line.endsWith(" some-package")),
      [false, true]
    )
  })

  it("where nothing may be installed, the note says what to do", async () => {
    const { asked, place: where } = place("")
    const tool = await Installed.toolIn({ ...where, mayInstall: false }, "some-tool", "some-package")
    assert.isUndefined(tool.path)
    assert.match(tool.note, /no some-tool: apt-get install some-package/)
    assert.deepStrictEqual(asked(), [])
  })

  it("an installation that fails, and a package without the program, are told", async () => {
    const failing = await Installed.toolIn(
      place("echo no such package >&2; exit 100").place,
      "some-tool",
      "x"
    )
    assert.isUndefined(failing.path)
    assert.include(failing.note, "failed: no such package")
    const without = await Installed.toolIn(place("").place, "some-tool", "x")
    assert.include(without.note, "the program is not in it")
  })
})
