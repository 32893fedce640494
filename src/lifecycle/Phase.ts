/**
 * The life of a service as a line: every phase is left once, for a later one.
 *
 * `starting → ready → announcing → draining → releasing → stopped`; a start that fails or is called off goes from starting to releasing.
 *
 * @module
 */

/** Every phase, in order. */
export const all = ["starting", "ready", "announcing", "draining", "releasing", "stopped"] as const

/**
 * - `starting`: layers are being acquired; nothing is served yet.
 * - `ready`: everything is acquired and the port is open.
 * - `announcing`: readiness says no, everything is still accepted and served, so that balancers have time to look away.
 * - `draining`: every resource quiesces: no new work, what is in hand is finished. Nothing is disposed of.
 * - `releasing`: the layer graph is released, backwards.
 * - `stopped`: nothing is held any more, or what is was given up and named.
 */
export type Phase = (typeof all)[number]

/** Where a phase stands in the line, from 0. */
export const index = (phase: Phase): number => all.indexOf(phase)

/** Whether `phase` is `other` or a later one. */
export const isAtLeast = (phase: Phase, other: Phase): boolean => index(phase) >= index(other)

/** Whether a stop is under way or over: announcing or later. */
export const isStopping = (phase: Phase): boolean => isAtLeast(phase, "announcing")
