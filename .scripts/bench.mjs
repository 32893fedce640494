// Runs one benchmark by name: npm run bench drain
import { readdirSync } from "node:fs"
import { spawn } from "node:child_process"

const names = readdirSync("bench")
  .filter((file) => file.endsWith(".ts"))
  .map((file) => file.slice(0, -3))
  .sort()
const [name, ...rest] = process.argv.slice(2)
if (!names.includes(name)) {
  console.error(`usage: npm run bench <name> [-- options]; names are ${names.join(", ")}`)
  process.exit(2)
}
spawn(process.execPath, ["--import", "tsx", `bench/${name}.ts`, ...rest], { stdio: "inherit" }).on(
  "exit",
  (code) => {
    process.exitCode = code ?? 1
  }
)
