/** What Kubernetes itself would say of a manifest: wrong values, and fields that there are none of. */
import { createRequire } from "node:module"

/** A manifest, as YAML gives it. */
export interface Manifest {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> }
  readonly spec?: unknown
  readonly data?: Readonly<Record<string, string>>
}

type Model = new () => { readonly validate: () => void }

const require = createRequire(import.meta.url)

// One file for each kind: the whole package takes seconds.
const modelOf = ({ apiVersion, kind }: Manifest): Model | undefined => {
  try {
    return (require(`kubernetes-models/${apiVersion}/${kind}`) as Readonly<Record<string, Model>>)[kind]
  } catch (error) {
    // Which of the two it is depends on whether the version exists.
    const { code } = error as NodeJS.ErrnoException
    if (code !== "MODULE_NOT_FOUND" && code !== "ERR_PACKAGE_PATH_NOT_EXPORTED") throw error
    return undefined
  }
}

/**
 * A view of `value` that adds to `read` the path of everything that is looked at. The validators are compiled: they look at what the schema names and at nothing else, so
 * a field that nobody looked at is none.
 */
const watched = <A extends object>(value: A, read: Set<string>, path = ""): A =>
  new Proxy(value, {
    get: (target, key, receiver) => {
      const inner: unknown = Reflect.get(target, key, receiver)
      if (typeof key === "symbol" || !Object.hasOwn(target, key)) return inner
      const at = `${path}/${key}`
      read.add(at)
      return typeof inner === "object" && inner !== null ? watched(inner, read, at) : inner
    }
  })

const paths = (value: unknown, path = ""): ReadonlyArray<string> =>
  typeof value === "object" && value !== null
    ? Object.entries(value).flatMap(([key, inner]) => [`${path}/${key}`, ...paths(inner, `${path}/${key}`)])
    : []

/** What is wrong with a manifest; nothing when it is right. */
export const problems = (manifest: Manifest): ReadonlyArray<string> => {
  const model = modelOf(manifest)
  if (model === undefined) return [`there is no ${manifest.kind} in ${manifest.apiVersion}`]
  const read = new Set<string>()
  try {
    model.prototype.validate.call(watched(manifest, read))
  } catch (error) {
    return [(error as Error).message]
  }
  return paths(manifest)
    .filter((path) => !read.has(path))
    .map((path) => `${path} is not a field`)
}
