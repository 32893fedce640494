// Installs the packed package into a project of its own, type-checks and runs a service that composes its layers, and stops it.
import { execFileSync, spawn } from "node:child_process"
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"

const root = resolve(import.meta.dirname, "../../..")
const project = mkdtempSync(join(tmpdir(), "consumer-"))
const run = (command, args, cwd = project) =>
  execFileSync(command, args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] })
const fail = (message) => {
  console.error(`consumer: ${message}`)
  process.exitCode = 1
}

try {
  run("npm", ["pack", "--silent", "--pack-destination", project], root)
  const tarball = readdirSync(project).find((file) => file.endsWith(".tgz"))
  const { devDependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"))
  writeFileSync(
    join(project, "package.json"),
    JSON.stringify({
      name: "consumer",
      private: true,
      type: "module",
      dependencies: { "stellar-insights": `file:${tarball}` },
      devDependencies: {
        typescript: devDependencies.typescript,
        "@types/node": devDependencies["@types/node"]
      }
    })
  )
  // No native module is needed to compose the library's layers.
  run("npm", ["install", "--silent", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"])
  for (const file of ["service.ts", "client.mjs"])
    copyFileSync(join(import.meta.dirname, file), join(project, file))
  // Every example of the documentation is a module of its own that must compile.
  const examples = ["README.md", "docs/lifecycle.md", "docs/realtime.md", "docs/testing.md"].flatMap((file) =>
    [...readFileSync(join(root, file), "utf8").matchAll(/```ts\n([\s\S]*?)```/g)].map((match) => match[1])
  )
  if (examples.length < 5) fail("the documentation has lost its examples")
  const files = examples.map((example, i) => {
    writeFileSync(join(project, `example-${i}.ts`), example)
    return `example-${i}.ts`
  })
  const options = [
    "--module",
    "nodenext",
    "--moduleResolution",
    "nodenext",
    "--target",
    "es2022",
    "--strict",
    "--skipLibCheck"
  ]
  run("npx", ["tsc", ...options, "--outDir", "dist", "service.ts", ...files])

  if (!run("npx", ["--no", "stellar-insights", "config", "check"]).includes("SHUTDOWN_TIMEOUT=")) {
    fail("the installed command does not print the configuration")
  }

  const child = spawn(process.execPath, ["dist/service.js"], {
    cwd: project,
    stdio: ["ignore", "pipe", "inherit"]
  })
  let said = ""
  let heard = ""
  let client
  let signalled = false
  child.stdout.setEncoding("utf8").on("data", (text) => {
    said += text
    const url = /http:\/\/[\d.]+:\d+/.exec(said)?.[0]
    if (signalled || url === undefined || !/\bready\b/.test(said)) return
    signalled = true
    client = spawn(process.execPath, ["client.mjs", `${url}/ws`], {
      cwd: project,
      stdio: ["ignore", "pipe", "inherit"]
    })
    client.stdout.setEncoding("utf8").on("data", (text) => {
      const isFirst = heard === ""
      heard += text
      if (!isFirst) return
      void fetch(url)
        .then((response) => response.text())
        .then((body) => {
          if (body !== "hello") fail(`the service answered ${JSON.stringify(body)}`)
          child.kill("SIGTERM")
        })
    })
  })
  const timer = setTimeout(() => {
    child.kill("SIGKILL")
    client?.kill("SIGKILL")
  }, 30_000)
  const code = await new Promise((resolve) => child.on("close", resolve))
  if (client?.exitCode === null) await new Promise((resolve) => client.on("close", resolve))
  clearTimeout(timer)
  for (const word of ["told to drain", "store closed", "shutdown completed"]) {
    if (!said.includes(word)) fail(`the service never said ${JSON.stringify(word)}:\n${said}`)
  }
  if (code !== 0) fail(`the service ended with ${code}`)
  for (const word of ["event tick", "bye"]) {
    if (!heard.includes(word)) fail(`the client never heard ${JSON.stringify(word)}:\n${heard}`)
  }
  if (process.exitCode === undefined)
    console.log("consumer: installed, type-checked, served, told its client, drained, ended with 0")
} finally {
  rmSync(project, { recursive: true, force: true })
}
