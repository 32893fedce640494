/** The TypeScript of the pages works as it stands there. That it has the right types is checked with the packed package (test/package/consumer). */
import { afterAll, assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import { build } from "esbuild"
import { mkdirSync, rmSync, writeFileSync } from "node:fs"
import { resolve } from "node:path"
import { pathToFileURL } from "node:url"
import * as Pages from "./Pages.js"

/** Beside the program, where packages are found. */
const folder = resolve(`dist/test/examples-${process.pid}`)

afterAll(() => rmSync(folder, { recursive: true, force: true }))

const examples = Pages.all.flatMap(({ file, text }) =>
  [...text.matchAll(/^```ts\n([\s\S]*?)^```/gm)].map(([, code], i) => ({ file, nth: i + 1, code: code! }))
)

/** What an example exports. */
const load = async (name: string, code: string): Promise<Record<string, unknown>> => {
  mkdirSync(folder, { recursive: true })
  const entry = resolve(folder, `${name}.ts`)
  writeFileSync(entry, code)
  const outfile = resolve(folder, `${name}.mjs`)
  await build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node20",
    packages: "external",
    // As the package's exports map has it.
    alias: Object.fromEntries(
      ["lifecycle", "http", "realtime", "lease", "redis", "cache", "client"].map((entry) => [
        `stellar-insights/${entry}`,
        resolve(`src/${entry}/index.ts`)
      ])
    ),
    logLevel: "warning"
  })
  return (await import(pathToFileURL(outfile).href)) as Record<string, unknown>
}

describe("the examples of the pages", () => {
  it("are there", () => {
    assert.isAbove(examples.length, 8)
  })

  // One that runs a program would run it here, and one for browsers needs one.
  const harmless = examples.filter(({ code }) => !/runMain|sessionStorage|document\./.test(code))
  it.each(harmless)(
    "$file, number $nth, is made of what there is, and does what it says",
    async (example) => {
      const { test } = await load(`${example.file.replaceAll(/\W/g, "-")}-${example.nth}`, example.code)
      if (test === undefined) return
      const quiet = Logger.withMinimumLogLevel(test as Effect.Effect<boolean>, LogLevel.None)
      assert.isTrue(await Effect.runPromise(quiet))
    }
  )
})
