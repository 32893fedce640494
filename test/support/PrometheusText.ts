/** Prometheus' text format 0.0.4, read strictly: what Prometheus would shrug off is an error here. */

export interface Sample {
  /** With `_bucket`, `_sum` or `_count` where it belongs to a histogram. */
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

export interface Family {
  readonly name: string
  readonly type: string
  readonly help: string
  readonly samples: ReadonlyArray<Sample>
}

const metricName = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/
const labelName = /^[a-zA-Z_][a-zA-Z0-9_]*$/

const unescape = (text: string, quoted: boolean): string =>
  text.replaceAll(/\\(.?)/gs, (_, char: string) => {
    if (char === "n") return "\n"
    if (char === "\\" || (quoted && char === '"')) return char
    throw new Error(`what is escaped as \\${char} in ${text}`)
  })

const number = (text: string): number => {
  if (text === "+Inf") return Number.POSITIVE_INFINITY
  if (text === "-Inf") return Number.NEGATIVE_INFINITY
  if (!/^-?\d+(\.\d+)?(e[+-]?\d+)?$/.test(text)) throw new Error(`"${text}" is no number`)
  return Number(text)
}

const labelsOf = (text: string): Record<string, string> => {
  const labels: Record<string, string> = {}
  let rest = text
  while (rest !== "") {
    const match = /^([^=]+)="((?:[^"\\\n]|\\.)*)"(?:,|$)/.exec(rest)
    if (match === null) throw new Error(`these are no labels: ${text}`)
    const [all, name = "", value = ""] = match
    if (!labelName.test(name) || name.startsWith("__")) throw new Error(`${name} is no label`)
    if (name in labels) throw new Error(`the label ${name} stands twice in ${text}`)
    labels[name] = unescape(value, true)
    rest = rest.slice(all.length)
  }
  return labels
}

const sampleOf = (line: string): Sample => {
  const match = /^([^\s{]+)(?:\{(.*)\})? (\S+)$/.exec(line)
  if (match === null) throw new Error(`this is no sample: ${line}`)
  return { name: match[1]!, labels: labelsOf(match[2] ?? ""), value: number(match[3]!) }
}

const series = (labels: Readonly<Record<string, string>>): string =>
  JSON.stringify(Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1)))

const checkHistogram = ({ name, samples }: Family): void => {
  const all = new Map<string, { buckets: Array<Sample>; sum?: number; count?: number }>()
  for (const sample of samples) {
    const { le, ...labels } = sample.labels
    const key = series(labels)
    const one = all.get(key) ?? { buckets: [] }
    all.set(key, one)
    if (sample.name === `${name}_bucket`) {
      if (le === undefined) throw new Error(`a bucket of ${name} has no le`)
      one.buckets.push(sample)
    } else {
      if (le !== undefined) throw new Error(`${sample.name} has le`)
      one[sample.name === `${name}_sum` ? "sum" : "count"] = sample.value
    }
  }
  for (const [key, { buckets, count, sum }] of all) {
    const at = `${name} ${key}`
    if (count === undefined || sum === undefined) throw new Error(`${at} has no sum or no count`)
    buckets.forEach(({ labels, value }, i) => {
      const before = buckets[i - 1]
      if (before === undefined) return
      if (number(labels["le"]!) <= number(before.labels["le"]!)) throw new Error(`${at}: le does not rise`)
      if (value < before.value) throw new Error(`${at}: buckets are not cumulative`)
    })
    const last = buckets.at(-1)
    if (last?.labels["le"] !== "+Inf" || last.value !== count) throw new Error(`${at}: +Inf is not the count`)
  }
}

const suffixes = ["_bucket", "_sum", "_count"]

const check = (family: Family): void => {
  const { help, name, samples, type } = family
  if (!metricName.test(name)) throw new Error(`${name} is no name`)
  if (help === "" || help === "description missing") throw new Error(`${name} has no help`)
  if (samples.length === 0) throw new Error(`${name} has no samples`)
  if (!["counter", "gauge", "histogram"].includes(type)) throw new Error(`${name} is a ${type}`)
  if ((type === "counter") !== name.endsWith("_total")) throw new Error(`${name} is a ${type}`)
  if (name.endsWith("_total_total") || (type !== "histogram" && /_(count|sum|bucket)$/.test(name))) {
    throw new Error(`${name} is no name for a ${type}`)
  }
  const seen = new Set<string>()
  for (const sample of samples) {
    const key = `${sample.name} ${series(sample.labels)}`
    if (seen.has(key)) throw new Error(`${key} stands twice`)
    seen.add(key)
    if (type === "histogram" ? !suffixes.includes(sample.name.slice(name.length)) : sample.name !== name) {
      throw new Error(`${sample.name} stands among ${name}`)
    }
    if (type !== "histogram" && "le" in sample.labels) throw new Error(`${name} has le`)
    if ("quantile" in sample.labels) throw new Error(`${name} has quantile`)
    if (type === "counter" && !(sample.value >= 0)) throw new Error(`${name} is ${sample.value}`)
  }
  if (type === "histogram") checkHistogram(family)
}

/** Every family, in order. Throws where anything is not as the format, or the naming of metrics, has it. */
export const parse = (text: string): ReadonlyArray<Family> => {
  if (!text.endsWith("\n")) throw new Error("the last line does not end")
  const families: Array<{ name: string; type: string; help: string; samples: Array<Sample> }> = []
  for (const line of text.slice(0, -1).split("\n")) {
    const [, keyword = "", name = "", rest = ""] = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line) ?? []
    const current = families.at(-1)
    if (keyword === "HELP") {
      if (families.some((family) => family.name === name)) throw new Error(`${name} comes twice`)
      families.push({ name, type: "", help: unescape(rest, false), samples: [] })
    } else if (keyword === "TYPE") {
      if (current?.name !== name || current.type !== "") throw new Error(`whose type is this: ${line}`)
      current.type = rest
    } else if (line.startsWith("#")) {
      throw new Error(`a comment that says nothing: ${line}`)
    } else {
      const sample = sampleOf(line)
      if (current === undefined || current.type === "" || !sample.name.startsWith(current.name)) {
        throw new Error(`${sample.name} does not stand with its own`)
      }
      current.samples.push(sample)
    }
  }
  for (const family of families) check(family)
  return families
}

/** The value of the one sample of that name whose labels are these, among others; undefined where there is none. */
export const value = (
  families: ReadonlyArray<Family>,
  name: string,
  labels: Readonly<Record<string, string>> = {}
): number | undefined => {
  const found = families
    .flatMap((family) => family.samples)
    .filter((sample) => sample.name === name)
    .filter((sample) => Object.entries(labels).every(([key, value]) => sample.labels[key] === value))
  if (found.length > 1) throw new Error(`${name} is not one sample but ${found.length}`)
  return found[0]?.value
}
