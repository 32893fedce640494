/**
 * What the drill knows of the service: paths that behave in known ways.
 *
 * Where a path contains `{ms}`, the scenario puts the milliseconds there that it wants (`/slow?ms={ms}`); otherwise it takes the time that the path takes.
 *
 * @module
 */

/** Paths, with their query where they need one. Only `fast` must be there; what is absent skips the scenarios that need it. */
export interface Targets {
  /** GET, answered at once with a 2xx. */
  readonly fast: string
  /** GET, answered after a while: longer than 100 ms, much shorter than the grace. */
  readonly slow?: string
  /** GET, answered later than the grace, or never. Made of `slow` where that contains `{ms}`. */
  readonly long?: string
  /** POST with a small body, answered at once. */
  readonly echo?: string
  /** POST whose body is read to its end before the answer. */
  readonly upload?: string
  /** GET, answered at once with the head and with pieces of the body over a while; it ends by itself. */
  readonly stream?: string
  /** GET, Server-Sent Events or another response without an end. */
  readonly sse?: string
  /** GET with an upgrade to a WebSocket. */
  readonly ws?: string
  /** GET, 2xx while the service takes work, another status while it does not. */
  readonly ready?: string
  /** GET, 2xx as long as the process lives. */
  readonly live?: string
  /** GET, answered at once; then the event loop (or whatever serves) is busy and looks at no socket for a while. */
  readonly block?: string
}

/** The name of a path. */
export type Target = keyof Targets

/** Every name, in the order in which they are shown. */
export const all: ReadonlyArray<Target> = [
  "fast",
  "slow",
  "long",
  "echo",
  "upload",
  "stream",
  "sse",
  "ws",
  "ready",
  "live",
  "block"
]

/** Says whether the body of a whole response with the right status is the right one, given the body that was sent (empty for a GET). */
export type Check = (body: Buffer, sent: Buffer, path: string) => boolean

/** Judges of bodies for services that the caller knows; a path without one has every body right. */
export type Checks = { readonly [name in Target]?: Check }

/** The path with `{ms}` filled in; the path itself where it has none. */
export const withMillis = (path: string, millis: number): string =>
  path.replaceAll("{ms}", String(Math.round(millis)))

/** The targets with `long` made of `slow` where it can be: a minute longer than the grace. */
export const complete = (targets: Targets, graceMillis: number): Targets =>
  targets.long === undefined && targets.slow?.includes("{ms}") === true
    ? { ...targets, long: withMillis(targets.slow, graceMillis + 60_000) }
    : targets

/** Those of `needs` that are not given. */
export const missing = (targets: Targets, needs: ReadonlyArray<Target>): ReadonlyArray<Target> =>
  needs.filter((name) => targets[name] === undefined)
