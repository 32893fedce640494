/**
 * Programs that tests run and the project does not bring along. One that is missing is installed from Debian's packages where that is allowed: as root
 * on Debian, when `CI` or `SETUP_INSTALL` says so. Elsewhere its tests are skipped, and their title says what to install.
 */
import { execFile } from "node:child_process"
import { accessSync, constants, existsSync, statSync } from "node:fs"
import { delimiter, join } from "node:path"

/** Whether a program is there. */
export interface Tool {
  /** Where it is; none when it is not there. */
  readonly path: string | undefined
  /** What titles of tests end in: why they are skipped, nothing when they are not. */
  readonly note: string
}

/** Where to look, and what is allowed. */
export interface Place {
  /** Folders to look in, as in `PATH`. */
  readonly path: string
  /** Whether packages may be installed. */
  readonly mayInstall: boolean
  /** Held while packages are installed: test files run in processes of their own, at the same time. */
  readonly lock: string
}

const isYes = (value: string | undefined): boolean => value !== undefined && !/^(|0|false|no)$/i.test(value)

/** This machine. */
const here = (): Place => ({
  // Programs for administrators are not on everybody's path.
  path: [process.env.PATH ?? "", "/usr/local/sbin", "/usr/sbin", "/sbin"].join(delimiter),
  mayInstall:
    existsSync("/etc/debian_version") &&
    process.getuid?.() === 0 &&
    (isYes(process.env.CI) || isYes(process.env.SETUP_INSTALL)),
  lock: "/run/stellar-insights-install.lock"
})

/** The whole name of a program on the path. */
const find = (command: string, path: string): string | undefined =>
  path
    .split(delimiter)
    .filter((folder) => folder !== "")
    .map((folder) => join(folder, command))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK)
        return statSync(file).isFile()
      } catch {
        return false
      }
    })

// Whoever had to wait for the lock finds that another one has done it.
const script = `command -v "$1" > /dev/null && exit 0
apt-get -q update && apt-get -q install --yes --no-install-recommends "$2"`

/** Installs a package; gives what went wrong. */
const install = (command: string, from: string, place: Place) =>
  new Promise<string | undefined>((resolve) => {
    const args = ["300", "flock", place.lock, "sh", "-c", script, "sh", command, from]
    // At run level 1 no server is started that comes with a package.
    const env = { ...process.env, PATH: place.path, DEBIAN_FRONTEND: "noninteractive", RUNLEVEL: "1" }
    execFile("timeout", args, { env, maxBuffer: 2 ** 26 }, (error, stdout, stderr) => {
      if (error === null) {
        if (stdout !== "") process.stderr.write(`installed Debian's package ${from} for the tests\n`)
        return resolve(undefined)
      }
      const [last] = stderr.trim().split("\n").slice(-1)
      resolve(last === undefined || last === "" ? error.message : last)
    })
  })

const known = new Map<string, Promise<Tool>>()

/** As {@link tool}, of another place. */
export const toolIn = async (place: Place, command: string, from: string): Promise<Tool> => {
  const found = find(command, place.path)
  if (found !== undefined) return { path: found, note: "" }
  const failed = place.mayInstall ? await install(command, from, place) : undefined
  const path = find(command, place.path)
  if (path !== undefined) return { path, note: "" }
  const how = place.mayInstall
    ? `installing Debian's package ${from} failed: ${failed ?? "the program is not in it"}`
    : `apt-get install ${from}, or as root on Debian run the tests with SETUP_INSTALL=1`
  return { path, note: ` (skipped where there is no ${command}: ${how})` }
}

/**
 * Finds the program `command`, or installs `from`, the package that has it. Never fails. For the top of a test file:
 * `const redis = await Installed.tool("redis-server", "redis-server")`, then
 * `describe.skipIf(redis.path === undefined)(`a store${redis.note}`, …)`.
 */
export const tool = (command: string, from: string): Promise<Tool> => {
  const key = `${command} ${from}`
  const asked = known.get(key) ?? toolIn(here(), command, from)
  known.set(key, asked)
  return asked
}
