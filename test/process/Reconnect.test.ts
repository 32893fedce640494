import { afterEach, describe, it } from "@effect/vitest"
import * as Child from "../support/Child.js"
import { comingBack } from "../support/ComingBack.js"
import * as Fleet from "../support/Fleet.js"

afterEach(() => {
  Fleet.clear()
  Child.clear()
})

describe("a hand-over with many clients", () => {
  it("scenario 21: they come back over the time that they were given, and the server stays alive and ready", () =>
    comingBack(300, 3000))
})
