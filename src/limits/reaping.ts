/**
 * Looks for owners whose lease has ended: what they were granted goes into suspense, so that nothing else is done with it
 * until their journal explains it. Every process looks; of several that find the same owner one fences it.
 */
import type { Clock } from "../kernel/clock.ts";
import { repeat } from "../kernel/repeat.ts";
import type { Bank, ReapReport } from "../storage/escrow/bank.ts";

export interface ReapingDeps {
  readonly bank: Pick<Bank, "reap">;
  readonly clock: Clock;
  /** Told when owners were fenced. */
  readonly reaped: (report: ReapReport) => void;
  /** The store could not be asked; told once until it can be. */
  readonly failed: (cause: unknown) => void;
  /** Default 5000. */
  readonly intervalMs?: number;
}

const INTERVAL_MS = 5000;

/** The first look is after one interval. */
export function startReaping(deps: ReapingDeps): AsyncDisposable {
  let failing = false;
  return repeat(deps.clock, deps.intervalMs ?? INTERVAL_MS, async () => {
    try {
      const report = await deps.bank.reap();
      failing = false;
      if (report.owners > 0) deps.reaped(report);
    } catch (cause) {
      if (!failing) deps.failed(cause);
      failing = true;
    }
  });
}
