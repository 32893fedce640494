import type * as Net from "node:net"

/** What a socket does not offer by itself: not to be read at all. */
export interface Handle {
  /** Leaves what arrives in the kernel. */
  readonly readStop?: () => void
  /** Reads on. */
  readonly readStart?: () => void
}

/** The handle of a socket; undefined when it is closed. */
export const handleOf = (socket: Net.Socket): Handle | undefined =>
  // Node keeps it to itself, so no type tells of it.
  (socket as unknown as { readonly _handle?: Handle | null })._handle ?? undefined
