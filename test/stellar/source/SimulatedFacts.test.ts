import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as LedgerDetails from "../../../src/stellar/facts/LedgerDetails.js"
import * as Network from "../../../src/stellar/Network.js"
import * as SimulatedSource from "../../../src/stellar/source/SimulatedSource.js"
import * as SimulatedOracle from "../../support/SimulatedOracle.js"

const networkId = Network.id(SimulatedSource.passphrase)

/** What is extracted, cut down to what is told. */
const extracted = ({ bytes, expected }: SimulatedOracle.Told) => {
  const details = LedgerDetails.extract(bytes, networkId)
  const facts = Object.fromEntries(
    Object.keys(expected.facts).map((key) => [key, details.facts[key as keyof typeof details.facts]])
  )
  return { ...details, facts }
}

describe("facts of simulated ledgers are what the simulation did", () => {
  it.effect.each([
    ["at the beginning", { transactions: 60 }, 2, 30],
    ["of another seed, far on", { transactions: 40, seed: "other" }, 3_000_000_000, 12],
    ["with few transactions", { transactions: 3 }, 100, 60],
    ["with many operations", { transactions: 12, operations: 100 }, 7, 2],
    ["without any", { transactions: 0 }, 2, 2]
  ] as const)("%s", ([, options, start, count]) =>
    Effect.gen(function* () {
      for (const ledger of yield* SimulatedOracle.ledgers(options, start, count)) {
        assert.deepEqual(extracted(ledger), ledger.expected)
      }
    })
  )

  it.effect("every fact occurs", () =>
    Effect.gen(function* () {
      const ledgers = yield* SimulatedOracle.ledgers({ transactions: 80 }, 2, 40)
      const all = ledgers.map(({ expected }) => expected)
      const sum = (of: (expected: SimulatedOracle.Expected) => number) =>
        all.reduce((total, expected) => total + of(expected), 0)
      const corridors = all.flatMap((expected) => expected.corridors)
      for (const counter of [
        "success",
        "failedOwn",
        "rolledBack",
        "noOpResult",
        "selfSuccess",
        "selfFailed"
      ] as const) {
        assert.isAbove(
          corridors.reduce((total, corridor) => total + corridor[counter], 0),
          20,
          counter
        )
      }
      for (const [what, count] of Object.entries({
        "fee bumps": sum(({ feeBumps }) => feeBumps.filter(({ success }) => success).length),
        "failed fee bumps": sum(({ feeBumps }) => feeBumps.filter(({ success }) => !success).length),
        muxed: sum(({ payments }) => payments.filter(({ toMuxedId }) => toMuxedId !== null).length),
        "muxed sources": sum(
          ({ payments }) => payments.filter(({ fromMuxedId }) => fromMuxedId !== null).length
        ),
        merges: sum(({ accountMerges }) => accountMerges.length),
        creations: sum(({ operations }) => operations.createAccount ?? 0),
        "lines made": sum(({ trustlines }) => trustlines.net.created),
        "lines removed": sum(({ trustlines }) => trustlines.net.removed),
        "lines that came and went": sum(({ trustlines: { net, raw } }) => raw.removed - net.removed),
        "lines locked": sum(
          ({ trustlines }) =>
            trustlines.assets.filter(({ maintainLiabilitiesDelta }) => maintainLiabilitiesDelta > 0).length
        ),
        "shares made": sum(({ trustlines }) => trustlines.poolShareNet.created),
        "pools made": sum(({ pools }) => pools.net.created),
        "pools removed": sum(({ pools }) => pools.removed.length),
        deposits: sum(({ operations }) => operations.liquidityPoolDeposit ?? 0),
        withdrawals: sum(({ operations }) => operations.liquidityPoolWithdraw ?? 0),
        "pool trades": sum(({ claimAtoms }) => claimAtoms.liquidityPool),
        "order book trades": sum(({ claimAtoms }) => claimAtoms.orderBook),
        offers: sum(({ operations }) => operations.manageSellOffer ?? 0),
        allowances: sum(({ operations }) => operations.allowTrust ?? 0),
        calls: sum(({ operations }) => operations.invokeHostFunction ?? 0),
        "failed calls": sum(
          ({ allOperations, operations }) =>
            (allOperations.invokeHostFunction ?? 0) - (operations.invokeHostFunction ?? 0)
        )
      })) {
        assert.isAtLeast(count, 1, what)
      }
      const failed = sum(({ facts }) => facts.failedTx) / sum(({ facts }) => facts.txCount)
      assert.isTrue(failed > 0.08 && failed < 0.3, `${failed} of all transactions fail`)
    })
  )
})
