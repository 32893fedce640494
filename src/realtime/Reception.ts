/** Who comes in, and how many are here from where. */
import type * as Http from "node:http"
import type * as Problem from "../http/Problem.js"
import * as Admission from "./Admission.js"
import type { HubConfig } from "./HubConfig.js"

/** The reception of one hub, for WebSockets and streams alike. */
export class Reception {
  /** Let in since the start. */
  accepted = 0
  /** Refused since the start. */
  refused = 0
  /** What connections are counted by. */
  readonly addressOf: (request: Http.IncomingMessage) => string
  private readonly admit: ReturnType<typeof Admission.make>
  private readonly isQuiesced: () => boolean
  private connections = 0
  private readonly addresses = new Map<string, number>()

  constructor(
    config: HubConfig,
    isQuiesced: () => boolean,
    addressOf: ((request: Http.IncomingMessage) => string) | undefined
  ) {
    this.admit = Admission.make(config)
    this.isQuiesced = isQuiesced
    this.addressOf = addressOf ?? ((request) => request.socket.remoteAddress ?? "")
  }

  /** Why a request from this address is refused, which is then counted; undefined when it is not. */
  refusal(request: Admission.Asking, address: string): Problem.Problem | undefined {
    const problem = this.admit(request, {
      isQuiesced: this.isQuiesced(),
      connections: this.connections,
      fromAddress: this.addresses.get(address) ?? 0
    })
    if (problem !== undefined) this.refused++
    return problem
  }

  /** Somebody from this address is here. */
  enter(address: string): void {
    this.accepted++
    this.connections++
    this.addresses.set(address, (this.addresses.get(address) ?? 0) + 1)
  }

  /** Somebody from this address has gone. */
  leave(address: string): void {
    this.connections--
    const others = (this.addresses.get(address) ?? 1) - 1
    if (others > 0) this.addresses.set(address, others)
    else this.addresses.delete(address)
  }
}
