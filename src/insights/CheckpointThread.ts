/**
 * The thread that writes SQLite's log back into the file, so that the event loop does not wait for the disk: a checkpoint of some thousand pages takes tens
 * of milliseconds, and every request in that time would wait for it.
 *
 * Its program is a text, as bundlers lose files that nothing imports. It has a connection of its own, and its checkpoints are passive ones: they wait for nobody,
 * and nobody waits for them.
 */
import { createRequire } from "node:module"
import { Worker } from "node:worker_threads"

/** A running thread. */
export interface Handle {
  /** Asks for a checkpoint. `then` is called when it has ended, with what it failed of, if it did. At most one may be under way. */
  readonly checkpoint: (then: (error?: Error) => void) => void
  /** Closes its connection and ends it. Resolves when it has gone; never rejects. */
  readonly close: () => Promise<void>
}

// The same driver as the clients': two builds of SQLite would not see each other's locks within a process.
const driver = Number(process.versions.node.split(".")[0]) >= 22 ? "better-sqlite3-napi" : "better-sqlite3"

const source = `
"use strict"
const { parentPort, workerData } = require("node:worker_threads")
const Database = require(workerData.driver)
const database = new Database(workerData.filename, { fileMustExist: true, timeout: 0 })
parentPort.on("message", (message) => {
  if (message === "close") {
    database.close()
    return parentPort.close()
  }
  try {
    database.pragma("wal_checkpoint(PASSIVE)")
    parentPort.postMessage(undefined)
  } catch (error) {
    parentPort.postMessage(error)
  }
})
`

/** Starts the thread, which never keeps the process alive. Throws where Node may start no thread (its permission model). */
export const start = (filename: string): Handle => {
  let waiting: ((error?: Error) => void) | undefined
  let died: Error | undefined
  const tell = (error?: Error) => {
    const then = waiting
    waiting = undefined
    then?.(error)
  }
  const worker = new Worker(source, {
    eval: true,
    name: "sqlite-checkpoint",
    workerData: { driver: createRequire(import.meta.url).resolve(driver), filename },
    env: {},
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 2 }
  })
  worker.unref()
  worker.on("message", tell)
  worker.on("error", (error) => {
    died = error
    tell(error)
  })
  const gone = new Promise<void>((resolve) => {
    worker.on("exit", () => {
      died ??= new Error("the thread has ended")
      tell(died)
      resolve()
    })
  })
  return {
    checkpoint: (then) => {
      if (died !== undefined) return then(died)
      waiting = then
      worker.postMessage("checkpoint")
    },
    close: () => {
      worker.postMessage("close")
      return gone
    }
  }
}
