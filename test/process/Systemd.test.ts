import { afterEach, assert, describe, it } from "@effect/vitest"
import { spawnSync } from "node:child_process"
import { mkdirSync, writeFileSync } from "node:fs"
import { join, resolve } from "node:path"
import * as Child from "../support/Child.js"

afterEach(Child.clear)

const hasPython = spawnSync("python3", ["-c", "import socket; socket.recv_fds"]).status === 0
const hasNotify = spawnSync("systemd-notify", ["--version"]).status === 0

/** A folder with a `systemd-notify` of our own, to be put first in the path. */
const fake = (script: string): string => {
  const folder = join(Child.folder(), "bin")
  mkdirSync(folder)
  writeFileSync(join(folder, "systemd-notify"), `#!/bin/sh\n${script}\n`, { mode: 0o755 })
  return `${folder}:${process.env.PATH}`
}

const service = async (knob: string, env: Record<string, string>) => {
  const child = Child.start(await Child.program("guarded.ts"), { KNOB: knob, ...env })
  await child.says(/\bready\b/)
  return child
}

/** Sends SIGTERM and waits for the end, which comes quickly and with code 0. */
const assertClean = async (child: Child.Child) => {
  const since = performance.now()
  // Not one of those after which NodeRuntime.runMain ends the process itself: it ends when nothing is left.
  child.kill("SIGHUP")
  assert.strictEqual((await child.end).code, 0)
  assert.isBelow(performance.now() - since, 1000)
  assert.strictEqual(child.stderr(), "")
}

describe.skipIf(!hasPython || !hasNotify)(
  "systemd (needs systemd-notify, and python3 for the socket)",
  () => {
    it("is told READY=1, STOPPING=1 and what is waited for, in this order", async () => {
      const socket = join(Child.folder(), "notify")
      const server = Child.start(
        [resolve(import.meta.dirname, "programs/notified.py"), socket],
        {},
        undefined,
        "python3"
      )
      await server.says(/listening/)
      const child = await service("slow", { NOTIFY_SOCKET: socket })
      await server.says(/"READY=1"/)
      child.kill("SIGTERM")
      await server.says(/STATUS=draining: waiting for worker/)
      const said = server.stdout()
      assert.isBelow(said.indexOf("READY=1"), said.indexOf("STOPPING=1"))
      assert.match(said, /"STATUS=ready"/)
      child.kill("SIGINT")
      assert.strictEqual((await child.end).code, 3)
    })
  }
)

describe("systemd-notify", () => {
  it("is not called without a socket", async () => {
    const log = join(Child.folder(), "log")
    await assertClean(await service("none", { PATH: fake(`echo called >> ${log}`) }))
    assert.notStrictEqual(spawnSync("cat", [log]).status, 0)
  })

  it("gets the words as arguments, one call after the other", async () => {
    const log = join(Child.folder(), "log")
    const child = await service("slow", {
      NOTIFY_SOCKET: "/nowhere",
      PATH: fake(`echo "begin $@" >> ${log}; sleep 0.1; echo end >> ${log}`)
    })
    child.kill("SIGTERM")
    await child.says(/phase draining/)
    await new Promise((resolve) => setTimeout(resolve, 800))
    const lines = spawnSync("cat", [log]).stdout.toString().trim().split("\n")
    lines.forEach((line, i) => assert.match(line, i % 2 === 0 ? /^begin / : /^end$/))
    assert.match(lines.join(" "), /READY=1.*STOPPING=1.*STATUS=draining: waiting for worker/)
  })

  it("one that hangs holds neither the stop nor the exit up", async () => {
    await assertClean(await service("none", { NOTIFY_SOCKET: "/nowhere", PATH: fake("exec sleep 3") }))
  })

  it.each([
    ["is missing", () => "/nonexistent"],
    ["fails", () => fake("exit 3")]
  ])("one that %s is told at debug, once", async (_, makePath) => {
    const path = makePath()
    const child = await service("none", { NOTIFY_SOCKET: "/nowhere", PATH: path, LOG: "debug" })
    await child.says(/systemd was not notified/)
    await assertClean(child)
    assert.lengthOf(child.stdout().match(/systemd was not notified/g) ?? [], 1)
    const quiet = await service("none", { NOTIFY_SOCKET: "/nowhere", PATH: path })
    await assertClean(quiet)
    assert.notInclude(quiet.stdout() + quiet.stderr(), "systemd")
  })
})
