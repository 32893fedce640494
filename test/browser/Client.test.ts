import { afterAll, afterEach, assert, beforeAll, describe, it } from "@effect/vitest"
import { transform } from "esbuild"
import { once } from "node:events"
import { readFileSync } from "node:fs"
import { type Server, createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { basename, join, resolve } from "node:path"
import { type Browser, type Page, chromium } from "playwright-core"
import type { State } from "../../src/client/index.js"
import * as Child from "../support/Child.js"
import { freePort } from "../support/FreePort.js"
import * as Installed from "../support/Installed.js"
import * as OutboxFile from "../support/OutboxFile.js"

const client = resolve(import.meta.dirname, "../../src/client")
const tool = await Installed.tool("chromium", "chromium")

const channels = ["ledgers", "payments"]

/** What the page remembers, also when it is loaded again. */
interface Seen {
  readonly ids: Array<number>
  /** Sequences of the ledgers. */
  readonly ledgers: Array<number>
  /** Ids that its subscription began after. */
  readonly begun: Array<number>
  readonly gaps: Array<unknown>
  readonly refusals: Array<unknown>
  readonly states: Array<State>
}

/** A page as an application writes it, which keeps what it has seen for its next life. */
const html = (target: string) => `<!doctype html>
<title>a client in a page</title>
<script type="module">
  import { connect } from "/client/index.js"

  const kept = JSON.parse(sessionStorage.getItem("kept"))
  const seen = kept?.seen ?? { ids: [], ledgers: [], begun: [], gaps: [], refusals: [], states: [] }
  window.seen = seen
  const client = connect({
    url: "${target}/ws",
    channels: ${JSON.stringify(channels)},
    session: kept?.session,
    backoff: { baseMs: 200, capMs: 500 },
    onEvent: ({ id, payload, type }) => {
      seen.ids.push(id)
      if (type === "ledger_closed") seen.ledgers.push(payload.sequence)
    },
    onMessage: (message) => {
      if (message.op === "subscription_confirm") seen.begun.push(message.lastEventId)
    },
    onGap: (gap) => seen.gaps.push(gap),
    onRefusal: (refusal) => seen.refusals.push(refusal),
    onState: (state) => seen.states.push(state)
  })
  addEventListener("pagehide", () => {
    sessionStorage.setItem("kept", JSON.stringify({ seen, session: client.resumeState() }))
  })
</script>`

/** The client's modules as they are, with the types taken out: nothing is bundled. */
const moduleOf = async (path: string): Promise<string> => {
  const file = join(client, basename(path).replace(/\.js$/, ".ts"))
  const { code } = await transform(readFileSync(file, "utf8"), {
    loader: "ts",
    format: "esm",
    target: "es2022"
  })
  return code
}

const sites = new Set<Server>()

/** Where the page comes from: a real address, since a browser lets no page that was merely put into it connect to this machine. */
const site = async (target: string) => {
  const server = createServer((request, response) => {
    const path = request.url ?? ""
    const [type, body] = path.startsWith("/client/")
      ? ["text/javascript", moduleOf(path)]
      : ["text/html", html(target)]
    void Promise.resolve(body).then((text) => response.writeHead(200, { "content-type": type }).end(text))
  }).listen(0, "127.0.0.1")
  await once(server, "listening")
  sites.add(server)
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
}

const seenBy = (page: Page): Promise<Seen> =>
  page.evaluate(() => (globalThis as unknown as { readonly seen: Seen }).seen)

const hasSeen = (page: Page, count: number) =>
  page.waitForFunction(
    (count) => (globalThis as unknown as { readonly seen?: Seen }).seen!.ids.length >= count,
    count,
    { polling: 20 }
  )

describe.skipIf(tool.path === undefined)(`a page in a browser${tool.note}`, () => {
  let browser: Browser

  beforeAll(async () => {
    browser = await chromium.launch({
      executablePath: tool.path!,
      args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
    })
  })
  afterAll(async () => {
    await browser?.close()
    for (const server of sites) server.close()
  })
  afterEach(Child.clear)

  it("sees every event once, in order, over a restart of the service, a kill and its own reload", async () => {
    const folder = Child.folder()
    const port = await freePort()
    const start = async () => {
      const child = Child.serve(
        {
          SERVER_PORT: String(port),
          DATABASE_URL: "sqlite:./events.db",
          STELLAR_SIMULATED_INTERVAL: "0.05",
          WS_RECONNECT_SPREAD: "0.4"
        },
        folder
      )
      return { child, origin: await Child.url(child) }
    }
    const first = await start()
    const page = await browser.newPage()
    const errors: Array<string> = []
    page.on("pageerror", (error) => errors.push(String(error)))
    await page.goto(await site(first.origin))
    await hasSeen(page, 40)

    const more = async () => hasSeen(page, (await seenBy(page)).ids.length + 40)
    first.child.kill("SIGTERM")
    assert.strictEqual((await first.child.end).code, 0)
    const second = await start()
    await more()
    second.child.kill("SIGKILL")
    await second.child.end
    const third = await start()
    await more()
    await page.reload()
    await more()
    third.child.kill("SIGTERM")
    assert.strictEqual((await third.child.end).code, 0)

    // What was written is said before goodbye; the page reads it a moment later.
    const [written] = await OutboxFile.make(join(folder, "events.db")).more([channels])
    const before = await seenBy(page)
    const expected = written!.filter((id) => id > before.begun[0]!)
    await page.waitForFunction(
      (last) => (globalThis as unknown as { readonly seen: Seen }).seen.ids.at(-1)! >= last,
      expected.at(-1)!,
      { polling: 20 }
    )
    const seen = await seenBy(page)
    assert.isAtLeast(expected.length, 160)
    assert.deepStrictEqual(seen.ids, expected)
    assert.deepStrictEqual(
      seen.ledgers,
      seen.ledgers.map((_, i) => seen.ledgers[0]! + i)
    )
    assert.deepStrictEqual([seen.begun.length, seen.gaps, seen.refusals, errors], [1, [], [], []])

    const waits = seen.states.flatMap((state) => (state.status === "waiting" ? [state] : []))
    assert.deepInclude(waits[0], { close: { code: 1001, reason: "" }, failures: 0 })
    assert.isAtMost(waits[0]!.delayMs, 400)
    assert.isTrue(waits.some(({ close }) => close.code === 1006))
    const opened = seen.states.flatMap((state) => (state.status === "open" ? [state.resumed] : []))
    assert.deepStrictEqual(opened, [false, true, true, true])
    await page.close()
  }, 60_000)
})
