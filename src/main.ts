#!/usr/bin/env node
import { capture } from "./lifecycle/node/Signals.js"

// Before anything large is imported: as PID 1 a signal without a listener is lost, elsewhere it kills without a word.
const signals = capture()
const { main } = await import("./cli/Main.js")
main(signals)
