/**
 * `stellar-insights/lease`: work that must run in one process at a time, however many there are.
 *
 * `Leased.layer` runs layers under a lease; `SqlLeases` keeps leases in the database that the work writes to; `Fence.guarded` has each of its transactions begin with the
 * fence that keeps a holder out whose time is over; `Wake` makes a hand-over quick.
 *
 * @module
 */
export * as Fence from "./Fence.js"
export * as Holder from "./Holder.js"
export * as LeaseBoard from "./LeaseBoard.js"
export * as LeaseConfig from "./LeaseConfig.js"
export * as Leased from "./Leased.js"
export * as Leases from "./Leases.js"
export * as SqlLeases from "./SqlLeases.js"
export * as Wake from "./Wake.js"
