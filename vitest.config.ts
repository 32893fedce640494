import { fileURLToPath } from "node:url"
import { defineConfig } from "vitest/config"

const drills = ["test/drill/**/*.test.ts"]

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
    // Children, sockets and native modules: forks keep them apart from the runner.
    pool: "forks",
    testTimeout: 30_000,
    hookTimeout: 60_000,
    projects: [
      {
        extends: true,
        test: {
          name: "service",
          include: ["test/**/*.test.ts"],
          // The long runs have a command of their own: npm run torture.
          exclude: [
            ...drills,
            "node_modules/**",
            ...(process.env.TORTURE === undefined ? ["test/torture/**"] : [])
          ],
          sequence: { groupOrder: 0 }
        }
      },
      {
        extends: true,
        test: {
          name: "drill",
          include: drills,
          // A drill measures what a busy machine disturbs: one file at a time, when nothing else runs.
          poolOptions: { forks: { singleFork: true } },
          sequence: { groupOrder: 1 }
        }
      }
    ]
  }
})
