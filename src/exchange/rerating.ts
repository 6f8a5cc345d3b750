/** Rates calls of the past again, by the prices of a configuration: accounting/rerate.ts on the store. */
import type { Kysely } from "kysely";
import { rerate, type RerateDeps, type RerateOptions, type RerateReport } from "../accounting/rerate.ts";
import type { Clock } from "../kernel/clock.ts";
import { listChargedAttempts, rereadAttempts, type ChargedAttemptsQuery } from "../storage/reports/charged-attempts.ts";
import type { Database } from "../storage/schema.ts";
import { appendToLedger } from "./corrections.ts";
import type { Snapshot } from "./snapshot.ts";

export interface ReratingDeps {
  readonly clock: Clock;
  readonly db: Kysely<Database>;
}

/** Which calls: by when they were settled, at which provider, of which target. */
export type ReratedCalls = Omit<ChargedAttemptsQuery, "limit" | "after">;

/** Rejects with `storage_unavailable`, or when aborted; either way what was appended until then stays. */
export function rerateCalls(
  { clock, db }: ReratingDeps,
  { prices }: Pick<Snapshot, "prices">,
  calls: ReratedCalls,
  options: RerateOptions,
  signal: AbortSignal,
): Promise<RerateReport> {
  // What is charged while this runs is charged by these very prices.
  const toMs = Math.min(calls.toMs ?? Infinity, clock.wallMs());
  const store: RerateDeps["store"] = {
    attempts: (after, limit) => listChargedAttempts(db, { ...calls, toMs, after, limit }),
    append: (corrections) => appendToLedger(db, corrections, clock.wallMs()),
    reread: (attempts) => rereadAttempts(db, attempts),
  };
  return rerate({ prices, store, wallMs: () => clock.wallMs() }, options, signal);
}
