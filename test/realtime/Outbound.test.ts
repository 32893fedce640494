import { assert, describe, it } from "@effect/vitest"
import { Duplex } from "node:stream"
import type { SlowClients } from "../../src/realtime/HubConfig.js"
import { Outbound } from "../../src/realtime/Outbound.js"

/** A socket whose peer reads when it is told to. */
class Stalled extends Duplex {
  /** What arrived. */
  readonly read_: Array<string> = []
  stalled = true
  private held: (() => void) | undefined = undefined

  constructor() {
    super({ highWaterMark: 1 })
  }

  override _write(chunk: Buffer, _: string, done: () => void): void {
    const text = chunk.toString()
    this.read_.push(text.includes('"gap"') ? text.slice(text.indexOf("{")) : text)
    if (this.stalled) this.held = done
    else done()
  }

  go(): void {
    this.stalled = false
    this.held?.()
  }
}

class Peer extends Outbound {
  overflown = 0

  protected override overflow(): void {
    this.overflown++
    this.abandon()
  }
}

const make = (queue: number, slowClients: SlowClients = "drop-oldest") => {
  const socket = new Stalled()
  const peer = new Peer(socket, { queue, slowClients })
  return {
    socket,
    peer,
    event: (id: number) => peer.events(Buffer.from(`event${id}`), id, id),
    answer: (text: string) => peer.answer(Buffer.from(text))
  }
}

const settle = () => new Promise<void>((resolve) => setImmediate(resolve))

describe("Outbound", () => {
  it("drops the oldest events that wait, never an answer, and tells where", async () => {
    const { answer, event, peer, socket } = make(24)
    event(1)
    answer("pong-a")
    for (const id of [2, 3, 4, 5, 6]) event(id)
    assert.isAtMost(peer.queued, 24)
    let clear = false
    peer.whenClear(() => (clear = true))
    assert.isFalse(clear)
    socket.go()
    await settle()
    const [first, gap, ...rest] = socket.read_
    assert.strictEqual(first, "event1")
    assert.deepInclude(JSON.parse(gap!), { op: "gap", from: 1, to: 3, reason: "slow" })
    assert.deepStrictEqual(rest, ["pong-a", "event4", "event5", "event6"])
    assert.isTrue(clear && peer.isClear)
    assert.deepStrictEqual([peer.queued, peer.overflown, peer.drops], [0, 0, 2])
    event(7)
    assert.strictEqual(socket.read_.at(-1), "event7")
  })

  it("answers alone can be too much: then there is nothing to drop", () => {
    const { answer, event, peer } = make(24)
    event(1)
    for (let i = 0; i < 5; i++) answer("pong-x")
    assert.strictEqual(peer.overflown, 1)
    assert.strictEqual(peer.queued, 0)
  })

  it("drops nothing where clients are closed instead", () => {
    const { event, peer } = make(12, "close")
    for (const id of [1, 2, 3]) event(id)
    assert.strictEqual(peer.overflown, 0)
    event(4)
    assert.deepStrictEqual([peer.overflown, peer.drops], [1, 0])
  })

  it("hands everything over for the last words, the gap included", () => {
    const { event, peer, socket } = make(12)
    for (const id of [1, 2, 3, 4]) event(id)
    peer.flush()
    assert.deepStrictEqual([peer.queued, peer.drops], [0, 1])
    assert.isAbove(socket.writableLength, 12)
  })
})
