/** Everything in `deploy/` that starts the service: with which environment, and how long its stop may take there. */
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { parse, parseAllDocuments } from "yaml"
import * as Dockerfile from "./Dockerfile.js"
import type { Manifest } from "./KubernetesSchema.js"

/** One way to run the service. */
export interface Shipped {
  /** File and name. */
  readonly where: string
  /** What the service finds in its environment, the image's included; what operators add in files of their own is not known here. */
  readonly env: Readonly<Record<string, string>>
  /** From the signal to the kill, in milliseconds. */
  readonly grace: number
  /** What is spent of it before the signal, in milliseconds. */
  readonly before: number
}

/** A service of the compose file, with the fields that are looked at. */
export interface ComposeService {
  readonly build?: unknown
  readonly image: string
  readonly profiles?: ReadonlyArray<string>
  readonly environment?: Readonly<Record<string, string>>
  readonly stop_grace_period?: string
  readonly [field: string]: unknown
}

/** The compose file. */
export interface Compose {
  readonly name: string
  readonly services: Readonly<Record<string, ComposeService>>
  readonly [field: string]: unknown
}

/** A file with its text. */
export interface File {
  readonly name: string
  readonly text: string
}

/** All files of `deploy/`. */
export const files = (): ReadonlyArray<File> =>
  readdirSync("deploy", { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((name) => ({ name, text: readFileSync(name, "utf8") }))

/** The compose file, its anchors and merge keys resolved. */
export const compose = (): Compose =>
  parse(readFileSync("deploy/compose.yaml", "utf8"), { merge: true }) as Compose

/** The manifests in `deploy/kubernetes`, by file. */
export const manifests = (): ReadonlyArray<{ readonly file: string; readonly manifest: Manifest }> =>
  files()
    .filter(
      ({ name }) => /^deploy\/kubernetes\/.*\.ya?ml$/.test(name) && !name.endsWith("kustomization.yaml")
    )
    .flatMap(({ name, text }) =>
      parseAllDocuments(text).map((document) => ({ file: name, manifest: document.toJS() as Manifest }))
    )

/** A value deep inside what was read, by its path: `spec.containers.0.name`. */
export const at = (value: unknown, path: string): unknown =>
  path.split(".").reduce((inner, key) => (inner as Record<string, unknown> | undefined)?.[key], value)

const units: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  "": 1000,
  m: 60_000,
  min: 60_000,
  h: 3_600_000
}

/** `1m30s`, `60`: a duration of compose or systemd in milliseconds. */
export const millis = (text: string): number => {
  const parts = [...text.matchAll(/(\d+)\s*(ms|min|[smh]|)(?=\d|\s|$)/g)]
  if (parts.length === 0 || parts.map(([whole]) => whole).join("").length !== text.replace(/\s/g, "").length)
    throw new Error(`${text} is no duration`)
  return parts.reduce((sum, [, count, unit]) => sum + Number(count) * units[unit!]!, 0)
}

/** `docker stop` with neither a flag nor a word of compose. */
const dockerGrace = 10_000

const image = (): Shipped => ({
  where: "Dockerfile",
  env: Dockerfile.environment(),
  grace: dockerGrace,
  before: 0
})

const ofCompose = (): ReadonlyArray<Shipped> =>
  Object.entries(compose().services)
    .filter(([, service]) => service.build !== undefined)
    .map(([name, service]) => ({
      where: `deploy/compose.yaml ${name}`,
      env: { ...Dockerfile.environment(), ...service.environment },
      grace: service.stop_grace_period === undefined ? dockerGrace : millis(service.stop_grace_period),
      before: 0
    }))

/** What is looked at of a pod. */
export interface Pod {
  readonly terminationGracePeriodSeconds?: number
  readonly containers: ReadonlyArray<{
    readonly name: string
    readonly env?: ReadonlyArray<{ readonly name: string; readonly value?: string }>
    readonly envFrom?: ReadonlyArray<{ readonly configMapRef?: { readonly name: string } }>
    readonly lifecycle?: { readonly preStop?: { readonly sleep?: { readonly seconds: number } } }
  }>
}

/** The pod of a workload; undefined where the manifest is none. */
export const podOf = (manifest: Manifest): Pod | undefined =>
  (manifest.spec as { readonly template?: { readonly spec: Pod } } | undefined)?.template?.spec

const ofKubernetes = (): ReadonlyArray<Shipped> => {
  const all = manifests()
  const configMap = (name: string) => {
    const found = all.find(({ manifest }) => manifest.kind === "ConfigMap" && manifest.metadata.name === name)
    if (found === undefined) throw new Error(`there is no ConfigMap ${name}`)
    return found.manifest.data ?? {}
  }
  return all.flatMap(({ file, manifest }) => {
    const pod = podOf(manifest)
    return (pod?.containers ?? []).map((container) => {
      const preStop = container.lifecycle?.preStop
      if (preStop !== undefined && preStop.sleep === undefined)
        throw new Error(`${file}: how long the preStop hook takes cannot be known`)
      const maps = (container.envFrom ?? []).flatMap(({ configMapRef }) =>
        configMapRef === undefined ? [] : [configMap(configMapRef.name)]
      )
      const own = (container.env ?? []).map(({ name, value = "" }) => [name, value])
      return {
        where: `${file} ${container.name}`,
        env: Object.assign(Dockerfile.environment(), ...maps, Object.fromEntries(own)),
        grace: (pod?.terminationGracePeriodSeconds ?? 30) * 1000,
        before: (preStop?.sleep?.seconds ?? 0) * 1000
      }
    })
  })
}

/** The directives of a unit, in order; comments left out. */
export const directives = (text: string): ReadonlyArray<readonly [key: string, value: string]> =>
  [...text.matchAll(/^([A-Z]\w+)=(.*)$/gm)].map(([, key, value]) => [key!, value!])

const ofSystemd = (): ReadonlyArray<Shipped> =>
  files()
    .filter(({ name }) => name.endsWith(".service"))
    .map(({ name, text }) => {
      const all = directives(text)
      return {
        where: name,
        env: Object.fromEntries(
          all
            .filter(([key]) => key === "Environment")
            .map(([, value]) => value.split(/=(.*)/s).slice(0, 2) as [string, string])
        ),
        // What systemd takes where nothing is said.
        grace: millis(all.findLast(([key]) => key === "TimeoutStopSec")?.[1] ?? "90"),
        before: 0
      }
    })

/** Every way. */
export const all = (): ReadonlyArray<Shipped> => [image(), ...ofCompose(), ...ofKubernetes(), ...ofSystemd()]
