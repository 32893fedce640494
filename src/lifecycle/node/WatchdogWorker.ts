/**
 * The thread that ends a process whose main thread cannot.
 *
 * Its program is a text and not a function or a file: bundlers lose files that nothing imports, and loaders and instrumentation rewrite functions so that they
 * no longer stand alone. It needs nothing but Node's own modules, and writes to the file descriptor itself: the streams of a worker go through the main
 * thread, which may be the one that is blocked.
 *
 * @module
 */
import { Worker } from "node:worker_threads"
import type { StepKind } from "../LifecycleEvent.js"
import type { Phase } from "../Phase.js"
import * as ActiveResources from "./ActiveResources.js"

/** Milliseconds that all threads of the process agree on, and that no change of the wall clock moves. */
export const now = (): number => Number(process.hrtime.bigint()) / 1e6

/** What the thread is told. Moments are {@link now}'s. */
export type Message =
  /** The stop must have ended by then; the earliest counts. */
  | { readonly _tag: "Deadline"; readonly at: number; readonly limitMillis: number }
  | { readonly _tag: "Phase"; readonly phase: Phase }
  | {
      readonly _tag: "Started"
      readonly id: number
      readonly kind: StepKind
      readonly name: string
      readonly at: number
    }
  /** The step is no longer awaited: it ended, or was given up. */
  | { readonly _tag: "Ended"; readonly id: number; readonly givenUp: boolean }
  | { readonly _tag: "RecordFile"; readonly file: string }

/** What the thread is born with. */
export interface Data {
  readonly phase: Phase
  /** How long after the deadline the process is killed, in milliseconds. */
  readonly graceMillis: number
  /** A counter that the main thread advances, and for how long it may stand still. */
  readonly heartbeat?: { readonly beats: Int32Array; readonly limitMillis: number }
}

/** A running thread. */
export interface Handle {
  /** Tells it something. Never fails; a thread that has died is told in vain. */
  readonly post: (message: Message) => void
  /** What the thread died of, where it did. */
  readonly error: () => Error | undefined
}

/** Starts the thread, which never keeps the process alive. Throws where Node may start no thread (its permission model). */
export const start = (data: Data): Handle => {
  let error: Error | undefined
  const worker = new Worker(source, {
    eval: true,
    name: "lifecycle-watchdog",
    workerData: data,
    // Nothing of the program's: a loader or a preload would cost more than the thread does, and may need the main thread to answer.
    env: {},
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 2 }
  })
  worker.on("error", (cause) => {
    error = cause
  })
  // Asked shortly before the end: no answer means that the event loop does not turn.
  worker.on("message", () => worker.postMessage({ _tag: "Alive", resources: ActiveResources.list() }))
  worker.unref()
  return { post: (message) => worker.postMessage(message), error: () => error }
}

/**
 * The stages of the end. Shortly before the moment, the main thread is asked for a sign of life, and through the inspector, which reaches a thread in
 * the midst of JavaScript, where it is. At the moment it is written down, bounded, since stderr may be a pipe that nobody reads. Then SIGKILL; and
 * where that does nothing, because the kernel shields PID 1 from its own signals, the inspector ends the process with the same
 * code, or, where the thread is stuck in native code, a breakpoint trap does (exit code 133).
 */
const source = String.raw`
"use strict"
const fs = require("node:fs")
const { parentPort, workerData } = require("node:worker_threads")

const lookMillis = 150
const writeMillis = 200
const now = () => Number(process.hrtime.bigint()) / 1e6
const seconds = (millis) => (millis < 1000 ? Math.round(millis) + " ms" : (millis / 1000).toFixed(2) + " s")
const pause = (millis) => new Promise((resolve) => setTimeout(resolve, millis))

const running = new Map()
const givenUp = []
let phase = workerData.phase
let deadline = Infinity
let limitMillis = 0
let recordFile
let timer
let ending = false
let alive

parentPort.on("message", (message) => {
  switch (message._tag) {
    case "Deadline":
      if (message.at >= deadline) return
      deadline = message.at
      limitMillis = message.limitMillis
      clearTimeout(timer)
      timer = setTimeout(overdue, deadline + workerData.graceMillis - lookMillis - now())
      return
    case "Phase":
      phase = message.phase
      return
    case "Started":
      running.set(message.id, message)
      return
    case "Ended":
      if (message.givenUp && running.has(message.id)) givenUp.push(running.get(message.id))
      running.delete(message.id)
      return
    case "RecordFile":
      recordFile = message.file
      return
    case "Alive":
      alive = message.resources
      return
  }
})

const overdue = () =>
  end(
    deadline + workerData.graceMillis,
    "the stop did not end within its limit of " + seconds(limitMillis) + " and " + seconds(workerData.graceMillis) + " more"
  )

if (workerData.heartbeat !== undefined) {
  const { beats, limitMillis } = workerData.heartbeat
  // Turns of this thread's own timer are counted, not time: a process that was frozen as a whole has missed one, however long it slept.
  const every = Math.max(10, limitMillis / 10)
  let last = -1
  let missed = 0
  setInterval(() => {
    const count = Atomics.load(beats, 0)
    missed = count === last ? missed + 1 : 0
    last = count
    if (missed * every < limitMillis) return
    void end(now(), "the event loop has not turned for " + seconds(missed * every), () => alive === undefined)
    missed = 0
  }, every)
}

let session
const inspect = (expression) =>
  new Promise((resolve) => {
    try {
      if (session === undefined) {
        const { Session } = require("node:inspector")
        session = new Session()
        session.connectToMainThread()
      }
      session.post("Runtime.evaluate", { expression, returnByValue: true }, (error, answer) =>
        resolve(error === null ? answer.result.value : undefined)
      )
    } catch {
      resolve(undefined)
    }
  })

const describe = (step) => step.kind + " " + JSON.stringify(step.name) + " has been running for " + seconds(now() - step.at)

// Nobody is killed who is still to be spared after the look: a loop that has answered turns.
const end = async (at, why, isDue = () => true) => {
  if (ending) return
  ending = true
  alive = undefined
  parentPort.postMessage("alive?")
  let stack
  void inspect("(Error.stackTraceLimit = 30, new Error().stack)").then((text) => {
    stack = typeof text === "string" ? text.split("\n").slice(2).map((line) => line.trim()) : undefined
  })
  await pause(Math.max(lookMillis, at - now()))
  if (!isDue()) {
    ending = false
    return
  }

  const steps = [...running.values()]
  const blocked = alive === undefined
  const keepsAlive = blocked ? ["unknown: the event loop is blocked"] : alive
  const where = !blocked
    ? []
    : stack === undefined
      ? ["blocked where no JavaScript runs, such as a synchronous system call or query"]
      : stack.length === 0
        ? ["blocked between callbacks, such as by promises that never let timers and input have a turn"]
        : ["blocked at:", ...stack.map((line) => "  " + line)]
  const text = [
    "lifecycle watchdog: " + why + "; the process is killed in phase " + phase,
    ...(steps.length === 0 ? ["no quiesce, release or hook was running"] : steps.map(describe)),
    ...givenUp.map((step) => step.kind + " " + JSON.stringify(step.name) + " had been given up before"),
    "kept alive by: " + (keepsAlive.length === 0 ? "nothing that Node knows of" : keepsAlive.join(", ")),
    ...where
  ]
  const wrote = Promise.all([say(text.join("\n  ") + "\n"), record(steps, keepsAlive, stack)])
  await Promise.race([wrote, pause(writeMillis)])

  process.kill(process.pid, "SIGKILL")
  await pause(50)
  void inspect("process.reallyExit(137)")
  await pause(250)
  require("node:v8").setFlagsFromString("--allow-natives-syntax")
  new Function("%SystemBreak()")()
}

const say = (text) => new Promise((resolve) => fs.write(2, text, () => resolve()))

// What the file says already is kept, so that whose run it was stays known.
const record = async (steps, keepsAlive, stack) => {
  if (recordFile === undefined) return
  try {
    let before = {}
    try {
      before = JSON.parse(await fs.promises.readFile(recordFile, "utf8"))
    } catch {}
    const killed = {
      at: Date.now(),
      phase,
      running: steps.map(({ kind, name, at }) => ({ kind, name, sinceMillis: now() - at })),
      keepsAlive,
      ...(stack === undefined ? {} : { stack })
    }
    const temporary = recordFile + "." + process.pid + ".killed"
    await fs.promises.writeFile(temporary, JSON.stringify({ ...before, state: "killed", killed }, undefined, 2) + "\n")
    await fs.promises.rename(temporary, recordFile)
  } catch (error) {
    await say("lifecycle watchdog: " + recordFile + " could not be written: " + error.message + "\n")
  }
}
`
