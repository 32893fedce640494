/** The handlers of the endpoints for the network as a whole. */
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Window from "../analytics/Window.js"
import * as Api from "../Api.js"
import * as Database from "../Database.js"
import * as LedgerStore from "../LedgerStore.js"
import * as NetworkQueries from "../queries/NetworkQueries.js"
import * as Answers from "./Answers.js"
import * as Network from "./Network.js"

const share = (part: number, whole: number): number | null => (whole === 0 ? null : part / whole)

/** The endpoints of {@link Network.Network}. */
export const layer = HttpApiBuilder.group(Api.Api, "network", (handlers) =>
  Effect.gen(function* () {
    const answers = yield* Answers.Answers
    const store = yield* LedgerStore.LedgerStore
    const network = NetworkQueries.make((yield* Database.Database).read)

    const over = (window: Window.Window) =>
      Effect.gen(function* () {
        const latest = Option.getOrUndefined(yield* store.latest)
        const sums = yield* network.since(
          latest === undefined ? 0 : Window.firstHour(window, latest.closeTime)
        )
        return { latest, sums }
      })

    return handlers
      .handle("overview", ({ urlParams: { window } }) =>
        // How far behind it is changes with the clock, so this answer is a function of no ledger.
        Answers.orUnavailable(
          Effect.gen(function* () {
            const { latest, sums } = yield* over(window)
            const now = yield* Clock.currentTimeMillis
            const { first, last, ledgers } = sums
            return new Network.NetworkOverview({
              window,
              lastLedger: latest?.sequence ?? null,
              lastCloseTime: latest?.closeTime ?? null,
              protocol: latest?.protocol ?? null,
              lagSeconds: latest === undefined ? null : Math.max(0, now / 1000 - latest.closeTime),
              ledgers,
              firstClosedAt: first,
              lastClosedAt: last,
              closeInterval: first === null || last === null ? null : share(last - first, ledgers - 1),
              transactions: sums.tx_count,
              successful: sums.success_tx,
              failed: sums.failed_tx,
              successRate: share(sums.success_tx, sums.tx_count),
              operations: sums.op_count,
              allOperations: sums.tx_set_op_count,
              contractTransactions: sums.soroban_tx,
              payments: sums.payments,
              accountMerges: sums.account_merges,
              createdAccounts: sums.created_accounts,
              feeCharged: sums.fee_charged,
              fees: yield* network.fees(latest?.sequence ?? 0)
            })
          })
        )
      )
      .handle("feeBumps", ({ urlParams: { window } }) =>
        answers.give(
          "ledger",
          Network.FeeBumpStats,
          Effect.map(over(window), ({ sums }) =>
            Option.some(
              new Network.FeeBumpStats({
                window,
                ledgers: sums.ledgers,
                firstClosedAt: sums.first,
                lastClosedAt: sums.last,
                feeBumps: sums.fee_bumps,
                successful: sums.fee_bumps_success,
                share: share(sums.fee_bumps, sums.tx_count),
                operations: sums.fee_bumps_operations,
                feeCharged: sums.fee_bumps_charged,
                meanFeePerOperation: share(Number(sums.fee_bumps_charged), sums.fee_bumps_operations)
              })
            )
          )
        )
      )
  })
)
