/** What a case comes to once it is built: an instance for every time that a part is acquired, and who is built on whom. */
import type { Case, Part } from "./Case.js"

/** One acquisition of a part. */
export interface Instance {
  readonly index: number
  readonly part: Part
  /** What it is built on, directly. */
  readonly on: Array<Instance>
  /** What is built on it, directly. */
  readonly users: Array<Instance>
}

/** All instances, each after what it is built on. */
export const expand = (of: Case): ReadonlyArray<Instance> => {
  const all: Array<Instance> = []
  const build = (index: number, memo: Map<number, Instance>): Instance => {
    const known = memo.get(index)
    if (known !== undefined) return known
    const part = of.parts[index]!
    const on = part.needs.map((need) => build(need, part.fresh.includes(need) ? new Map() : memo))
    const made: Instance = { index, part, on, users: [] }
    if (part.chained) on.slice(0, -1).forEach((each, i) => each.on.push(on[i + 1]!))
    memo.set(index, made)
    all.push(made)
    return made
  }
  const memo = new Map<number, Instance>()
  for (const root of roots(of)) build(root, memo)
  const sorted: Array<Instance> = []
  const visit = (each: Instance) => {
    if (sorted.includes(each)) return
    for (const below of each.on) visit(below)
    sorted.push(each)
  }
  for (const each of all) visit(each)
  for (const each of sorted) for (const below of each.on) below.users.push(each)
  return sorted
}

/** Parts that nobody shares: the app is made of these. */
export const roots = (of: Case): ReadonlyArray<number> =>
  of.parts.flatMap((_, i) =>
    of.parts.some(({ fresh, needs }) => needs.includes(i) && !fresh.includes(i)) ? [] : [i]
  )

/** The longest chain of limits among what each instance is built on. */
export const reserves = (instances: ReadonlyArray<Instance>): ReadonlyMap<Instance, number> => {
  const reserve = new Map<Instance, number>()
  for (const each of instances) {
    reserve.set(each, Math.max(0, ...each.on.map((below) => needOf(below, reserve.get(below)!))))
  }
  return reserve
}

/** The time that an instance and what comes after it need. */
export const needOf = ({ part }: Instance, reserve: number): number =>
  reserve + Math.max(part.named ? part.limit : 0, part.inner?.named === true ? part.inner.limit : 0)

/** The sums of which a plan is made. */
export const plan = (of: Case, instances: ReadonlyArray<Instance>) => {
  const reserve = reserves(instances)
  const hooks = instances.flatMap(({ part }) => part.hooks)
  const sum = (when: string) =>
    hooks.reduce((total, hook) => total + (hook.when === when ? hook.limit : 0), 0)
  const quiesces = instances.flatMap(({ part }) => [part.quiesce?.limit ?? 0, part.task?.limit ?? 0])
  return {
    announce: of.announce,
    drain: Math.max(0, ...quiesces),
    before: sum("before-release"),
    graph: Math.max(0, ...instances.map((each) => needOf(each, reserve.get(each)!))),
    after: sum("after-release")
  }
}

/** What a stop needs if everything takes as long as it may. */
export const needed = (of: Case, instances: ReadonlyArray<Instance>): number =>
  Object.values(plan(of, instances)).reduce((sum, millis) => sum + millis, 0)
