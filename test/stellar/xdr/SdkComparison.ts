/** Compares a value of ours with what the SDK decoded from the same bytes, field by field, along the SDK's own type objects. */
import { assert } from "@effect/vitest"
import { xdr } from "@stellar/stellar-sdk"

interface SdkType {
  readonly kind: string
  readonly element: SdkType
  readonly entries: ReadonlyArray<readonly [string, SdkType]>
  readonly cases: ReadonlyArray<{
    name: string
    discriminant: number
    arm: { name: string; schema?: SdkType }
  }>
  readonly switchKey: string
  readonly nameByValue: ReadonlyMap<number, string>
  readonly getSchema: () => SdkType
  readonly decode: (bytes: Uint8Array) => unknown
  readonly encode: (value: unknown) => Uint8Array
}

/** The SDK's type object of that name. */
export const type = (name: string): SdkType =>
  (xdr as unknown as Record<string, { readonly schema: SdkType }>)[name]!.schema

/** Whether the SDK accepts the bytes. */
export const accepts = (name: string, bytes: Uint8Array): boolean => {
  try {
    type(name).decode(bytes)
    return true
  } catch {
    return false
  }
}

/** Fails where the two differ, naming the place. */
export const same = (name: string, ours: unknown, bytes: Uint8Array): void =>
  compare(type(name), ours, type(name).decode(bytes), name)

const compare = (type: SdkType, ours: unknown, theirs: unknown, path: string): void => {
  switch (type.kind) {
    case "lazy":
      return compare(type.getSchema(), ours, theirs, path)
    case "struct":
      for (const [field, inner] of type.entries)
        compare(inner, get(ours, field), get(theirs, field), `${path}.${field}`)
      return
    case "union": {
      const arm = type.cases.find(({ discriminant }) => discriminant === get(theirs, type.switchKey))!
      if (get(ours, "type") !== arm.name)
        assert.fail(`${path}: ${String(get(ours, "type"))} instead of ${arm.name}`)
      const inner = arm.arm.schema
      if (inner === undefined) return assert.isUndefined(get(ours, "value"), path)
      return compare(inner, get(ours, "value"), get(theirs, arm.arm.name), `${path}.${arm.name}`)
    }
    case "array":
    case "fixedArray": {
      const [mine, other] = [ours as ReadonlyArray<unknown>, theirs as ReadonlyArray<unknown>]
      if (mine.length !== other.length)
        assert.fail(`${path}: ${mine.length} elements instead of ${other.length}`)
      mine.forEach((item, i) => compare(type.element, item, other[i], `${path}[${i}]`))
      return
    }
    case "option":
      if ((ours === null) !== (theirs === null)) assert.fail(`${path}: present here and not there`)
      return ours === null ? undefined : compare(type.element, ours, theirs, path)
    case "enum":
      return assert.strictEqual(ours, type.nameByValue.get(theirs as number), path)
    case "opaque":
    case "varOpaque":
    case "string": {
      const bytes = theirs instanceof Uint8Array ? theirs : (get(theirs, "bytes") as Uint8Array)
      if (Buffer.compare(ours as Uint8Array, bytes) !== 0) assert.fail(`${path}: other bytes`)
      return
    }
    default:
      if (ours !== theirs) assert.fail(`${path}: ${String(ours)} instead of ${String(theirs)}`)
  }
}

const get = (from: unknown, key: string): unknown => (from as Record<string, unknown>)[key]
