/**
 * The forms that a report can have in a file.
 *
 * @module
 */
import type { DrillReport } from "../DrillReport.js"
import * as Html from "./Html.js"
import * as Json from "./Json.js"
import * as Text from "./Text.js"

/** `html` is a page for people, `json` is for machines, `txt` is what the terminal shows. */
export type Format = "html" | "json" | "txt"

/** The endings of files, without their dot. */
export const all: ReadonlyArray<Format> = ["html", "json", "txt"]

/** What a file's name asks for; `-`, standard output, is JSON. Undefined for a name with another ending. */
export const of = (file: string): Format | undefined =>
  file === "-" ? "json" : all.find((format) => file.toLowerCase().endsWith(`.${format}`))

const renderers: Readonly<Record<Format, (report: DrillReport) => string>> = {
  html: Html.render,
  json: Json.render,
  txt: Text.render
}

/** The report in that form, with a line end at the end. */
export const render = (format: Format, report: DrillReport): string => {
  const text = renderers[format](report)
  return text.endsWith("\n") ? text : `${text}\n`
}
