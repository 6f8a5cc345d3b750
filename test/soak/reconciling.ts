/** Reconciliation as the gateway does it every minute, on a store whose gateway has ended. */
import type { ReconcileReport } from "../../src/accounting/reconcile.ts";
import { loadPriceCatalogue } from "../../src/accounting/prices/catalogue.ts";
import type { Config } from "../../src/config/config.ts";
import { reconcile } from "../../src/exchange/reconciliation.ts";
import { createSnapshot } from "../../src/exchange/snapshot.ts";
import { createSystemClock } from "../../src/kernel/clock.ts";
import { createUndiciTransport } from "../../src/providers/undici-transport.ts";
import { databaseOptionsOf, openDatabase } from "../../src/storage/storage.ts";

const PASSES_MAX = 3;

/**
 * Asks about every charge that is not the provider's own, until nothing is left to ask. No call may be running: then a
 * call that the simulator does not know never was one, however young. One word for each charge asked about.
 */
export async function reconcileEverything(config: Config): Promise<readonly string[]> {
  const clock = createSystemClock();
  const db = openDatabase(databaseOptionsOf(config.storage));
  await using transport = createUndiciTransport({ connectTimeoutMs: 2_000, connectionsMax: 32 });
  const snapshot = createSnapshot(config, {
    catalogue: loadPriceCatalogue(),
    random: () => 0,
    userAgent: "headgate/soak",
  });
  const failures: string[] = [];
  const deps = {
    clock,
    db,
    transport,
    lookupFailed: (provider: string, reason: unknown) => void failures.push(`${provider}: ${String(reason)}`),
  };
  const answers: string[] = [];
  try {
    for (let pass = 0; pass < PASSES_MAX; pass++) {
      const passes = await reconcile(deps, snapshot, { absentAfterMs: 0 }, new AbortController().signal);
      const reports = [...passes.values()];
      answers.push(...reports.flatMap(wordsOf));
      if (reports.every((report) => report.pending + report.unknown + report.failed === 0)) break;
    }
  } finally {
    await db.destroy();
  }
  return [...answers, ...failures];
}

function wordsOf(report: ReconcileReport): string[] {
  return Object.entries(report).flatMap(([word, count]) => Array.from({ length: Number(count) }, () => word));
}
