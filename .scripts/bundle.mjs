// Bundles the program into dist/bin: an entry that only listens for signals, and what it then imports, in chunks.
import { readFileSync, rmSync } from "node:fs"
import { build } from "esbuild"

const { version } = JSON.parse(readFileSync("package.json", "utf8"))

rmSync("dist/bin", { recursive: true, force: true })
await build({
  entryPoints: { "stellar-insights": "src/main.ts" },
  outdir: "dist/bin",
  outExtension: { ".js": ".mjs" },
  bundle: true,
  splitting: true,
  format: "esm",
  platform: "node",
  target: "node20",
  sourcemap: true,
  minifySyntax: true,
  treeShaking: true,
  legalComments: "none",
  logLevel: "warning",
  define: { "process.env.STELLAR_INSIGHTS_VERSION": JSON.stringify(version) },
  // The driver that fits the Node that runs it; native modules find their binaries beside themselves, so they stay where npm put them.
  alias: { "better-sqlite3": "./.scripts/sqlite-driver.mjs" },
  banner: {
    js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);'
  }
})
