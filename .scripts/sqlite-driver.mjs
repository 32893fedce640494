// Which SQLite driver the client gets. better-sqlite3 12 is the last for Node 20, and from Node 24.19 on it ends the process when a statement is
// garbage-collected; 13 is built on Node-API, ships binaries, and needs Node 22. Both have the same interface.
import { createRequire } from "node:module"

const require = createRequire(import.meta.url)
const hasNodeApiDriver = Number(process.versions.node.split(".")[0]) >= 22

export default require(hasNodeApiDriver ? "better-sqlite3-napi" : "better-sqlite3")
