// Puts what runs into one folder: what was built, and of node_modules only the SQLite driver that this Node takes.
//
// The bundle has everything else in it. Which packages the driver consists of is not listed but seen: a database is opened, and whatever was loaded
// for that belongs to it. So a driver that does not work here ends the build.
import { cpSync, existsSync, statSync } from "node:fs"
import { createRequire } from "node:module"
import { basename, join, relative, resolve, sep } from "node:path"
import Driver from "../../.scripts/sqlite-driver.mjs"

const target = resolve(process.argv[2] ?? "dist/image")

/** Of a package that was loaded: its JavaScript and licence, not what it is compiled from, nor binaries for other machines. */
const isNeeded = (folder, loaded) => (file) => {
  const [first] = relative(folder, file).split(sep)
  if (["deps", "node_modules", "src", "test"].includes(first)) return false
  if (statSync(file).isDirectory() || loaded.has(file)) return true
  return /\.c?js$|^package\.json$|^licen[cs]e/i.test(basename(file))
}

new Driver(":memory:").close()
const loaded = new Set(
  Object.keys(createRequire(import.meta.url).cache).filter((file) =>
    file.includes(`${sep}node_modules${sep}`)
  )
)
const packages = new Set(
  [...loaded].map((file) => /^.*[\\/]node_modules[\\/](?:@[^\\/]+[\\/])?[^\\/]+/.exec(file)[0])
)
for (const folder of packages) {
  cpSync(folder, join(target, relative(process.cwd(), folder)), {
    recursive: true,
    filter: isNeeded(folder, loaded)
  })
}

// Node reads source maps only when it is told to, and they are larger than the program.
for (const folder of ["dist/bin", "dist/dashboard"]) {
  if (!existsSync(folder)) continue
  cpSync(folder, join(target, folder), { recursive: true, filter: (file) => !file.endsWith(".map") })
}
