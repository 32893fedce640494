import { fileURLToPath } from "node:url"
import { defineConfig } from "vitest/config"

const folders = (...names: ReadonlyArray<string>) => names.map((name) => `test/${name}/**/*.test.ts`)

const drills = folders("drill")

/** Tests of whole programs, which mostly wait for them: two files at a time. */
const programs = folders("cli", "lease", "process", "redis")

/** Tests that measure, or whose limits are short: one file at a time, or they would wait for each other. */
const live = [
  ...folders("browser", "client", "http", "realtime"),
  ...["SecondSignal", "Stop", "Watchdog"].map((name) => `test/process/${name}.test.ts`)
]

/** A test in real time that failed is run once more, and the report says so: machines for CI stand still now and then. Those that count losses are not (torture). */
const disturbed = 1

/** How long a test may take, in milliseconds, that starts several programs, or that takes what processors others leave. */
const patience = 90_000

// The long runs have a command of their own: npm run torture.
const torture = folders("torture")
const isLong = process.env.TORTURE === "long"

const forks = (maxForks: number, isolate: boolean) => ({
  forks: maxForks === 1 ? { singleFork: true, isolate } : { maxForks, minForks: maxForks, isolate }
})

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
    poolOptions: forks(2, true),
    testTimeout: 30_000,
    hookTimeout: 60_000,
    projects: [
      {
        extends: true,
        test: {
          name: "unit",
          include: folders("**"),
          exclude: [...drills, ...live, ...programs, ...torture, "node_modules/**"],
          // Files share what they import, which is half of what they would cost: none of them changes anything that another one sees.
          poolOptions: forks(2, false),
          testTimeout: patience,
          sequence: { groupOrder: 0 }
        }
      },
      {
        extends: true,
        test: {
          name: "programs",
          include: programs,
          exclude: [...live, "node_modules/**"],
          retry: disturbed,
          testTimeout: patience,
          sequence: { groupOrder: 1 }
        }
      },
      {
        extends: true,
        test: {
          name: "live",
          include: live,
          retry: disturbed,
          testTimeout: patience,
          // Of tests that say they may: those mostly wait.
          maxConcurrency: 2,
          poolOptions: forks(1, true),
          sequence: { groupOrder: 2 }
        }
      },
      {
        extends: true,
        test: {
          name: "drill",
          include: drills,
          // A drill measures what a busy machine disturbs: one file at a time, when nothing else runs.
          retry: disturbed,
          testTimeout: patience,
          poolOptions: forks(1, true),
          sequence: { groupOrder: 3 }
        }
      },
      ...(process.env.TORTURE === undefined
        ? []
        : [
            {
              extends: true as const,
              test: {
                name: "torture",
                include: torture,
                // The long form prints times, which should be nobody else's.
                poolOptions: forks(isLong ? 1 : 2, true),
                sequence: { groupOrder: 4 }
              }
            }
          ])
    ]
  }
})
