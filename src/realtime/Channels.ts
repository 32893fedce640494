/**
 * Who gets which events. Clients with the same channels are a group: what a burst of events comes to is put together once for each group and
 * leaves as one write for each client.
 */
import type { Event } from "./EventLog.js"
import * as Frame from "./Frame.js"

/** A client, as far as events are concerned. */
export interface Member {
  group: Group | undefined
  ahead: number
  readonly session: { readonly channels: ReadonlyArray<string> }
  events(frames: Buffer, first: number, last: number): void
}

/** Clients with the same channels. */
export interface Group {
  readonly key: string
  readonly channels: ReadonlyArray<string>
  readonly members: Set<Member>
  /** What this publication has for them. */
  frames: Array<Buffer>
  first: number
  last: number
}

/** An event as a frame, for each channel that it goes out under. */
export class Encoder {
  private payload: string | undefined = undefined
  private readonly frames: Array<Buffer | undefined> = []
  readonly event: Event

  constructor(event: Event) {
    this.event = event
  }

  /** The frame for those who get it under its `index`th channel. */
  frame(index: number): Buffer {
    const { channels, id, payload, type } = this.event
    this.payload ??= `,"type":${JSON.stringify(type)},"payload":${JSON.stringify(payload ?? null)}`
    return (this.frames[index] ??= this.write(
      `"id":${id},"channel":${JSON.stringify(channels[index])}${this.payload}`
    ))
  }

  /** What goes out, made of the members of a JSON object. */
  protected write(members: string): Buffer {
    return Frame.text(`{"op":"event",${members}}`)
  }

  /** The frame for somebody with these channels; none when the event is in none of them. */
  frameFor(channels: ReadonlySet<string>): Buffer | undefined {
    const index = this.event.channels.findIndex((channel) => channels.has(channel))
    return index < 0 ? undefined : this.frame(index)
  }
}

/** The subscriptions of a hub. */
export class Channels {
  /** The last event that was published here. */
  position: number
  private readonly groups = new Map<string, Group>()
  private readonly byChannel = new Map<string, Set<Group>>()
  private readonly ahead = new Set<Member>()
  private readonly encoders = new WeakMap<Event, Encoder>()

  /** Makes frames of an event. */
  readonly encoder: (event: Event) => Encoder

  constructor(position: number, encoder: (event: Event) => Encoder = (event) => new Encoder(event)) {
    this.position = position
    this.encoder = encoder
  }

  /** Makes frames of an event that more than one will ask for: they are kept for as long as the log keeps the event in memory. */
  kept(event: Event): Encoder {
    const known = this.encoders.get(event)
    if (known !== undefined) return known
    const encoder = this.encoder(event)
    this.encoders.set(event, encoder)
    return encoder
  }

  /** How many groups there are. */
  get size(): number {
    return this.groups.size
  }

  /** From now on `member` gets the live events of its session's channels: those after `cursor`, which is the position or lies ahead of it. */
  join(member: Member, cursor: number): void {
    this.leave(member)
    const { channels } = member.session
    if (channels.length === 0) return
    if (cursor > this.position) {
      member.ahead = cursor
      this.ahead.add(member)
      return
    }
    const sorted = channels.toSorted()
    const key = sorted.join(" ")
    let group = this.groups.get(key)
    if (group === undefined) {
      group = { key, channels: sorted, members: new Set(), frames: [], first: 0, last: 0 }
      this.groups.set(key, group)
      for (const channel of sorted) {
        const listening = this.byChannel.get(channel)
        if (listening === undefined) this.byChannel.set(channel, new Set([group]))
        else listening.add(group)
      }
    }
    group.members.add(member)
    member.group = group
  }

  /** `member` gets no live events any more. */
  leave(member: Member): void {
    this.ahead.delete(member)
    const { group } = member
    if (group === undefined) return
    member.group = undefined
    group.members.delete(member)
    if (group.members.size > 0) return
    this.groups.delete(group.key)
    for (const channel of group.channels) {
      const listening = this.byChannel.get(channel)
      listening?.delete(group)
      if (listening?.size === 0) this.byChannel.delete(channel)
    }
  }

  /** Sends events to whoever has a channel of theirs; those up to the position are known already. Ids rise. */
  publish(events: ReadonlyArray<Event>): void {
    const fresh: Array<Encoder> = []
    for (const event of events) {
      if (event.id <= this.position) continue
      this.position = event.id
      fresh.push(this.encoder(event))
    }
    if (fresh.length === 0) return
    const touched: Array<Group> = []
    for (const encoder of fresh) this.distribute(encoder, touched)
    for (const group of touched) {
      const { first, frames, last } = group
      const together = frames.length === 1 ? frames[0]! : Buffer.concat(frames)
      group.frames = []
      for (const member of group.members) member.events(together, first, last)
    }
    if (this.ahead.size > 0) this.catchUp(fresh)
  }

  private distribute(encoder: Encoder, touched: Array<Group>): void {
    const { channels, id } = encoder.event
    for (let index = 0; index < channels.length; index++) {
      const listening = this.byChannel.get(channels[index]!)
      if (listening === undefined) continue
      for (const group of listening) {
        if (group.last === id) continue
        if (group.frames.length === 0) {
          group.first = id
          touched.push(group)
        }
        group.last = id
        group.frames.push(encoder.frame(index))
      }
    }
  }

  /** Those who know more than was published here get what is new to them, and join the others as soon as they know no more. */
  private catchUp(fresh: ReadonlyArray<Encoder>): void {
    for (const member of this.ahead) {
      const channels = new Set(member.session.channels)
      for (const encoder of fresh) {
        if (encoder.event.id <= member.ahead) continue
        const frame = encoder.frameFor(channels)
        if (frame !== undefined) member.events(frame, encoder.event.id, encoder.event.id)
      }
      if (this.position >= member.ahead) this.join(member, this.position)
    }
  }
}
