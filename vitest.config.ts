import { defineConfig } from "vitest/config"

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // The long runs have a command of their own: npm run torture.
    exclude: process.env.TORTURE === undefined ? ["test/torture/**", "node_modules/**"] : ["node_modules/**"],
    // Children, sockets and native modules: forks keep them apart from the runner.
    pool: "forks",
    testTimeout: 30_000,
    hookTimeout: 60_000
  }
})
