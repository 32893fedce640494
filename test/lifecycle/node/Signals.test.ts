import { assert, beforeEach, describe, it } from "@effect/vitest"
import * as Signals from "../../../src/lifecycle/node/Signals.js"

/** Signals that are told in this process: nothing is sent. */
const tell = (...signals: ReadonlyArray<NodeJS.Signals>) => {
  for (const signal of signals) process.emit(signal)
}

const pause = (millis: number) => new Promise((resolve) => setTimeout(resolve, millis))

let heard: Array<string>
let captured: Signals.Captured

beforeEach(() => {
  const before = new Map(
    (["SIGTERM", "SIGINT", "SIGHUP"] as const).map((signal) => [signal, process.listeners(signal)])
  )
  heard = []
  captured = Signals.capture()
  return () => {
    for (const [signal, listeners] of before) {
      process.removeAllListeners(signal)
      for (const listener of listeners) process.on(signal, listener)
    }
  }
})

const listen = () => captured.listen((signal) => heard.push(signal))

describe("signals", () => {
  it("that came before anybody listened are told by name, in order, to everybody", () => {
    tell("SIGHUP", "SIGTERM")
    listen()
    listen()
    assert.deepStrictEqual(heard, ["SIGHUP", "SIGTERM", "SIGHUP", "SIGTERM"])
  })

  it("are told before those who listened earlier, and after they have gone", () => {
    const order: Array<string> = []
    process.once("SIGTERM", () => order.push("another"))
    const captured = Signals.capture()
    captured.listen((signal) => order.push(signal))
    tell("SIGTERM")
    assert.deepStrictEqual(order, ["SIGTERM", "another"])
    tell("SIGINT")
    assert.deepStrictEqual(order, ["SIGTERM", "another", "SIGINT"])
  })

  it("count once when runners pass them on, but not when somebody goes on sending", () => {
    listen()
    tell("SIGINT", "SIGINT", "SIGINT", "SIGINT")
    assert.deepStrictEqual(heard, ["SIGINT"])
    tell("SIGINT")
    assert.deepStrictEqual(heard, ["SIGINT", "SIGINT"])
  })

  it("count again when another one comes, or the same one later", async () => {
    listen()
    tell("SIGTERM", "SIGINT")
    assert.deepStrictEqual(heard, ["SIGTERM", "SIGINT"])
    await pause(300)
    tell("SIGTERM")
    assert.deepStrictEqual(heard, ["SIGTERM", "SIGINT", "SIGTERM"])
  })
})
