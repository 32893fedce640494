/**
 * An image's root run as an engine for containers runs it: its own user, folder, environment and command, as the first process of a PID namespace, with a volume of its own. The root is
 * read-only and `/tmp` is in memory, as the manifests have it. The network is the machine's.
 */
import { spawnSync } from "node:child_process"
import { chownSync, mkdirSync, readFileSync, statSync } from "node:fs"
import { join } from "node:path"
import * as Child from "./Child.js"
import type { ImageConfig } from "./ImageStore.js"

/** One that runs. */
export interface ImageContainer {
  /** What it says; its signals go to the namespace's parent, not to the service. */
  readonly child: Child.Child
  /** What the machine calls its process 1. */
  readonly pid: Promise<number>
  /** Runs the image's health check inside; its exit code and what it said. */
  readonly health: () => Promise<{ readonly code: number | null; readonly said: string }>
  /** As `docker stop` does: the image's signal to process 1, and the kill when `grace` milliseconds are over. */
  readonly stop: (grace?: number) => Promise<{
    readonly code: number | null
    readonly signal: NodeJS.Signals | null
    readonly millis: number
    readonly wasKilled: boolean
  }>
}

/** What `docker stop` waits for, in milliseconds. */
export const dockerGrace = 10_000

// Mounts are those of the namespace that it begins, and go with it.
const script = `set -e
mount --bind "$ROOT" "$ROOT"
mount --bind "$VOLUME" "$ROOT/data"
mount --rbind /dev "$ROOT/dev"
mount -t tmpfs tmpfs "$ROOT/tmp"
mount -o remount,bind,ro "$ROOT"
exec unshare --pid --fork --kill-child --mount-proc --root="$ROOT" --wd="$FOLDER" --setuid "$USER" --setgid "$GROUP" env -i "$@"`

/** Whether this machine allows it: Linux, as root. */
export const isPermitted: boolean =
  process.platform === "linux" &&
  process.getuid?.() === 0 &&
  spawnSync("unshare", ["--mount", "--pid", "--fork", "--mount-proc", "true"]).status === 0

/** The child of `parent` that runs `program`; undefined while it is still something else, such as one of the mounts before it. */
const childThatRuns = (parent: number, program: string): number | undefined => {
  try {
    const [pid] = readFileSync(`/proc/${parent}/task/${parent}/children`, "utf8").split(" ")
    const command = readFileSync(`/proc/${pid}/cmdline`, "utf8")
    return command.startsWith(`${program}\0`) ? Number(pid) : undefined
  } catch {
    return undefined
  }
}

/** Process 1, once it is the image's program and no more the `env` before it. */
const processOne = async (child: Child.Child, program: string): Promise<number> => {
  for (let i = 0; i < 5000; i++) {
    const pid = childThatRuns(child.pid, program)
    if (pid !== undefined) return pid
    await new Promise((next) => setTimeout(next, 1))
  }
  throw new Error(`the image's program does not run\n${child.stderr()}`)
}

/** An empty volume as an engine makes it: with the owner of the image's folder. */
export const volume = (root: string): string => {
  const folder = join(Child.folder(), "volume")
  mkdirSync(folder)
  const { gid, uid } = statSync(join(root, "data"))
  chownSync(folder, uid, gid)
  return folder
}

/** Starts the image's own command with `env` added to its environment, as `docker run --env` does. */
export const start = (
  image: { readonly config: ImageConfig; readonly root: string },
  at: string,
  env: Record<string, string>
): ImageContainer => {
  const { config, root } = image
  const [user, group] = config.User.split(":") as [string, string]
  const environment = [...config.Env, ...Object.entries(env).map(([key, value]) => `${key}=${value}`)]
  const child = Child.start(
    ["--mount", "sh", "-c", script, "sh", ...environment, ...config.Entrypoint, ...config.Cmd],
    { ROOT: root, VOLUME: at, FOLDER: config.WorkingDir, USER: user, GROUP: group },
    undefined,
    "unshare"
  )
  const pid = processOne(child, config.Entrypoint[0]!)
  // Whoever awaits it hears of it; a test that ended earlier does not.
  pid.catch(() => {})
  return {
    child,
    pid,
    health: async () => {
      const inside = [
        "--target",
        String(await pid),
        "--pid",
        "--mount",
        "--root",
        `--wdns=${config.WorkingDir}`
      ]
      const [, ...command] = config.Healthcheck.Test
      const check = Child.start(
        [...inside, "--setuid", user, "--setgid", group, "env", "-i", ...environment, ...command],
        {},
        undefined,
        "nsenter"
      )
      const { code } = await check.end
      return { code, said: `${check.stdout()}${check.stderr()}`.trim() }
    },
    stop: async (grace = dockerGrace) => {
      const from = performance.now()
      const one = await pid
      let wasKilled = false
      process.kill(one, config.StopSignal)
      const timer = setTimeout(() => {
        wasKilled = true
        process.kill(one, "SIGKILL")
      }, grace)
      const { code, signal } = await child.end
      clearTimeout(timer)
      return { code, signal, millis: Math.round(performance.now() - from), wasKilled }
    }
  }
}
