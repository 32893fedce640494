/** What `stellar-insights drill --help` prints: forty lines that fit a terminal, where the command line library's own would be three hundred. */
import type { DrillSetting } from "./DrillSettings.js"
import { groups, settings } from "./DrillSettings.js"

/** Column at which descriptions begin, and the width of the whole. */
const indent = 26
const width = 110

const wrapped = (text: string): ReadonlyArray<string> => {
  const lines = [""]
  for (const word of text.split(" ")) {
    const line = `${lines.at(-1)} ${word}`.trimStart()
    if (line.length <= width - indent) lines[lines.length - 1] = line
    else lines.push(word)
  }
  return lines
}

const entry = ({ description, name, value }: DrillSetting): string => {
  const option = `  --${name} ${value}`.trimEnd()
  const [first, ...rest] = wrapped(description)
  const beside =
    option.length < indent - 1 ? option.padEnd(indent) + first! : `${option}\n${" ".repeat(indent)}${first!}`
  return [beside, ...rest.map((line) => " ".repeat(indent) + line)].join("\n")
}

/** The help, with a line end at the end. */
export const text = `Stop a service again and again, under load, and say what was lost.

Usage: stellar-insights drill [--command COMMAND] [options]

  stellar-insights drill
  stellar-insights drill --command "node server.js" --ready /health --slow "/slow?ms={ms}" --report drill.html

Any command in any language will do. Each scenario starts it, loads it as its users would, sends the signal at a bad
moment and accounts for every byte from outside. Without --command this service drills itself.

${groups
  .map(
    (group) =>
      `${group}\n${settings
        .filter((setting) => setting.group === group)
        .map(entry)
        .join("\n")}`
  )
  .join("\n\n")}

Times are 30s, 500ms, 2min or 1h; a plain number is seconds.

Exit code: 0 nothing was lost and every expectation was met; 1 something was lost, or not as expected; 2 wrong usage, or
the service does not start; 130 interrupted. docs/drill.md describes every scenario and outcome.
`
