import { fileURLToPath } from "node:url"
import { defineConfig } from "vitest/config"

const drills = ["test/drill/**/*.test.ts"]

/** Tests in real time, of sockets and other programs: one file at a time, or they would wait for each other. */
const live = ["browser", "cli", "client", "http", "lease", "process", "realtime", "redis"].map(
  (folder) => `test/${folder}/**/*.test.ts`
)

/** A test in real time that failed is run once more, and the report says so: machines for CI stand still now and then. Those that count losses are not (torture). */
const disturbed = 1

// The long runs have a command of their own: npm run torture.
const torture = ["test/torture/**/*.test.ts"]

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
    poolOptions: { forks: { maxForks: 2 } },
    testTimeout: 30_000,
    hookTimeout: 60_000,
    projects: [
      {
        extends: true,
        test: {
          name: "unit",
          include: ["test/**/*.test.ts"],
          exclude: [...drills, ...live, ...torture, "node_modules/**"],
          sequence: { groupOrder: 0 }
        }
      },
      {
        extends: true,
        test: {
          name: "live",
          include: process.env.TORTURE === undefined ? live : [...live, ...torture],
          retry: process.env.TORTURE === undefined ? disturbed : 0,
          poolOptions: { forks: { singleFork: true } },
          sequence: { groupOrder: 1 }
        }
      },
      {
        extends: true,
        test: {
          name: "drill",
          include: drills,
          // A drill measures what a busy machine disturbs: one file at a time, when nothing else runs.
          retry: disturbed,
          poolOptions: { forks: { singleFork: true } },
          sequence: { groupOrder: 2 }
        }
      }
    ]
  }
})
