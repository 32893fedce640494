/** The few things that the page does to its document. Text goes in as text, never as markup. */

/** The element with this id, which is in the page. */
export const byId = <E extends Element = HTMLElement>(id: string): E => {
  const found = document.getElementById(id)
  if (found === null) throw new Error(`the page has no #${id}`)
  // Which kind it is stands in index.html, which the compiler does not read.
  return found as unknown as E
}

/** Writes a text, if it is another one: what is the same is not announced again. */
export const say = (node: Element, text: string): void => {
  if (node.textContent !== text) node.textContent = text
}

/** {@link say}, by id. */
export const sayIn = (id: string, text: string): void => say(byId(id), text)

/** What an element is made of. */
export interface Parts {
  readonly class?: string
  readonly text?: string
  readonly title?: string
}

/** A new element. */
export const make = <K extends keyof HTMLElementTagNameMap>(
  tag: K,
  { class: className, text, title }: Parts = {},
  children: ReadonlyArray<Node> = []
): HTMLElementTagNameMap[K] => {
  const made = document.createElement(tag)
  if (className !== undefined) made.className = className
  if (text !== undefined) made.textContent = text
  if (title !== undefined) made.title = title
  made.append(...children)
  return made
}

/** A new element of a drawing. */
export const draw = (
  tag: string,
  attributes: Readonly<Record<string, string | number>>,
  children: ReadonlyArray<Node> = []
): SVGElement => {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag)
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, String(value))
  made.append(...children)
  return made
}

/** A cell of a table. */
export interface Cell extends Parts {
  /** As a data attribute, for the style. */
  readonly mark?: string
}

const fill = (cell: HTMLElement, { class: className = "", mark, text = "", title = "" }: Cell) => {
  say(cell, text)
  if (cell.className !== className) cell.className = className
  if (cell.title !== title) cell.title = title
  if (mark === undefined) delete cell.dataset.mark
  else if (cell.dataset.mark !== mark) cell.dataset.mark = mark
}

/** Makes the rows of a table body what they are to be; one that stays, by its key, stays the same element. The first cell names its row. */
export const rows = (
  body: HTMLElement,
  wanted: ReadonlyArray<{ readonly key: string; readonly cells: ReadonlyArray<Cell> }>
): void => {
  const known = new Map(
    [...body.children].map((row) => [(row as HTMLElement).dataset.key, row as HTMLElement])
  )
  const all = wanted.map(({ cells, key }) => {
    const row = known.get(key) ?? make("tr")
    row.dataset.key = key
    cells.forEach((cell, i) => {
      const place = row.children[i] ?? row.appendChild(i === 0 ? make("th") : make("td"))
      if (i === 0) place.setAttribute("scope", "row")
      fill(place as HTMLElement, cell)
    })
    return row
  })
  const isSame = body.children.length === all.length && all.every((row, i) => body.children[i] === row)
  if (!isSame) body.replaceChildren(...all)
}

/** The pairs of a description list, in the order given. */
export const pairs = (list: HTMLElement, wanted: ReadonlyArray<readonly [string, string]>): void => {
  while (list.children.length > wanted.length) list.lastElementChild?.remove()
  wanted.forEach(([name, value], i) => {
    const pair = list.children[i] ?? list.appendChild(make("div", {}, [make("dt"), make("dd")]))
    say(pair.children[0]!, name)
    say(pair.children[1]!, value)
  })
}
