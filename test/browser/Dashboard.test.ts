import { afterAll, afterEach, assert, beforeAll, describe, it } from "@effect/vitest"
import { type Browser, type Page, chromium } from "playwright-core"
import * as Child from "../support/Child.js"
import { freePort } from "../support/FreePort.js"
import * as Installed from "../support/Installed.js"

const tool = await Installed.tool("chromium", "chromium")

const patience = { timeout: 20_000 }

/** Waits until the element with this id says so; fails with what it says instead. */
const says = async (page: Page, id: string, wanted: RegExp) => {
  await page
    .locator(`#${id}`)
    .filter({ hasText: wanted })
    .waitFor(patience)
    .catch(async () => {
      assert.match((await page.locator(`#${id}`).textContent()) ?? "", wanted, `#${id}`)
    })
}

/** The ledgers in the drawing, as their titles say them. */
const drawn = async (page: Page) =>
  (await page.locator("#chart title").allTextContents()).map((title) => {
    const [, sequence, came] = /^ledger (\d+): .*, (read|live|caught up)$/.exec(title)!
    return { sequence: Number(sequence), came }
  })

/** Every ledger of the drawing follows the one before. */
const isGapless = (ledgers: ReadonlyArray<{ readonly sequence: number }>) =>
  assert.deepStrictEqual(
    ledgers.map(({ sequence }) => sequence),
    ledgers.map((_, i) => ledgers[0]!.sequence + i)
  )

/** Waits until so many ledgers have come by event. */
const live = (page: Page, count: number) =>
  page
    .locator("#chart .came-live, #chart .came-caught")
    .nth(count - 1)
    .waitFor({ ...patience, state: "attached" })

const overflow = (page: Page) => page.locator("html").evaluate((html) => html.scrollWidth - html.clientWidth)

describe.skipIf(tool.path === undefined)(`the dashboard in a browser${tool.note}`, () => {
  let browser: Browser

  beforeAll(async () => {
    browser = await chromium.launch({
      executablePath: tool.path!,
      args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
    })
  })
  afterAll(() => browser?.close())
  afterEach(Child.clear)

  /** A page that says what was wrong with it: what it loads from elsewhere, what its policy forbids, what its script throws. */
  const open = async (url: string, width = 1280) => {
    const page = await browser.newPage({ viewport: { width, height: 800 } })
    const faults: Array<string> = []
    page.on("pageerror", (error) => faults.push(String(error)))
    page.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warning") faults.push(message.text())
    })
    page.on("request", (request) => {
      if (new URL(request.url()).origin !== new URL(url).origin) faults.push(`asks for ${request.url()}`)
    })
    await page.goto(url)
    return { page, faults }
  }

  it("shows a service, says that it stops and that it is away, and goes on without a gap when it is back", async () => {
    const folder = Child.folder()
    const port = await freePort()
    const start = async () => {
      const child = Child.serve(
        { SERVER_PORT: String(port), STELLAR_SIMULATED_INTERVAL: "0.1", WS_RECONNECT_SPREAD: "0.5" },
        folder
      )
      return { child, url: await Child.url(child) }
    }
    const first = await start()
    const { faults, page } = await open(first.url)
    await says(page, "state", /^Ready$/)
    await says(page, "readiness", /waits for nothing/)
    await says(page, "live", /^Live/)
    await says(page, "last-stop-summary", /Nothing is known/)
    await live(page, 5)
    await page.locator("#payments tr").first().waitFor(patience)
    await page.locator("#tasks tr").filter({ hasText: "ledger-ingestion" }).waitFor(patience)
    await says(page, "cache", /Hits/)
    await says(page, "phases", /ready/)
    assert.strictEqual(await page.locator("[aria-current]").textContent(), "ready")
    assert.deepStrictEqual(faults, [])

    first.child.kill("SIGTERM")
    assert.strictEqual((await first.child.end).code, 0)
    await says(page, "journal", /The service is stopping\. It asks to come back [\d.]+ s later/)
    await says(page, "state", /^Away$/)
    await says(page, "readiness", /does not answer/)
    // What it has shown stays.
    isGapless(await drawn(page))

    const second = await start()
    await says(page, "live", /^Reconnected after [\d.]+ s, [\d,]+ events? caught up, none lost\.$/)
    await says(page, "state", /^Ready$/)
    const before = (await drawn(page)).filter(({ came }) => came !== "read").length
    await live(page, before + 3)
    await says(page, "chain", /, none missing$/)
    const ledgers = await drawn(page)
    isGapless(ledgers)
    assert.isNotEmpty(await page.locator("#chart .return").all(), "where it was away is marked")

    await says(page, "last-stop-summary", /SIGTERM · no request cut · exit code 0, clean/)
    await says(page, "last-stop-took", /^Stopped in/)
    const steps = await page.locator("#waterfall .step th").allTextContents()
    assert.includeMembers(steps, ["http", "realtime", "ledger-ingestion", "database"])
    assert.deepStrictEqual(await page.locator("#waterfall .phase th").allTextContents(), [
      "announcing",
      "draining",
      "releasing"
    ])
    // Every bar lies on the line of time.
    const outside = await page.locator("#waterfall td.track").evaluateAll(
      (tracks) =>
        tracks.filter((track) => {
          const line = track.getBoundingClientRect()
          const bar = track.firstElementChild!.getBoundingClientRect()
          return bar.left < line.left - 1 || bar.right > line.right + 4 || bar.width < 1
        }).length
    )
    assert.strictEqual(outside, 0)

    await page.setViewportSize({ width: 390, height: 844 })
    assert.isAtMost(await overflow(page), 0)
    await page.close()
    second.child.kill("SIGTERM")
    assert.strictEqual((await second.child.end).code, 0)
  }, 60_000)

  it("asks for the token where there is one, and shows what it can without", async () => {
    const child = Child.serve({ STELLAR_SIMULATED_INTERVAL: "0.1", WS_AUTH_TOKEN: "the-token-of-the-test" })
    const { page } = await open(await Child.url(child), 390)
    await says(page, "state", /^Ready$/)
    const form = page.locator("#token-form")
    await form.waitFor(patience)
    await page.locator("#ledgers tr").first().waitFor(patience)
    assert.isAtMost(await overflow(page), 0)

    const give = async (token: string) => {
      await page.locator("#token").fill(token)
      await page.locator("#token").press("Enter")
    }
    await give("another-token-of-it")
    await says(page, "token-hint", /does not accept/)
    await give("the-token-of-the-test")
    await says(page, "live", /^Live/)
    await form.waitFor({ ...patience, state: "hidden" })
    await live(page, 2)

    // The tab keeps it.
    await page.reload()
    await says(page, "live", /^Live/)
    assert.isFalse(await form.isVisible())
    await page.close()
    child.kill("SIGTERM")
    await child.end
  }, 60_000)
})
