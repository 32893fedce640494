/**
 * Loaded into the service before anything else (`NODE_OPTIONS=--import`), so that whoever runs it knows at every instant where it is, and can have it stand still at a
 * given place. The service itself knows nothing of this. See test/support/Failpoint.ts for the other side.
 *
 * FAILPOINT is JSON:
 * - `file`: where the place is written, on every change, at the file's beginning.
 * - `slow`: milliseconds of sleep before every statement of a commit and every hash of a verification.
 * - `stall`: none, or where to stand still until the file `<file>.go` is there: `{ commit, statement }` is before that statement of the process's n-th commit of a ledger
 *   (its COMMIT when it has fewer; 0: after its COMMIT), `{ commit, hash }` before that hash of the verification that leads to it.
 */
import * as crypto from "node:crypto"
import { existsSync, openSync, writeSync } from "node:fs"
import { createRequire, syncBuiltinESMExports } from "node:module"
import { isMainThread } from "node:worker_threads"

const { file, slow = 0, stall = {} } = JSON.parse(process.env.FAILPOINT)
const require = createRequire(import.meta.url)
const mutableCrypto = require("node:crypto")
const width = 400
const cell = new Int32Array(new SharedArrayBuffer(4))

/** Sleeps with the event loop, and everything else in this thread, standing still. */
const sleep = (millis) => Atomics.wait(cell, 0, 0, millis)

const install = () => {
  const fd = openSync(file, "w")
  let commits = 0
  let hashes = 0
  let fetched = false
  /** The transaction under way: none, one that has not said what it is for, a ledger's, or a task's. */
  let transaction
  let statements = 0
  let last = ""

  const at = (state, more = {}) =>
    writeSync(fd, JSON.stringify({ state, commits, ...more }).padEnd(width), 0, "utf8")
  const stand = (state, more) => {
    at(state, { ...more, stalled: true })
    while (!existsSync(`${file}.go`)) sleep(5)
    at(state, more)
  }
  const isNext = (commits_) => stall.commit === commits_ + 1

  const head = (text) => text.replace(/\s+/g, " ").trim().split(/[ (]/).slice(0, 3).join(" ")

  const before = (text) => {
    const now = head(text)
    if (now.startsWith("BEGIN")) {
      transaction = "unknown"
      last = now
      return
    }
    if (transaction === undefined) return
    if (transaction === "unknown") {
      // The fence of the lease comes first, and says nothing of what follows.
      if (now === "UPDATE lease SET") {
        last = now
        return
      }
      transaction = text.startsWith("UPDATE ingestion_cursor SET sequence") ? "ledger" : "task"
      statements = 0
    }
    statements += 1
    const place = { statement: statements, after: last, before: now }
    const isLast = now === "COMMIT"
    at(transaction, place)
    if (transaction === "ledger") {
      if (
        isNext(commits) &&
        stall.statement > 0 &&
        (statements === stall.statement || (isLast && statements < stall.statement))
      ) {
        stand("ledger", place)
      }
      if (slow > 0) sleep(slow)
    }
    last = now
  }
  const after = (text) => {
    const now = head(text)
    if (transaction === undefined || (now !== "COMMIT" && now !== "ROLLBACK")) return
    const was = transaction
    transaction = undefined
    hashes = 0
    if (was === "ledger" && now === "COMMIT") {
      if (isNext(commits) && stall.statement === 0) {
        commits += 1
        stand("ledger", { after: "COMMIT" })
      } else commits += 1
    }
    at(fetched ? "fetch" : "start")
  }

  const name = Number(process.versions.node.split(".")[0]) >= 22 ? "better-sqlite3-napi" : "better-sqlite3"
  const Driver = require(name)
  const { prepare } = Driver.prototype
  let patched = false
  Driver.prototype.prepare = function (text) {
    const statement = prepare.call(this, text)
    if (!patched) {
      patched = true
      const proto = Object.getPrototypeOf(statement)
      for (const method of ["run", "all", "get"]) {
        const original = proto[method]
        proto[method] = function (...values) {
          if (this.database.readonly) return original.apply(this, values)
          before(this.source)
          const result = original.apply(this, values)
          after(this.source)
          return result
        }
      }
    }
    return statement
  }

  const { createHash } = crypto
  mutableCrypto.createHash = (...values) => {
    if (fetched && transaction === undefined) {
      hashes += 1
      at("verify", { hash: hashes })
      if (isNext(commits) && stall.hash === hashes) stand("verify", { hash: hashes })
      if (slow > 0) sleep(slow)
    }
    return createHash(...values)
  }
  syncBuiltinESMExports()

  const { fetch } = globalThis
  globalThis.fetch = (...values) => {
    if (!fetched) {
      fetched = true
      if (transaction === undefined) at("fetch")
    }
    return fetch(...values)
  }
  at("start")
}

// A watchdog's thread gets the same options.
if (isMainThread) install()
