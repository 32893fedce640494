/** What can be said of the image without building it; that it works is for test/torture/Image.test.ts. */
import { assert, describe, it } from "@effect/vitest"
import { validate } from "dockerfile-utils"
import { existsSync, readFileSync } from "node:fs"
import * as Dockerfile from "./support/Dockerfile.js"
import * as Shipped from "./support/Shipped.js"

const text = Dockerfile.text()
const stages = Dockerfile.stages(text)
const last = stages.at(-1)!
const of = (keyword: string, stage = last) =>
  stage.filter((instruction) => instruction.keyword === keyword).map((instruction) => instruction.text)

describe("the Dockerfile", () => {
  it("has no fault that a linter finds", () => {
    assert.deepStrictEqual(
      validate(text).map(({ message, range }) => `line ${range.start.line + 1}: ${message}`),
      []
    )
  })

  it("builds in one stage and runs in another, on a base that can be chosen and is no moving target", () => {
    assert.lengthOf(stages, 2)
    assert.deepStrictEqual(
      stages.map((stage) => of("FROM", stage)),
      [["${BASE_IMAGE} AS build"], ["${BASE_IMAGE}"]]
    )
    const [standard] = Dockerfile.instructions(text)
    assert.match(standard!.text, /^BASE_IMAGE=node:\d+-bookworm-slim$/)
    assert.notMatch(text, /:latest\b/)
  })

  it("makes node process 1, with no shell and no npm before it", () => {
    const program = ["node", "/app/dist/bin/stellar-insights.mjs"]
    assert.deepStrictEqual(of("ENTRYPOINT").map(Dockerfile.execForm), [program])
    assert.deepStrictEqual(of("CMD").map(Dockerfile.execForm), [["serve"]])
    assert.deepStrictEqual(of("STOPSIGNAL"), ["SIGTERM"])
    assert.deepStrictEqual(of("SHELL"), [])
    const [health] = of("HEALTHCHECK")
    const command = /CMD (.*)$/.exec(health!)
    assert.deepStrictEqual(Dockerfile.execForm(command![1]!), [...program, "health"])
  })

  it("asks for its health with more patience than the health command, and first when a start must be over", () => {
    const [health] = of("HEALTHCHECK")
    const flag = (name: string) => Shipped.millis(new RegExp(`--${name}=(\\S+)`).exec(health!)![1]!)
    assert.isAbove(flag("timeout"), 5000)
    assert.isAbove(flag("start-period"), 60_000)
  })

  it("runs as a user who is not root, given as a number, who owns the volume and nothing else", () => {
    const [user] = of("USER")
    assert.match(user!, /^[1-9]\d*:[1-9]\d*$/)
    assert.deepStrictEqual(of("VOLUME").map(Dockerfile.execForm), [["/data"]])
    assert.deepStrictEqual(of("RUN"), [`mkdir /data && chown ${user} /data`])
    assert.isFalse(of("COPY").some((copy) => copy.includes("--chown")))
    // What is made for the volume after it was declared is thrown away.
    const order = last.map(({ keyword }) => keyword)
    assert.isBelow(order.indexOf("RUN"), order.indexOf("VOLUME"))
    assert.strictEqual(Dockerfile.environment()["DATABASE_URL"], "sqlite:/data/insights.db")
  })

  it("takes over what was assembled, and nothing from the build's own folder", () => {
    assert.deepStrictEqual(of("COPY"), ["--from=build /app /app"])
    assert.deepStrictEqual(of("ADD"), [])
  })

  it("installs exactly what the lock file says, and lets no package run a script", () => {
    const runs = of("RUN", stages[0])
    assert.include(runs, "npm ci --ignore-scripts")
    assert.isFalse(runs.some((run) => /npm (i|install)\b/.test(run)))
  })

  it("holds no address of a registry and no secret", () => {
    assert.notMatch(text, /https?:|registry|token|password/i)
  })
})

describe("what an image is built from", () => {
  const lines = readFileSync(".dockerignore", "utf8")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))

  it("is listed, and everything else is left out", () => {
    assert.strictEqual(lines[0], "*")
    for (const line of lines.slice(1)) assert.isTrue(line.startsWith("!") && existsSync(line.slice(1)), line)
  })

  it("is all that the build needs, and holds no secret", () => {
    const listed = lines.slice(1).map((line) => line.slice(1))
    const copied = of("COPY", stages[0]).flatMap((copy) => copy.split(" ").slice(0, -1))
    const needed = [...copied.filter((file) => file !== "."), "src", ".scripts", "deploy/docker"]
    for (const file of needed) assert.include(listed, file)
    for (const file of [".env", ".git", "data", "node_modules"]) assert.notInclude(listed, file)
  })

  // A package that the bundle leaves out has to be put into the image: deploy/docker/assemble.mjs knows of the SQLite driver only.
  it("ends in a bundle with everything in it", () => {
    assert.notMatch(readFileSync(".scripts/bundle.mjs", "utf8"), /\b(external|packages)\s*:/)
  })
})
