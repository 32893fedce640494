/** The compose file and its proxy say what these understand, and fit each other and the service. */
import { assert, describe, it } from "@effect/vitest"
import { spawnSync } from "node:child_process"
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import * as Dockerfile from "./support/Dockerfile.js"
import * as Shipped from "./support/Shipped.js"

const { at } = Shipped

describe("compose", () => {
  const compose = Shipped.compose()

  it("has only fields that compose knows", () => {
    const known = new Set(
      (
        "build cap_drop command depends_on env_file environment healthcheck hostname image ports profiles read_only restart security_opt " +
        "stop_grace_period tmpfs ulimits volumes"
      ).split(" ")
    )
    const top = Object.keys(compose).filter((key) => !key.startsWith("x-"))
    assert.sameMembers(top, ["name", "services", "volumes", "networks"])
    for (const [name, service] of Object.entries(compose.services)) {
      assert.deepStrictEqual(
        Object.keys(service).filter((key) => !known.has(key)),
        [],
        name
      )
      const health = Object.keys((service["healthcheck"] as object | undefined) ?? {})
      assert.includeMembers(
        ["test", "interval", "timeout", "retries", "start_period", "start_interval"],
        health
      )
    }
  })

  it("names volumes, services and files that are there, and values that are text", () => {
    for (const [name, service] of Object.entries(compose.services)) {
      for (const needed of Object.keys((service["depends_on"] as object | undefined) ?? {})) {
        const other = compose.services[needed]
        assert.isDefined(other, `${name} needs ${needed}`)
        // What is started only on request cannot be needed by what is always started.
        assert.includeMembers([...(service.profiles ?? []), undefined], [other?.profiles?.[0]])
      }
      for (const volume of (service["volumes"] as ReadonlyArray<string> | undefined) ?? []) {
        const [source] = volume.split(":") as [string]
        if (source.startsWith(".")) assert.isTrue(existsSync(join("deploy", source)), source)
        else assert.property(compose["volumes"], source)
      }
      for (const value of Object.values(service.environment ?? {})) assert.isString(value)
      assert.notMatch(service.image, /:latest$|^[^:]+$/)
    }
  })

  it("the health check is the image's", () => {
    const [health] = Dockerfile.stages(Dockerfile.text())
      .at(-1)!
      .flatMap(({ keyword, text }) => (keyword === "HEALTHCHECK" ? [text.split("CMD ")[1]!] : []))
    for (const service of Object.values(compose.services)) {
      if (service.build === undefined) continue
      assert.deepStrictEqual(at(service, "healthcheck.test"), ["CMD", ...Dockerfile.execForm(health!)!])
    }
  })

  it("the pair is the same twice, but for its names", () => {
    const { blue, green } = compose.services
    assert.deepStrictEqual(blue!.profiles, ["blue-green"])
    assert.strictEqual(blue!.stop_grace_period, "12s")
    const painted = (service: unknown) => JSON.stringify(service).replaceAll(/blue|green/gi, "colour")
    assert.strictEqual(painted(blue), painted(green))
    // Processes tell each other apart by host and process id, and all are process 1.
    const names = Object.values(compose.services).flatMap(({ hostname }) => hostname ?? [])
    assert.lengthOf(new Set(names), 3)
    const records = Object.values(compose.services).flatMap(
      ({ environment }) => environment?.["SHUTDOWN_REPORT_FILE"] ?? []
    )
    assert.lengthOf(new Set(records), 3)
  })

  it("whoever is believed about clients' addresses is in the network of the file", () => {
    const [{ subnet }] = at(compose, "networks.default.ipam.config") as [{ subnet: string }]
    assert.strictEqual(compose.services["blue"]!.environment!["TRUSTED_PROXIES"], subnet)
  })
})

describe("HAProxy", () => {
  const text = readFileSync("deploy/haproxy/haproxy.cfg", "utf8")
  const { blue } = Shipped.compose().services

  it("asks for readiness where it is answered until the end, and sees a replica go before its announcement is over", () => {
    const [, port, every, fall] = /check port (\d+) inter (\d+)ms fall (\d+)/.exec(text)!
    assert.strictEqual(port, blue!.environment!["HEALTH_PORT"])
    assert.match(text, /uri \/health\/ready /)
    // The last check may have to be waited for.
    const check = Shipped.millis(/timeout check (\S+)/.exec(text)![1]!)
    assert.isBelow(Number(every) * Number(fall), Number(blue!.environment!["SHUTDOWN_ANNOUNCE_DELAY"]) * 1000)
    assert.isAtMost(check, 1000)
  })

  it("may open as many files as its connections need: it does not start otherwise", () => {
    const connections = Number(/^\s*maxconn (\d+)$/m.exec(text)![1])
    const allowed = Number(at(Shipped.compose().services["proxy"], "ulimits.nofile"))
    assert.isAtLeast(allowed, 2 * connections + 1000)
  })

  it("closes idle connections before the service would", () => {
    assert.isBelow(Shipped.millis(/timeout http-keep-alive (\S+)/.exec(text)![1]!), 65_000)
  })

  const program = ["/usr/sbin/haproxy", "/usr/local/sbin/haproxy"].find((file) => existsSync(file))
  it.skipIf(program === undefined)("finds no fault in it (needs haproxy)", () => {
    const { status, stderr } = spawnSync(program!, ["-c", "-f", "deploy/haproxy/haproxy.cfg"], {
      encoding: "utf8"
    })
    assert.strictEqual(status, 0, stderr)
  })
})
