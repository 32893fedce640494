/**
 * The situations that services are known to stop badly in, each on its own.
 *
 * Of the catalogue of shutdowns that went wrong these cover what a client can see. Its numbers 5, 9, 11, 14, 17, 18, 19, 21 and 23 are about the inside of a
 * service and cannot be judged from here; 3 is a matter of load.
 *
 * @module
 */
import type { Scenario } from "../Scenario.js"
import { acceptedConnections } from "./AcceptedConnections.js"
import { chattyClient } from "./ChattyClient.js"
import { earlyRefusal } from "./EarlyRefusal.js"
import { endlessEvents } from "./EndlessEvents.js"
import { halfSentHead } from "./HalfSentHead.js"
import { healthWhileDraining } from "./HealthWhileDraining.js"
import { idleConnections } from "./IdleConnections.js"
import { lateRequest } from "./LateRequest.js"
import { lateUpgrade } from "./LateUpgrade.js"
import { longRequest } from "./LongRequest.js"
import { restart } from "./Restart.js"
import { secondSignal } from "./SecondSignal.js"
import { signalDuringStart } from "./SignalDuringStart.js"
import { silentWebSocket } from "./SilentWebSocket.js"
import { stopTimes } from "./StopTimes.js"
import { unusedConnections } from "./UnusedConnections.js"
import { webSocketClients } from "./WebSocketClients.js"

/** In the order in which they are run and shown. */
export const situations: ReadonlyArray<Scenario> = [
  lateRequest,
  idleConnections,
  unusedConnections,
  halfSentHead,
  chattyClient,
  acceptedConnections,
  earlyRefusal,
  endlessEvents,
  longRequest,
  webSocketClients,
  silentWebSocket,
  lateUpgrade,
  healthWhileDraining,
  secondSignal,
  ...signalDuringStart,
  restart,
  ...stopTimes
]
