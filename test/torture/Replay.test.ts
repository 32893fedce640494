/**
 * E6: killed at any instant, no ledger is lost and none counted twice. Real ledgers are replayed by the bundled program, slowed so that there is something to hit,
 * and it is killed again and again, by SIGKILL and by SIGTERM in turns, at places that are aimed at (between two statements of a commit, in the middle of a
 * verification) and at random ones; what is stored is whole after every kill, and at the end every table equals that of an undisturbed replay.
 *
 * `TORTURE=long npm run torture` kills 50 times by either signal; the short form is for every change.
 */
import { afterAll, afterEach, assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import * as Random from "../simulation/Random.js"
import * as Child from "../support/Child.js"
import * as LakeServer from "../support/LakeServer.js"
import * as Replay from "../support/Replay.js"
import * as Stretch from "../support/Stretch.js"
import * as TableDump from "../support/TableDump.js"

const isLong = process.env.TORTURE === "long"
const kills = isLong ? 50 : 6
const seed = Number(process.env.TORTURE_SEED ?? Date.now() >>> 0)

const scope = Effect.runSync(Scope.make())
afterEach(Child.clear)
afterAll(() => Effect.runPromise(Scope.close(scope, Exit.void)))

const stretches = async (): Promise<ReadonlyArray<Stretch.Stretch>> => {
  const simulated = () => Stretch.simulated(50, 59, 200)
  if (!Stretch.isRecorded) {
    console.log("../shared/stellar is not there, so simulated ledgers are replayed instead of recorded ones")
    return [await simulated()]
  }
  const recent = Stretch.recorded("pubnet", 63092982, 63092991)
  if (!isLong) return [recent]
  return [
    recent,
    Stretch.recorded("pubnet", 30822015, 30822025),
    Stretch.recorded("testnet", 997, 999),
    await simulated()
  ]
}

/** How often what was said. */
const counted = (words: ReadonlyArray<string>) =>
  [...new Set(words)].map((word) => `${word} ${words.filter((other) => other === word).length}`).join(", ")

const say = (falls: ReadonlyArray<Replay.Fall>) => {
  for (const signal of ["SIGKILL", "SIGTERM"] as const) {
    const all = falls.filter((fall) => fall.signal === signal)
    const inside = all.filter(Replay.isInside)
    console.log(
      `${signal}: ${all.length}, inside ingestion ${inside.length}: ${counted(all.map(({ at }) => at))}`
    )
    const between = all.flatMap((fall) => (fall.at === "commit" ? [fall.between!] : []))
    console.log(`  between statements of a commit: ${between.join("; ")}`)
  }
  const codes = falls.filter(({ signal }) => signal === "SIGTERM")
  console.log(
    `exit codes of SIGTERM: ${counted(codes.map(({ code, cut }) => `${code}${cut ? " (limit 50 ms)" : ""}`))}`
  )
}

describe("laws 7 and 8: a replay that is killed again and again", () => {
  it("ends in the tables of an undisturbed one, row by row", async () => {
    console.log(`TORTURE_SEED=${seed}`)
    const random = Random.make(seed)
    const falls: Array<Replay.Fall> = []
    const left = { SIGKILL: kills, SIGTERM: kills }
    const next = () => {
      const signal = left.SIGKILL >= left.SIGTERM ? ("SIGKILL" as const) : ("SIGTERM" as const)
      if (left[signal] === 0) return undefined
      left[signal] -= 1
      return signal
    }
    const all = await Promise.all(
      (await stretches()).map(async (stretch) => {
        const lake = await Effect.runPromise(
          Scope.extend(LakeServer.make(stretch.objects, { prefix: "lake", listing: "none" }), scope)
        )
        return { stretch, replay: Replay.make(stretch, lake) }
      })
    )
    const expected = new Map<Stretch.Stretch, ReturnType<(typeof all)[number]["replay"]["undisturbed"]>>()
    let replays = 0
    try {
      while (left.SIGKILL + left.SIGTERM > 0) {
        for (const { replay, stretch } of all) {
          if (left.SIGKILL + left.SIGTERM === 0) break
          // It runs beside the first kills.
          const undisturbed = expected.get(stretch) ?? replay.undisturbed()
          expected.set(stretch, undisturbed)
          const before = falls.length
          const tables = await replay.disturbed(next, random, (fall) => falls.push(fall), undisturbed)
          TableDump.assertEqual(tables, (await undisturbed).tables)
          replays += 1
          console.log(
            `${stretch.name}: ${falls.length - before} kills, ${TableDump.size(tables)} rows in ${Object.keys(tables).length} tables equal`
          )
        }
      }
    } finally {
      say(falls)
    }
    const inside = (signal: string) =>
      falls.filter((fall) => fall.signal === signal && Replay.isInside(fall)).length
    const enough = isLong ? 30 : 2
    assert.isAtLeast(inside("SIGKILL"), enough)
    assert.isAtLeast(inside("SIGTERM"), enough)
    assert.isAtLeast(falls.filter(({ at }) => at === "commit").length, isLong ? 20 : 1)
    assert.isAtLeast(replays, 1)
  }, 1_200_000)
})
