/**
 * HTML in which nothing can be forgotten to be escaped: what is put into the template {@link html} is text, unless it came out of that template itself.
 *
 * @module
 */

/** A piece of HTML that is safe to put into another. */
export class Markup {
  /** The HTML. */
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

/** What may stand in a template: text and numbers are escaped, lists are joined, `undefined` is nothing. */
export type Piece = Markup | string | number | undefined | ReadonlyArray<Piece>

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;"
}

/**
 * Text for the inside of an element or of a quoted attribute. Control characters, which HTML does not allow and a service may well have printed, are shown as U+FFFD; so
 * are the marks that reverse the direction of a line, which would let a log line pretend to be another.
 */
export const escape = (text: string): string =>
  text
    .replaceAll(/(?![\t\n\r])[\p{Cc}\p{Surrogate}\u202a-\u202e\u2066-\u2069]/gu, "\ufffd")
    .replaceAll(/[&<>"']/g, (character) => entities[character]!)

const render = (piece: Piece): string => {
  if (piece === undefined) return ""
  if (piece instanceof Markup) return piece.text
  if (typeof piece === "object") return piece.map(render).join("")
  return escape(String(piece))
}

/** HTML with pieces in it. An attribute must stand in double quotes. Never fails. */
export const html = (strings: TemplateStringsArray, ...pieces: ReadonlyArray<Piece>): Markup =>
  new Markup(strings.reduce((all, text, i) => all + render(pieces[i - 1]) + text))

/** HTML that this project wrote itself: a style sheet, a script, the path of a drawing. Nothing from outside may come here. */
export const raw = (text: string): Markup => new Markup(text)
