import { afterEach, assert, beforeEach, describe, it } from "@effect/vitest"
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import * as Http from "node:http"
import * as Net from "node:net"
import { dirname, join } from "node:path"
import * as Arguments from "../../src/cli/health/Arguments.js"
import * as Health from "../../src/cli/health/Health.js"
import * as Where from "../../src/cli/health/Where.js"
import * as Child from "../support/Child.js"

const servers = new Set<Net.Server>()
const sockets = new Set<Net.Socket>()

const listen = async (server: Net.Server, port = 0): Promise<number> => {
  servers.add(server)
  server.on("connection", (socket: Net.Socket) => {
    sockets.add(socket)
    socket.on("error", () => {})
  })
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject)
    server.listen(port, "127.0.0.1", resolve)
  })
  return (server.address() as Net.AddressInfo).port
}

const close = (server: Net.Server) => {
  for (const socket of sockets) socket.destroy()
  return new Promise((resolve) => server.close(resolve))
}

afterEach(async () => {
  await Promise.all([...servers].map(close))
  servers.clear()
  sockets.clear()
  Child.clear()
})

/** A server that answers every request with what `answer` says. */
const answering = (answer: (request: Http.IncomingMessage, response: Http.ServerResponse) => void) =>
  listen(Http.createServer(answer))

/** A server that writes `bytes` to whoever connects, and then does nothing or closes. */
const writing = (bytes: string, then: "hang" | "close" = "hang") =>
  listen(
    Net.createServer((socket) => {
      socket.once("data", () => {
        socket.write(bytes)
        if (then === "close") socket.end()
      })
    })
  )

/** A port at which nothing listens. */
const nobody = async () => {
  const server = Net.createServer()
  const port = await listen(server)
  await close(server)
  return port
}

const at = (port: number, path = "/health/ready") => new URL(`http://127.0.0.1:${port}${path}`)

const once = (port: number, timeout = 2000) => Health.look(at(port), { timeout, wait: undefined })

const problem = JSON.stringify({
  status: 503,
  detail: "ledgers: nothing was taken yet",
  phase: "starting",
  reasons: []
})

describe("one look", () => {
  it("200 is ready", async () => {
    const port = await answering((_, response) =>
      response.end(JSON.stringify({ status: "ready", phase: "ready" }))
    )
    const { attempts, code, seen } = await once(port)
    assert.deepInclude(seen, { state: "ready", status: 200, phase: "ready" })
    assert.deepStrictEqual([code, attempts], [0, 1])
  })

  it("200 without something is ready, and says what and why", async () => {
    const degraded = [{ name: "redis", reason: "it does not answer" }, 7, { name: "b", reason: "c" }]
    const port = await answering((_, response) =>
      response.end(JSON.stringify({ status: "degraded", phase: "ready", degraded }))
    )
    const { code, seen } = await once(port)
    assert.deepInclude(seen, { state: "ready", degraded: "redis: it does not answer; b: c" })
    assert.strictEqual(code, 0)
  })

  it("503 is not, and says why", async () => {
    const port = await answering((_, response) => response.writeHead(503).end(problem))
    const { code, seen } = await once(port)
    assert.deepInclude(seen, {
      state: "not ready",
      status: 503,
      phase: "starting",
      detail: "answered 503: ledgers: nothing was taken yet"
    })
    assert.strictEqual(code, 1)
  })

  it.each([302, 404, 500])("%d is not, whatever its body", async (status) => {
    const port = await answering((_, response) =>
      response.writeHead(status, { location: "/elsewhere" }).end("<html>")
    )
    const { code, seen } = await once(port)
    assert.deepInclude(seen, { state: "not ready", status, detail: `answered ${status}` })
    assert.strictEqual(code, 1)
  })

  it.each([
    ["bytes that are no HTTP", "220 mail.example.org ESMTP\r\n", "hang", "broken", /not HTTP/],
    [
      "an answer that is cut off",
      "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf",
      "close",
      "broken",
      /cut off/
    ],
    ["no answer at all", "", "close", "broken", /hang up/],
    [
      "an answer that never ends",
      "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf",
      "hang",
      "silent",
      /within 0\.3 s/
    ],
    ["a server that hangs", "", "hang", "silent", /within 0\.3 s/]
  ] as const)("%s is unhealthy", async (_, bytes, then, state, detail) => {
    const { code, seen } = await once(await writing(bytes, then), 300)
    assert.strictEqual(seen.state, state)
    assert.match(seen.detail, detail)
    assert.isBelow(seen.millis, 1000)
    assert.strictEqual(code, 1)
  })

  it("an endless answer is read no further than it needs", async () => {
    const port = await answering((_, response) => {
      const timer = setInterval(() => response.write("x".repeat(8192)), 1)
      response.on("close", () => clearInterval(timer))
    })
    assert.deepInclude((await once(port)).seen, { state: "ready", status: 200 })
  })

  it("nobody there", async () => {
    const { code, seen } = await once(await nobody())
    assert.strictEqual(seen.state, "gone")
    assert.strictEqual(code, 1)
  })

  it("a host that nobody knows", async () => {
    const { code, seen } = await Health.look(new URL("http://no-such-host.invalid:1/"), {
      timeout: 5000,
      wait: undefined
    })
    assert.oneOf(seen.state, ["broken", "silent"])
    assert.strictEqual(code, 1)
  })
})

describe("waiting", () => {
  it("until it is ready: refused, then 503, then 200", async () => {
    const port = await nobody()
    const states: Array<string> = []
    let isReady = false
    const waiting = Health.look(
      at(port),
      { timeout: 1000, wait: { until: "ready", within: 5000 } },
      ({ state }) => {
        states.push(state)
        if (states.length === 1) {
          const server = Http.createServer((_, response) => {
            response.writeHead(isReady ? 200 : 503).end(problem)
            isReady = true
          })
          void listen(server, port)
        }
      }
    )
    assert.strictEqual((await waiting).code, 0)
    assert.deepStrictEqual(states, ["gone", "not ready", "ready"])
  })

  it("for no longer than it was told", async () => {
    const port = await answering((_, response) => response.writeHead(503).end(problem))
    const { attempts, code, millis } = await Health.look(at(port), {
      timeout: 1000,
      wait: { until: "ready", within: 350 }
    })
    assert.strictEqual(code, 1)
    assert.isAtLeast(attempts, 3)
    assert.isAtLeast(millis, 350)
    assert.isBelow(millis, 900)
  })

  it("a server that hangs is not waited for beyond the whole", async () => {
    const { code, millis } = await Health.look(at(await writing("")), {
      timeout: 10_000,
      wait: { until: "ready", within: 300 }
    })
    assert.strictEqual(code, 1)
    assert.isBelow(millis, 900)
  })

  it("until nothing listens, though it answers nothing else than 503", async () => {
    const server = Http.createServer((_, response) => response.writeHead(503).end())
    const port = await listen(server)
    let looks = 0
    const { code, seen } = await Health.look(
      at(port),
      { timeout: 1000, wait: { until: "shutdown", within: 5000 } },
      ({ state }) => {
        if (state === "listening" && ++looks === 3) void close(server)
      }
    )
    assert.deepStrictEqual([code, seen.state, looks], [0, "gone", 3])
  })

  it("a server that hangs has not stopped", async () => {
    const { code, seen } = await Health.look(at(await writing("")), {
      timeout: 200,
      wait: { until: "shutdown", within: 400 }
    })
    assert.deepStrictEqual([code, seen.state], [1, "listening"])
  })
})

describe("arguments", () => {
  it("defaults", () => {
    assert.deepStrictEqual(Arguments.read([]), {
      url: undefined,
      timeout: 5000,
      wait: undefined,
      verbose: false,
      json: false,
      help: false
    })
  })

  it("everything", () => {
    const read = Arguments.read([
      "--url=http://example.org",
      "--timeout",
      "0.25",
      "--wait-shutdown",
      "30",
      "--verbose",
      "--json"
    ])
    assert.strictEqual(read.url?.href, "http://example.org/health/ready")
    assert.deepInclude(read, { timeout: 250, verbose: true, json: true })
    assert.deepStrictEqual(read.wait, { until: "shutdown", within: 30_000 })
    assert.strictEqual(
      Arguments.read(["--url", "http://[::1]:1/live?x=1"]).url?.href,
      "http://[::1]:1/live?x=1"
    )
  })

  it.each([
    [
      ["--url", "localhost:8080"],
      ["--url", "localhost:8080", "http://host:port/path"]
    ],
    [
      ["--url", "ftp://host/"],
      ["--url", "ftp://host/"]
    ],
    [
      ["--url", "http://host:99999/"],
      ["--url", "99999"]
    ],
    [
      ["--url", "http://me:secret@host/"],
      ["--url", "passwords"]
    ],
    [
      ["--timeout", "soon"],
      ["--timeout", "soon", "0.01 to 3600"]
    ],
    [
      ["--timeout", ""],
      ["--timeout", "0.01 to 3600"]
    ],
    [
      ["--timeout", "0"],
      ["--timeout", "0.01"]
    ],
    [["--timeout=-1"], ["--timeout", "-1", "0.01"]],
    [
      ["--wait-ready", "1e3"],
      ["--wait-ready", "1e3"]
    ],
    [
      ["--wait-ready", "3601"],
      ["--wait-ready", "3600"]
    ],
    [["--wait-ready"], ["--wait-ready"]],
    [["--wait-ready", "1", "--wait-shutdown", "1"], ["exclude"]],
    [
      ["--timeout", "1", "--timeout", "2"],
      ["--timeout", "twice"]
    ],
    [["--verbose=yes"], ["--verbose"]],
    [["--nonsense"], ["--nonsense"]],
    [["now"], ["now"]]
  ] as const)("%j is refused", (args, said) => {
    try {
      Arguments.read(args)
    } catch (error) {
      assert.instanceOf(error, Arguments.Refused)
      for (const word of said) assert.include((error as Error).message, word)
      return
    }
    assert.fail("it was taken")
  })
})

describe("where the service of the environment is", () => {
  const keys = ["HEALTH_PORT", "SERVER_PORT", "SERVER_HOST", "SETTINGS_FILE"]
  const before = keys.map((key) => [key, process.env[key]] as const)
  const cwd = process.cwd()
  beforeEach(() => {
    for (const key of keys) delete process.env[key]
  })
  afterEach(() => {
    for (const [key, value] of before) {
      if (value === undefined) delete process.env[key]
      else process.env[key] = value
    }
  })

  it.each([
    [{}, "http://127.0.0.1:8080/health/ready"],
    [{ SERVER_PORT: "9000" }, "http://127.0.0.1:9000/health/ready"],
    [{ SERVER_PORT: "9000", HEALTH_PORT: "9001" }, "http://127.0.0.1:9001/health/ready"],
    [{ SERVER_HOST: "::", HEALTH_PORT: "9001" }, "http://[::1]:9001/health/ready"],
    [{ SERVER_HOST: "10.1.2.3" }, "http://10.1.2.3:8080/health/ready"]
  ] as const)("%j", async (env, url) => {
    Object.assign(process.env, env)
    assert.strictEqual((await Where.url()).href, url)
  })

  it.each([
    [{ SERVER_PORT: "web" }, ["SERVER_PORT", "web", "65535"]],
    [{ HEALTH_PORT: "" }, ["HEALTH_PORT", "65535"]],
    [{ HEALTH_PORT: "0" }, ["HEALTH_PORT", "--url"]],
    [{ SERVER_HOST: "not a host" }, ["SERVER_HOST", "not a host"]],
    [{ SETTINGS_FILE: "no-such-file.toml" }, ["SETTINGS_FILE", "no-such-file.toml"]]
  ] as const)("%j is refused", async (env, said) => {
    Object.assign(process.env, env)
    const error: Error = await Where.url().then(
      () => assert.fail("it was taken"),
      (error) => error
    )
    assert.instanceOf(error, Arguments.Refused)
    for (const word of said) assert.include(error.message, word)
  })

  it("the environment wins over .env, and that over the settings file, key by key", async () => {
    const folder = Child.folder()
    mkdirSync(join(folder, "config"))
    writeFileSync(join(folder, "config/settings.toml"), "server_port = 7000\n[server]\nhost = '127.0.0.9'\n")
    writeFileSync(join(folder, ".env"), "SERVER_PORT=7001\n")
    const child = Child.start([Child.bin, "health", "--json"], {}, folder)
    await child.end
    assert.strictEqual(child.lines()[0]?.["url"], "http://127.0.0.9:7001/health/ready")
    const over = Child.start([Child.bin, "health", "--json"], { SERVER_PORT: "7002" }, folder)
    await over.end
    assert.strictEqual(over.lines()[0]?.["url"], "http://127.0.0.9:7002/health/ready")
    assert.strictEqual(process.cwd(), cwd)
  })
})

describe("the command", () => {
  const health = async (args: ReadonlyArray<string>, env: Record<string, string> = {}) => {
    const child = Child.start([Child.bin, "health", ...args], env)
    const { code } = await child.end
    return { code, stdout: child.stdout(), stderr: child.stderr(), lines: child.lines() }
  }

  it("exit 0, one line", async () => {
    const port = await answering((_, response) => response.end("{}"))
    const { code, stderr, stdout } = await health([], { SERVER_PORT: String(port) })
    assert.strictEqual(code, 0)
    assert.match(stdout, /^ready: http:\/\/127\.0\.0\.1:\d+\/health\/ready answered 200 \(\d+ ms\)\n$/)
    assert.strictEqual(stderr, "")
  })

  it("exit 1, one line on stderr", async () => {
    const port = await answering((_, response) => response.writeHead(503).end(problem))
    const { code, stderr, stdout } = await health(["--url", at(port).href])
    assert.strictEqual(code, 1)
    assert.match(stderr, /^not ready: .* answered 503: ledgers: nothing was taken yet \(\d+ ms\)\n$/)
    assert.strictEqual(stdout, "")
  })

  it("exit 2, one line on stderr, for usage and for configuration", async () => {
    const { code, stderr, stdout } = await health(["--nonsense"])
    assert.deepStrictEqual([code, stdout], [2, ""])
    assert.match(stderr, /^stellar-insights health: .*--nonsense.*\n$/)
    const wrong = await health([], { HEALTH_PORT: "web" })
    assert.strictEqual(wrong.code, 2)
    assert.match(wrong.stderr, /^stellar-insights health: HEALTH_PORT: "web".*\n$/)
  })

  it("--json is one line, --verbose tells of every attempt", async () => {
    const port = await nobody()
    const { code, lines, stderr, stdout } = await health([
      "--url",
      at(port).href,
      "--wait-ready",
      "0.5",
      "--json",
      "--verbose"
    ])
    assert.strictEqual(code, 1)
    assert.lengthOf(stdout.trim().split("\n"), 1)
    assert.deepInclude(lines[0], { ok: false, state: "gone", url: at(port).href })
    const told = stderr.trim().split("\n")
    assert.isAtLeast(told.length, 3)
    assert.strictEqual(told.length, lines[0]?.["attempts"])
    for (const line of told) assert.match(line, /^\d{4}-.*Z gone: nothing listens/)
  })

  it("--help, and a place in the help of the whole", async () => {
    const own = await health(["--help"])
    assert.strictEqual(own.code, 0)
    assert.include(own.stdout, "--wait-shutdown S")
    const whole = Child.start([Child.bin, "--help"])
    await whole.end
    assert.match(whole.stdout(), /health\s+Ask a service whether it is ready/)
  })

  it("watches the service come and go", async () => {
    const port = await nobody()
    const waiting = health(["--url", at(port).href, "--wait-ready", "20"])
    const child = Child.serve({ SERVER_PORT: String(port) })
    assert.strictEqual((await waiting).code, 0)
    const going = health(["--url", at(port).href, "--wait-shutdown", "20"])
    await new Promise((resolve) => setTimeout(resolve, 300))
    child.kill("SIGTERM")
    assert.match((await going).stdout, /^stopped: /)
    assert.strictEqual((await child.end).code, 0)
  })

  it("loads little: what the entry imports for it is small, and nothing of Effect", () => {
    const folder = dirname(Child.bin)
    const text = (name: string) => readFileSync(join(folder, name), "utf8")
    const first = /import\("\.\/(Health-\w+\.mjs)"\)/.exec(text("stellar-insights.mjs"))?.[1]
    const loaded = new Set([first!])
    for (const name of loaded) {
      for (const [, next] of text(name).matchAll(/^(?:import|\} from) ?.*"\.\/([\w-]+\.mjs)"/gm))
        loaded.add(next!)
    }
    const code = [...loaded].map(text).join("\n")
    assert.include(code, "wait-shutdown")
    assert.isBelow(code.length, 64 * 1024)
    assert.notMatch(code, /node_modules\/effect\//)
  })
})
