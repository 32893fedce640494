/**
 * What a file tells of processes that hand its work over to each other.
 *
 * Triggers write a journal: when the lease was given back and taken, and under which epoch each ledger was begun. So times are those of the transactions themselves, by
 * the one clock that processes of a machine share, and what was rolled back is not in it.
 */
import { assert } from "@effect/vitest"
import { join } from "node:path"
import * as Child from "./Child.js"
import * as TableDump from "./TableDump.js"

/** A line of the journal. */
export interface Entry {
  /** In milliseconds since 1970. */
  readonly at: number
  /** The lease was given back, or taken; the transaction of a ledger began. */
  readonly what: "free" | "taken" | "ledger"
  readonly epoch: number
  /** Who had the lease. */
  readonly pid: number
  readonly sequence: number | null
}

/** What a busy machine may add to any time, in milliseconds. */
export const patience = 60_000

const pause = (millis: number) => new Promise((resolve) => setTimeout(resolve, millis))

/** Looks again and again; throws when that has taken a minute. */
export const until = async (what: string, isSo: () => boolean): Promise<void> => {
  const end = performance.now() + patience
  while (!isSo()) {
    if (performance.now() > end) throw new Error(`never: ${what}`)
    await pause(5)
  }
}

const pidOf = (column: string) =>
  `CAST(substr(${column}, instr(${column}, ':') + 1, instr(${column}, '#') - instr(${column}, ':') - 1) AS INTEGER)`
const now = "CAST(unixepoch('subsec') * 1000 AS INTEGER)"

/** Statements that begin the journal. */
export const begin = `
  CREATE TABLE journal (id INTEGER PRIMARY KEY, at INTEGER, what TEXT, epoch INTEGER, pid INTEGER, sequence INTEGER);
  CREATE TRIGGER journal_free AFTER UPDATE ON lease WHEN NEW.expires_at = 0 BEGIN
    INSERT INTO journal (at, what, epoch, pid) VALUES (${now}, 'free', NEW.epoch, ${pidOf("NEW.holder")});
  END;
  CREATE TRIGGER journal_taken AFTER UPDATE ON lease WHEN NEW.epoch <> OLD.epoch BEGIN
    INSERT INTO journal (at, what, epoch, pid) VALUES (${now}, 'taken', NEW.epoch, ${pidOf("NEW.holder")});
  END;
  CREATE TRIGGER journal_ledger AFTER UPDATE ON ingestion_cursor WHEN NEW.sequence IS NOT OLD.sequence BEGIN
    INSERT INTO journal (at, what, epoch, pid, sequence) SELECT ${now}, 'ledger', epoch, ${pidOf("holder")}, NEW.sequence FROM lease;
  END;`

/** The events of ledgers up to this one. */
const events = (file: string, last: number) =>
  TableDump.reading(file, (database) =>
    database
      .prepare("SELECT id, kind, ledger, ref, ref2 FROM outbox WHERE key IS NULL AND ledger <= ? ORDER BY id")
      .raw()
      .all(last)
  )

/** What one process makes of the same ledgers, as fast as it can. */
const undisturbed = async (last: number) => {
  const child = Child.serve({ STELLAR_SIMULATED_INTERVAL: "0" })
  const file = join(child.folder, "data/insights.db")
  await Child.url(child)
  await until(`ledger ${last}`, () =>
    TableDump.reading(
      file,
      (database) =>
        (database.prepare("SELECT sequence FROM ingestion_cursor").pluck().get() as number) >= last
    )
  )
  child.kill("SIGTERM")
  await child.end
  return { ledgers: TableDump.byLedger(file), events: events(file, last) }
}

/**
 * Fails unless there is every ledger once, with what a process makes of it that nobody disturbs; each was committed by whoever had the lease; and nobody has logged an
 * error. Gives how many ledgers there are.
 */
export const assertWhole = async (
  file: string,
  rows: ReadonlyArray<Entry>,
  all: ReadonlyArray<Child.Child>
): Promise<number> => {
  const ledgers = rows.flatMap(({ epoch, pid, sequence }) =>
    sequence === null ? [] : [{ epoch, pid, sequence }]
  )
  const pids = new Map(
    rows.flatMap(({ epoch, pid, what }) => (what === "taken" ? [[epoch, pid] as const] : []))
  )
  ledgers.forEach(({ epoch, pid, sequence }, i) => {
    const before = ledgers[i - 1]
    if (before !== undefined) {
      assert.strictEqual(sequence, before.sequence + 1, "ledgers follow each other")
      assert.isAtLeast(epoch, before.epoch, "and so do epochs")
    }
    assert.strictEqual(pids.get(epoch) ?? pid, pid, "an epoch is one process's")
  })
  // Each process has committed those that were begun under its name, and no others; what was killed may not have come to say so.
  const byPid = new Map(ledgers.map(({ pid, sequence }) => [sequence, pid]))
  const first = ledgers[0]!.sequence
  for (const child of all) {
    const said = child
      .lines()
      .flatMap(({ message, sequence }) => (message === "Ledger committed" ? [sequence as number] : []))
    for (const sequence of said) {
      if (sequence >= first) assert.strictEqual(byPid.get(sequence), child.pid, `ledger ${sequence}`)
    }
    const errors = child.lines().filter(({ level }) => level === "error" || level === "fatal")
    assert.deepStrictEqual(errors, [], child.stdout())
  }
  const found = TableDump.byLedger(file)
  const last = Math.max(...found.keys())
  const alone = await undisturbed(last)
  for (const [sequence, facts] of found) assert.strictEqual(facts, alone.ledgers.get(sequence))
  assert.deepStrictEqual(events(file, last), alone.events)
  const damage = TableDump.reading(file, (database) => database.pragma("integrity_check"))
  assert.deepStrictEqual(damage, [{ integrity_check: "ok" }])
  return found.size
}
