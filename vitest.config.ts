import { fileURLToPath } from "node:url"
import { defineConfig } from "vitest/config"

export default defineConfig({
  // As in the bundle: the client gets the driver that fits the Node that runs it.
  resolve: {
    alias: [
      {
        find: /^better-sqlite3$/,
        replacement: fileURLToPath(new URL(".scripts/sqlite-driver.mjs", import.meta.url))
      }
    ]
  },
  test: {
    server: { deps: { inline: [/@effect\/sql-sqlite-node/] } },
    include: ["test/**/*.test.ts"],
    // The long runs have a command of their own: npm run torture.
    exclude: process.env.TORTURE === undefined ? ["test/torture/**", "node_modules/**"] : ["node_modules/**"],
    // Children, sockets and native modules: forks keep them apart from the runner.
    pool: "forks",
    testTimeout: 30_000,
    hookTimeout: 60_000
  }
})
