/**
 * `stellar-insights/realtime`: a WebSocket hub whose clients outlive the server. `Hub.layerConfig` is the hub, `HubHealth.layer` what health and metrics say
 * of it, `Protocol` what it says to clients, `EventLog` and `SessionStore` what a service gives it to read and keep.
 *
 * @module
 */
export * as EventLog from "./EventLog.js"
export * as Hub from "./Hub.js"
export * as HubConfig from "./HubConfig.js"
export * as HubHealth from "./HubHealth.js"
export * as Protocol from "./Protocol.js"
export * as SessionStore from "./SessionStore.js"
