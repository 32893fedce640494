/**
 * The commands that the pages show do what the pages say. A block that begins with ```sh run is run by a shell, beside a service of its own; localhost:8080 is
 * where that listens.
 */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { delimiter, join } from "node:path"
import * as Generate from "../../.scripts/generate-configuration.js"
import * as Pages from "../docs/Pages.js"
import * as Child from "../support/Child.js"
import * as Installed from "../support/Installed.js"

// They run side by side: what one has left over is cleared when all are done.
afterAll(Child.clear)

const adminKey = "0123456789abcdef0123"

const blocks = Pages.all.flatMap(({ file, text }) =>
  [...text.matchAll(/^( *)```sh run\n([\s\S]*?)^ *```/gm)].map(([, indent, block], i) => ({
    file,
    nth: i + 1,
    script: block!.replaceAll(new RegExp(`^${indent}`, "gm"), "")
  }))
)

/** The service of the blocks, and a folder with `stellar-insights` as the installed package puts it on the path. */
let service: Child.Child
let url = ""
const programs = Child.folder()

/** A shell in the folder of the service. */
const shell = (script: string) =>
  Child.start(
    ["-euc", script.replaceAll("localhost:8080", new URL(url).host)],
    { PATH: [programs, process.env.PATH].join(delimiter), ADMIN_KEY: adminKey },
    service.folder,
    "bash"
  )

beforeAll(async () => {
  const program = join(programs, "stellar-insights")
  writeFileSync(program, `#!/bin/sh\nexec "${process.execPath}" "${Child.bin}" "$@"\n`)
  chmodSync(program, 0o755)
  service = Child.serve({ ADMIN_KEYS: adminKey })
  url = await Child.url(service)
})

describe.concurrent("commands of the pages", () => {
  it("are marked", () => {
    for (const file of ["docs/operations.md", "docs/testing.md", "docs/upgrade.md"])
      assert.include(
        blocks.map((block) => block.file),
        file
      )
  })

  it("do what they say", async () => {
    for (const { file, nth, script } of blocks) {
      const child = shell(script)
      const { code } = await child.end
      assert.strictEqual(code, 0, `${file}, block ${nth}: ${script}\n${child.stdout()}${child.stderr()}`)
    }
  }, 60_000)
})

describe.concurrent("docs/configuration.md", () => {
  it("shows a settings file that the service reads, behind the environment", async () => {
    const folder = Child.folder()
    const [, toml] = /```toml\n([\s\S]*?)```/.exec(readFileSync(Generate.file, "utf8")) ?? []
    mkdirSync(join(folder, "config"))
    writeFileSync(join(folder, "config/settings.toml"), toml!)
    const child = Child.start([Child.bin, "config", "check"], { SHUTDOWN_DB_TIMEOUT: "7" }, folder)
    assert.strictEqual((await child.end).code, 0, child.stderr())
    const shown = child.stdout().split("\n")
    assert.includeMembers(shown, [
      "SHUTDOWN_TIMEOUT=30",
      "SHUTDOWN_WAIT_FOR_CONNECTIONS=true",
      "SHUTDOWN_FORCE_AFTER_TIMEOUT=true",
      "SHUTDOWN_DB_TIMEOUT=7",
      "LOG_LEVEL=info"
    ])
  })

  it("shows limits with which the service starts, whatever it is made of", async () => {
    // Everything that the graph may have: each of these has a release of its own.
    const parts = {
      HEALTH_PORT: "0",
      REDIS_URL: "unix:/nowhere/redis.sock",
      OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:9"
    }
    await Promise.all(
      Generate.examples.map(async ({ env, title }) => {
        const child = Child.serve({ ...env, ...parts, SHUTDOWN_ANNOUNCE_DELAY: "0" })
        await Promise.race([Child.url(child), child.end])
        child.kill("SIGTERM")
        assert.strictEqual((await child.end).code, 0, `${title}: ${child.stdout()}${child.stderr()}`)
      })
    )
  }, 60_000)
})

const { note, path: python } = await Installed.tool("python3", "python3")

describe.skipIf(python === undefined)(`a service in another language${note}`, { concurrent: true }, () => {
  it("is drilled like any other", async () => {
    const command = `${python} -m http.server {port} --bind 127.0.0.1`
    const scenarios = ["kept-alive-busy", "idle-connections"].flatMap((name) => ["--scenario", name])
    const child = Child.start(
      [Child.bin, "drill", "--command", command, "--signal", "SIGINT", "--stops", "2", ...scenarios],
      {}
    )
    assert.strictEqual((await child.end).code, 0, child.stdout() + child.stderr())
    assert.match(child.stdout(), /PASSED\. Nothing was lost: 2 stops of 2 scenarios/)
  }, 30_000)
})
