// Bundles the program into dist/bin, or into a folder that is named: an entry that only listens for signals, and what it then imports, in chunks.
import { cpSync, readFileSync, rmSync } from "node:fs"
import { build } from "esbuild"

const { version } = JSON.parse(readFileSync("package.json", "utf8"))
const outdir = process.argv[2] ?? "dist/bin"

rmSync(outdir, { recursive: true, force: true })
await build({
  entryPoints: { "stellar-insights": "src/main.ts" },
  outdir,
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

// The page, which is served from beside the program.
await build({
  entryPoints: ["Main.ts", "dashboard.css"].map((file) => ({
    in: `src/dashboard/${file}`,
    out: "dashboard"
  })),
  outdir: "dist/dashboard",
  bundle: true,
  format: "esm",
  platform: "browser",
  target: "es2022",
  minify: true,
  legalComments: "none",
  logLevel: "warning"
})
for (const file of ["index.html", "icon.svg"]) cpSync(`src/dashboard/${file}`, `dist/dashboard/${file}`)
