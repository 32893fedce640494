/**
 * Our Dockerfile, built where there is no Docker: by buildah, as root, in folders of the test. What a registry would give is made here: a base that debootstrap takes from Debian, with
 * the Node that runs the test, or the one in the folder `IMAGE_NODE`. How this machine reaches Debian and npm is asked of its apt and its npm.
 *
 * Everything is in one folder, which is removed, or kept for the next time where `IMAGE_STORE` names it.
 */
import { execFile, execFileSync } from "node:child_process"
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync
} from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join, resolve } from "node:path"

/** What a container's engine reads of an image. */
export interface ImageConfig {
  readonly User: string
  readonly Env: ReadonlyArray<string>
  readonly Entrypoint: ReadonlyArray<string>
  readonly Cmd: ReadonlyArray<string>
  readonly Healthcheck: { readonly Test: ReadonlyArray<string> }
  readonly StopSignal: NodeJS.Signals
  readonly Volumes: Readonly<Record<string, object>>
  readonly WorkingDir: string
}

/** A place for images. */
export interface ImageStore {
  /** Whether our image is there from an earlier run. */
  readonly isBuilt: () => Promise<boolean>
  /** Makes the base, unless it is there. */
  readonly makeBase: () => Promise<void>
  /** Builds the Dockerfile. */
  readonly build: () => Promise<void>
  /** What our image says of itself, and a copy of its root, unpacked. */
  readonly unpack: () => Promise<{ readonly config: ImageConfig; readonly root: string }>
  /** Takes everything away that does not stay for the next time. */
  readonly close: () => Promise<void>
}

const kept = process.env["IMAGE_STORE"]

/** Whether an earlier run may have left an image. */
export const isKept = kept !== undefined && existsSync(kept)

/** The Node of the image. */
const program = process.env["IMAGE_NODE"] ?? resolve(dirname(realpathSync(process.execPath)), "..")

/** Runs a program to its end; its output, or an error with the last lines of it. */
const run = (
  command: string,
  args: ReadonlyArray<string>,
  env: Record<string, string> = {}
): Promise<string> =>
  new Promise((done, fail) => {
    // Programs for administrators are not on everybody's path.
    const path = `${process.env["PATH"]}:/usr/sbin:/sbin`
    const options = { env: { ...process.env, PATH: path, ...env }, maxBuffer: 2 ** 28 }
    execFile(command, args, options, (error, stdout, stderr) => {
      if (error === null) return done(stdout)
      const tail = `${stdout}\n${stderr}`.split("\n").slice(-40).join("\n")
      fail(new Error(`${command} ${args.join(" ")}: ${error.message.split("\n")[0]}\n${tail}`))
    })
  })

const say = (command: string, ...args: ReadonlyArray<string>): string =>
  execFileSync(command, args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim()

/** Where this machine's apt takes Debian from, and what release it takes. */
const mirror = (): { readonly site: string; readonly release: string } => {
  const targets = say(
    "apt-get",
    "indextargets",
    "--format",
    "$(SITE) $(RELEASE)",
    "Created-By: Packages"
  ).split("\n")
  const [site, release] = (targets.find((line) => /^\S+ [a-z]+$/.test(line)) ?? "").split(" ")
  if (site === undefined || release === undefined) throw new Error("apt does not say where Debian is")
  return { site, release }
}

/** Puts Node with npm into `root`, and how this machine reaches registries. */
const addNode = (root: string): void => {
  const local = join(root, "usr/local")
  cpSync(join(program, "bin/node"), join(local, "bin/node"))
  // What is compiled for this Node needs its headers.
  const headers = join(program, "include/node")
  if (existsSync(headers)) cpSync(headers, join(local, "include/node"), { recursive: true })
  const npm = resolve(dirname(realpathSync(say("sh", "-c", "command -v npm"))), "..")
  cpSync(npm, join(local, "lib/node_modules/npm"), { recursive: true, verbatimSymlinks: true })
  symlinkSync("../lib/node_modules/npm/bin/npm-cli.js", join(local, "bin/npm"))

  const setting = (key: string) => say("npm", "config", "get", key)
  const certificates = setting("cafile")
  const inside = "/etc/ssl/certs/ca-certificates.crt"
  const lines = [`registry=${setting("registry")}`, "update-notifier=false"]
  if (existsSync(certificates)) {
    cpSync(certificates, join(root, inside))
    lines.push(`cafile=${inside}`)
  }
  mkdirSync(join(local, "etc"), { recursive: true })
  writeFileSync(join(local, "etc/npmrc"), `${lines.join("\n")}\n`)
  const proxies = say("apt-config", "dump").match(/^Acquire::(https?::.*|Check-\S+ .*);$/gm) ?? []
  writeFileSync(join(root, "etc/apt/apt.conf.d/90host"), `${proxies.join("\n")}\n`)
}

/** Opens the store. */
export const open = (): ImageStore => {
  const folder = kept ?? mkdtempSync(join(tmpdir(), "stellar-insights-image-"))
  const [storage, runtime, scratch] = ["storage", "run", "tmp"].map((name) => join(folder, name)) as [
    string,
    string,
    string
  ]
  for (const one of [storage, runtime, scratch]) mkdirSync(one, { recursive: true })
  const buildah = (...args: ReadonlyArray<string>) =>
    run("buildah", ["--root", storage, "--runroot", runtime, "--storage-driver", "vfs", ...args], {
      TMPDIR: scratch
    })
  const has = (image: string) =>
    buildah("inspect", "--type", "image", image).then(
      () => true,
      () => false
    )
  const version = say(join(program, "bin/node"), "--version")
  const [base, ours] = ["base", "stellar-insights"].map((name) => `localhost/${name}:${version}`) as [
    string,
    string
  ]
  return {
    isBuilt: () => has(ours),
    makeBase: async () => {
      if (await has(base)) return
      const container = (await buildah("from", "scratch")).trim()
      const root = (await buildah("mount", container)).trim()
      const { release, site } = mirror()
      await run("debootstrap", ["--variant=minbase", release, root, site])
      rmSync(join(root, "var/cache/apt/archives"), { recursive: true })
      mkdirSync(join(root, "var/cache/apt/archives/partial"), { recursive: true })
      addNode(root)
      await buildah("umount", container)
      await buildah("commit", "--quiet", "--format", "docker", "--rm", container, base)
    },
    build: async () => {
      const options = "--isolation chroot --network host --pull-never --format docker --quiet".split(" ")
      await buildah("build", ...options, "--build-arg", `BASE_IMAGE=${base}`, "--tag", ours, ".")
    },
    unpack: async () => {
      const said = JSON.parse(await buildah("inspect", "--type", "image", ours)) as {
        readonly Docker: { readonly config: ImageConfig }
      }
      const container = (await buildah("from", "--pull-never", ours)).trim()
      return { config: said.Docker.config, root: (await buildah("mount", container)).trim() }
    },
    close: async () => {
      await buildah("umount", "--all")
      await buildah("rm", "--all")
      if (kept === undefined) rmSync(folder, { recursive: true, force: true })
    }
  }
}
