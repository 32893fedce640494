/**
 * Splits a command line as a shell does, without a shell.
 *
 * A shell between the drill and the service would get the signal and keep it. So what only a shell can do is refused with a hint.
 *
 * @module
 */

/** A program that can be started. */
export interface CommandLine {
  /** Program and arguments; never empty. */
  readonly argv: readonly [string, ...Array<string>]
  /** `NAME=value` words in front of the program. */
  readonly env: Readonly<Record<string, string>>
}

/** Takes a command line apart. Returns a sentence that says what is wrong where it cannot. */
export const parse = (text: string): CommandLine | string => {
  const words: Array<string> = []
  let word: string | undefined
  let quote = ""
  for (let i = 0; i < text.length; i++) {
    const char = text[i]!
    if (quote === "'" ? char === "'" : quote === '"' && char === '"') quote = ""
    else if (quote === "'") word += char
    else if (char === "\\" && (quote === "" || '"\\$`'.includes(text[i + 1] ?? " "))) {
      if (++i === text.length) return "the command ends in a backslash"
      word = (word ?? "") + text[i]!
    } else if (quote === '"') word += char
    else if (char === "'" || char === '"') {
      quote = char
      word ??= ""
    } else if (/\s/.test(char)) {
      if (word !== undefined) words.push(word)
      word = undefined
    } else if ("|&;<>()$`*?".includes(char)) {
      return `"${char}" in the command needs a shell; quote it, or write sh -c '...'`
    } else word = (word ?? "") + char
  }
  if (quote !== "") return `a ${quote} in the command is not closed`
  if (word !== undefined) words.push(word)
  const env: Record<string, string> = {}
  while (words.length > 0) {
    const match = /^([A-Za-z_]\w*)=(.*)$/s.exec(words[0]!)
    if (match === null) break
    env[match[1]!] = match[2]!
    words.shift()
  }
  const [program, ...rest] = words
  return program === undefined ? "the command names no program" : { argv: [program, ...rest], env }
}
