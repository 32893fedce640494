/** A session while it has a connection. */
import { createHash, randomBytes } from "node:crypto"
import type { Session } from "./SessionStore.js"

/** What a token is kept as. */
export const hashOf = (token: string): string => createHash("sha256").update(token, "utf8").digest("hex")

/** A session, as its connection changes it. */
export class LiveSession {
  readonly id: string
  readonly token: string
  readonly tokenHash: string
  readonly epoch: number
  total: number
  channels: ReadonlyArray<string>
  lastEventId: number
  /** Until when the store keeps it, in milliseconds since 1970; 0 when it was never saved. */
  keptUntil = 0
  /** Whether something has changed since it was saved. */
  isDirty = true

  constructor(token: string, from: Omit<Session, "expiresAt">) {
    this.id = from.id
    this.token = token
    this.tokenHash = from.tokenHash
    this.epoch = from.epoch
    this.total = from.total
    this.channels = from.channels
    this.lastEventId = from.lastEventId
  }

  /** As it is kept. */
  snapshot(expiresAt: number): Session {
    const { channels, epoch, id, lastEventId, tokenHash, total } = this
    return { id, tokenHash, epoch, total, channels, lastEventId, expiresAt }
  }
}

/** A session that begins, after event `lastEventId`. */
export const begin = (lastEventId: number): LiveSession => {
  const token = randomBytes(24).toString("base64url")
  const id = randomBytes(9).toString("base64url")
  return new LiveSession(token, {
    id,
    tokenHash: hashOf(token),
    epoch: 0,
    total: 0,
    channels: [],
    lastEventId
  })
}
