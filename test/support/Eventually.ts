/** Asks until there is an answer; fails when there is none in time, 15 s unless said otherwise. */
export const eventually = async <A>(what: () => Promise<A | undefined>, millis = 15_000): Promise<A> => {
  const until = performance.now() + millis
  for (;;) {
    const value = await what()
    if (value !== undefined) return value
    if (performance.now() > until) throw new Error("it never came true")
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
