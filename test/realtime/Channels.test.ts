import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import { Channels, type Group } from "../../src/realtime/Channels.js"

class Member {
  group: Group | undefined = undefined
  ahead = 0
  session: { channels: ReadonlyArray<string> } = { channels: [] }
  /** What came, as id and channel, by write. */
  readonly writes: Array<Array<readonly [number, string]>> = []

  events(frames: Buffer, first: number, last: number): void {
    const seen: Array<readonly [number, string]> = []
    for (let at = 0; at < frames.length;) {
      const length = frames[at + 1]!
      const { channel, id } = JSON.parse(frames.subarray(at + 2, at + 2 + length).toString())
      seen.push([id, channel])
      at += 2 + length
    }
    assert.deepStrictEqual([seen[0]?.[0], seen.at(-1)?.[0]], [first, last])
    this.writes.push(seen)
  }
}

const event = (id: number, ...channels: Array<string>) => ({ id, channels, type: "t", payload: null })

describe("Channels", () => {
  it("what is published together is one write a member, the same bytes for all with the same channels", () => {
    const channels = new Channels(0)
    const [a, b, c] = [new Member(), new Member(), new Member()]
    a.session = { channels: ["x", "y"] }
    b.session = { channels: ["y", "x"] }
    c.session = { channels: ["y"] }
    for (const member of [a, b, c]) channels.join(member, 0)
    assert.strictEqual(channels.size, 2)
    assert.strictEqual(a.group, b.group)
    channels.publish([event(1, "x"), event(2, "y", "x"), event(4, "z")])
    assert.deepStrictEqual(a.writes, [
      [
        [1, "x"],
        [2, "y"]
      ]
    ])
    assert.deepStrictEqual(b.writes, a.writes)
    assert.deepStrictEqual(c.writes, [[[2, "y"]]])
    assert.strictEqual(channels.position, 4)
    channels.leave(a)
    channels.leave(b)
    assert.strictEqual(channels.size, 1)
    channels.publish([event(5, "x")])
    assert.strictEqual(a.writes.length, 1)
  })

  it("whatever is joined, left and published: each member gets its channels' events after it joined, once, in order", () => {
    const names = ["a", "b", "c", "d"]
    const some = FastCheck.subarray(names)
    const step = FastCheck.oneof(
      FastCheck.record({
        kind: FastCheck.constant("join" as const),
        who: FastCheck.nat(4),
        what: some,
        ahead: FastCheck.nat(4)
      }),
      FastCheck.record({ kind: FastCheck.constant("leave" as const), who: FastCheck.nat(4) }),
      FastCheck.record({
        kind: FastCheck.constant("publish" as const),
        lists: FastCheck.array(some, { maxLength: 5 }),
        again: FastCheck.nat(2)
      })
    )
    FastCheck.assert(
      FastCheck.property(FastCheck.array(step, { maxLength: 30 }), (steps) => {
        const channels = new Channels(0)
        const members = Array.from({ length: 5 }, () => new Member())
        const expected = members.map((): Array<number> => [])
        const cursors = members.map(() => 0)
        const has = members.map((): ReadonlyArray<string> => [])
        let published: Array<ReturnType<typeof event>> = []
        for (const step of steps) {
          if (step.kind === "publish") {
            const fresh = step.lists.map((list, i) => event(channels.position + 1 + i, ...list))
            for (const { channels: of, id } of fresh)
              members.forEach((_, i) => {
                if (id > cursors[i]! && of.some((channel) => has[i]!.includes(channel))) expected[i]!.push(id)
              })
            channels.publish([...published.slice(-step.again), ...fresh])
            published = [...published, ...fresh]
          } else {
            const member = members[step.who]!
            if (step.kind === "leave") channels.leave(member)
            else {
              member.session = { channels: step.what }
              // Who was ahead stays so, as for a client that changes its channels.
              cursors[step.who] = Math.max(cursors[step.who]!, channels.position + step.ahead)
              channels.join(member, cursors[step.who]!)
            }
            has[step.who] = step.kind === "leave" ? [] : step.what
          }
        }
        assert.deepStrictEqual(
          members.map(({ writes }) => writes.flat().map(([id]) => id)),
          expected
        )
      }),
      { numRuns: 300 }
    )
  })
})
