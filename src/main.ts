#!/usr/bin/env node
import { capture } from "./lifecycle/node/Signals.js"

if (process.argv[2] === "health") {
  // A container asks every few seconds: what the service is made of is not loaded for that.
  const { main } = await import("./cli/health/Health.js")
  await main(process.argv.slice(3))
} else {
  // Before anything large is imported: as PID 1 a signal without a listener is lost, elsewhere it kills without a word.
  const signals = capture()
  const { main } =
    process.argv[2] === "serve" && process.argv.length === 3
      ? await import("./cli/Serve.js")
      : await import("./cli/Main.js")
  main(signals)
}
