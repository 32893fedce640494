/** The pages that people read, and what they refer to. */
import { existsSync, readFileSync, readdirSync } from "node:fs"
import { dirname, join, normalize } from "node:path"

/** A page in Markdown. */
export interface Page {
  /** From the root of the project. */
  readonly file: string
  readonly text: string
}

/** Every page: README.md, SECURITY.md, CHANGELOG.md and docs/. */
export const all: ReadonlyArray<Page> = [
  ...["README.md", "SECURITY.md", "CHANGELOG.md"].filter((file) => existsSync(file)),
  ...readdirSync("docs")
    .filter((file) => file.endsWith(".md"))
    .map((file) => `docs/${file}`)
].map((file) => ({ file, text: readFileSync(file, "utf8") }))

/** A page by its file, which must be there. */
export const page = (file: string): string => readFileSync(file, "utf8")

/** Without what is shown as it is: fenced and indented blocks. */
const prose = (text: string): string =>
  text.replaceAll(/^ *```[\s\S]*?^ *```/gm, "").replaceAll(/(?<=\n\n)(?: {4}.*\n?)+/g, "")

/** How GitHub names a heading in a link. */
const anchor = (heading: string): string =>
  heading
    .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1")
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
    .trim()
    .replaceAll(" ", "-")

/** The anchors of a page. */
export const anchors = (text: string): ReadonlySet<string> => {
  const found = new Set<string>()
  for (const [, heading] of prose(text).matchAll(/^#{1,6} (.+)$/gm)) {
    const name = anchor(heading!)
    let unique = name
    for (let n = 1; found.has(unique); n++) unique = `${name}-${n}`
    found.add(unique)
  }
  return found
}

/** Links of a page that lead nowhere: a file that is not there, or a heading that is not in it. Other sites are not asked. */
export const broken = ({ file, text }: Page): ReadonlyArray<string> =>
  [...prose(text).matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, target]) => {
    if (/^[a-z]+:/.test(target!)) return []
    const [path = "", name] = target!.split("#")
    const to = path === "" ? file : normalize(join(dirname(file), path))
    if (!existsSync(to)) return [`${file}: ${target}: there is no ${to}`]
    if (name === undefined || !to.endsWith(".md")) return []
    return anchors(readFileSync(to, "utf8")).has(name) ? [] : [`${file}: ${target}: no such heading`]
  })

/** Everything in the code that is not generated, as one text. */
export const source: string = readdirSync("src", { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".ts") && !file.includes("generated"))
  .map((file) => readFileSync(`src/${file}`, "utf8"))
  .join("\n")

/** What stands in code spans of a page. */
export const spans = (text: string): ReadonlyArray<string> =>
  [...prose(text).matchAll(/`([^`\n]+)`/g)].map(([, span]) => span!)
