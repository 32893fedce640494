/**
 * Names into addresses.
 *
 * The system's own way (`getaddrinfo`) occupies one of the process's four threads for as long as a name server is silent, so four dead names would hold up all
 * others, and files. Here the name servers are asked directly, each question bounded. What stands in `/etc/hosts` is not known therefore, except `localhost`.
 *
 * @module
 */
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Dns from "node:dns"
import * as Net from "node:net"

/** A name has no address, or none was found out. */
export class Unresolved extends Data.TaggedError("Unresolved")<{
  /** The name. */
  readonly name: string
  /** What the name server said, such as `ENOTFOUND`, or `ETIMEOUT`. */
  readonly code: string
}> {
  /** The same for people. */
  override get message(): string {
    return `${this.name} has no address (${this.code})`
  }
}

/** The resolver. */
export interface Shape {
  /** All addresses of a name, at least one; an address is its own. Fails with {@link Unresolved}; interrupting it is free. */
  readonly resolve: (name: string) => Effect.Effect<ReadonlyArray<string>, Unresolved>
}

/** The resolver of the service. */
export class Resolver extends Context.Tag("stellar-insights/webhooks/Resolver")<Resolver, Shape>() {}

/** How long a name server may take, in milliseconds, and how often each is asked. */
const patience = { timeout: 2500, tries: 2 }

/** Asks the name servers of the system. */
export const layer: Layer.Layer<Resolver> = Layer.sync(Resolver, () => {
  const dns = new Dns.promises.Resolver(patience)
  const ask = (question: () => Promise<ReadonlyArray<string>>) =>
    Effect.tryPromise({
      try: question,
      catch: (error) => (error as NodeJS.ErrnoException).code ?? "unknown"
    })
  return {
    resolve: (name) => {
      if (Net.isIP(name) > 0) return Effect.succeed([name])
      if (/^(.*\.)?localhost$/i.test(name)) return Effect.succeed(["127.0.0.1", "::1"])
      const both = [ask(() => dns.resolve4(name)), ask(() => dns.resolve6(name))]
      return Effect.flatMap(Effect.all(both.map(Effect.either), { concurrency: 2 }), (answers) => {
        const addresses = answers.flatMap((answer) => (answer._tag === "Right" ? answer.right : []))
        if (addresses.length > 0) return Effect.succeed(addresses)
        const codes = answers.flatMap((answer) => (answer._tag === "Left" ? [answer.left] : []))
        return Effect.fail(new Unresolved({ name, code: codes[0] ?? "ENODATA" }))
      })
    }
  }
})

/** Knows these names only. */
export const layerTest = (
  resolve: (name: string) => ReadonlyArray<string> | undefined
): Layer.Layer<Resolver> =>
  Layer.succeed(Resolver, {
    resolve: (name) =>
      Effect.suspend(() => {
        const addresses = Net.isIP(name) > 0 ? [name] : resolve(name)
        return addresses === undefined || addresses.length === 0
          ? Effect.fail(new Unresolved({ name, code: "ENOTFOUND" }))
          : Effect.succeed(addresses)
      })
  })
