/** `npm run bench drill -- --stops 30` runs `bench/drill.ts` with the options that follow its name. */
import * as Fs from "node:fs"
import { fileURLToPath } from "node:url"

const folder = fileURLToPath(new URL(".", import.meta.url))
const names = Fs.readdirSync(folder)
  .filter((file) => file.endsWith(".ts") && file !== "run.ts")
  .map((file) => file.slice(0, -3))
const [name] = process.argv.splice(2, 1)

if (name === undefined || !names.includes(name)) {
  process.stderr.write(`which bench? There are ${names.join(", ")}\n`)
  process.exitCode = 2
} else {
  await import(new URL(`${name}.ts`, import.meta.url).href)
}
