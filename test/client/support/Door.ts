/** An address that stays while the servers behind it come and go, and whose connections can be cut. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { AddressInfo } from "node:net"
import * as Net from "node:net"

export interface Door {
  readonly url: string
  /** Where new connections lead; none resets them. */
  leadsTo: number | undefined
  /** Connections let in so far. */
  passed: number
  /** Resets all connections, as a process does that is killed. */
  readonly cut: () => void
}

export const door = (leadsTo: number): Effect.Effect<Door, never, Scope.Scope> =>
  Effect.gen(function* () {
    const open = new Set<Net.Socket>()
    const server = yield* Effect.acquireRelease(
      Effect.async<Net.Server>((resume) => {
        const server = Net.createServer({ allowHalfOpen: true }, (socket) => {
          socket.on("error", () => {})
          if (made.leadsTo === undefined) return void socket.resetAndDestroy()
          made.passed++
          open.add(socket)
          const inner = Net.connect({ port: made.leadsTo, host: "127.0.0.1", allowHalfOpen: true })
          inner.on("error", () => socket.resetAndDestroy())
          socket.on("close", () => {
            open.delete(socket)
            inner.destroy()
          })
          socket.pipe(inner).pipe(socket)
        })
        server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
      }),
      (server) =>
        Effect.sync(() => {
          server.close()
          made.cut()
        })
    )
    const made: Door = {
      url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}/ws`,
      leadsTo,
      passed: 0,
      cut: () => {
        for (const socket of open) socket.resetAndDestroy()
      }
    }
    return made
  })
