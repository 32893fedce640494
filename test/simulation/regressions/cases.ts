/** Cases that once broke a law, each with what it showed, and rare ones that some fault needs to be seen by. */
import * as Case from "../Case.js"

const never: Case.Work = { takes: null, ends: "well", stubborn: false }
const lasting = (takes: number, stubborn = false): Case.Work => ({ takes, ends: "well", stubborn })
const { part, simple } = Case

/** Name and case. */
export const cases: Readonly<Record<string, Case.Case>> = {
  "a plan that is used up: what times out at the deadline is told as timed out, not left open": simple(
    [part({ limit: 600, release: lasting(638) })],
    { words: [{ at: 300, what: "SIGTERM" }] }
  ),
  "two signals at once: hooks after the graph do not take the shared second from it": simple(
    [
      part({ limit: 2000, hooks: [{ when: "after-release", limit: 4000, work: Case.instantly }] }),
      part({ limit: 2000, release: lasting(3) })
    ],
    {
      words: [
        { at: 4000, what: "SIGTERM" },
        { at: 4000, what: "SIGTERM" }
      ]
    }
  ),
  "a second signal while a start is called off: hooks begin at once": simple(
    [
      part({ limit: 5000, acquire: never }),
      part({
        limit: 2000,
        release: lasting(1),
        hooks: [{ when: "before-release", limit: 3000, work: Case.instantly }]
      })
    ],
    {
      words: [
        { at: 9000, what: "SIGTERM" },
        { at: 9000, what: "SIGTERM" }
      ]
    }
  ),
  "a second signal while a stubborn acquisition is called off: everything else is released at once": simple(
    [
      part({ limit: 5000, release: lasting(900) }),
      part({ limit: 5000, acquire: lasting(8000, true), needs: [0] })
    ],
    {
      words: [
        { at: 1000, what: "SIGTERM" },
        { at: 2000, what: "SIGINT" }
      ]
    }
  ),
  "an acquisition without a name that never ends is bounded by STARTUP_TIMEOUT": simple(
    [part({ limit: 500 }), part({ named: false, acquire: never, needs: [0] })],
    { startup: 1500 }
  ),
  "a start that fails into a release without a name that never ends is bounded as well": simple(
    [
      part({ limit: 500 }),
      part({ named: false, release: never, needs: [0] }),
      part({ acquire: { takes: 10, ends: "fails", stubborn: false }, needs: [1] })
    ],
    { startup: 1500 }
  ),
  "a part that is given up while something named inside it is still within its own limit": simple([
    part({
      limit: 800,
      inner: { named: true, limit: 1758, acquire: Case.instantly, release: lasting(1221) }
    })
  ]),
  "a release without a name that dies does not keep what is still open from being released, and is told":
    simple([
      part({
        limit: 600,
        inner: { named: true, limit: 727, acquire: Case.instantly, release: lasting(754) }
      }),
      part({ named: false, release: { takes: 1, ends: "dies", stubborn: false } })
    ]),
  "two instances of one part, so of one name: the report says of each what it did": simple(
    [
      part({
        limit: 3000,
        acquire: lasting(145),
        task: { limit: 573, pause: 2370, unit: lasting(1130, true), failsAt: null }
      }),
      part({ limit: 3000, needs: [0], acquire: lasting(98) }),
      part({ limit: 800, needs: [1] }),
      part({ needs: [1, 0], fresh: [0], acquire: lasting(2287) }),
      part({ limit: 3000, needs: [3], acquire: lasting(4) })
    ],
    {
      words: [
        { at: 2534, what: "SIGTERM" },
        { at: 3000, what: "SIGTERM" }
      ]
    }
  ),
  "a second signal in the last second does not prolong the stop": simple(
    [part({ named: false, release: never, quiesce: { limit: 5000, work: never } })],
    {
      words: [
        { at: 4000, what: "SIGTERM" },
        { at: 8500, what: "SIGTERM" }
      ],
      whole: 5000
    }
  ),
  "a second signal during the drain: what has no name gets the shared second, whatever hooks come after it":
    simple(
      [
        part({
          quiesce: { limit: 3000, work: never },
          hooks: [{ when: "after-release", limit: 4000, work: Case.instantly }]
        }),
        part({ named: false, release: lasting(500) })
      ],
      {
        words: [
          { at: 4000, what: "SIGTERM" },
          { at: 4100, what: "SIGTERM" }
        ]
      }
    ),
  "hooks of a service whose plan was refused leave each other what time there is": simple(
    [
      part({
        hooks: [
          { when: "after-release", limit: 3000, work: never },
          { when: "after-release", limit: 3000, work: never }
        ]
      })
    ],
    { whole: 4000 }
  )
}
