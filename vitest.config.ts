import { defineConfig } from "vitest/config"

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // Children, sockets and native modules: forks keep them apart from the runner.
    pool: "forks",
    testTimeout: 30_000,
    hookTimeout: 60_000
  }
})
