/** Waiting, by the wall clock: a drill lives in the time of the service that it drills. */
export const pause = (millis: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, millis))
