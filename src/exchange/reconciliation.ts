/**
 * Asks providers afterwards what the calls used whose usage we had to count ourselves or charge at the worst case, and
 * appends the corrections. Only providers that can be asked (`usageLookup`) take part. Safe to run anywhere, any number
 * of times, several at once.
 *
 * Nobody is asked for ever: a provider that answered, but has not said after a day what a call used, will not, and the
 * charge stands. A provider that could not be reached, or is not configured at present, has a week. What nobody can be
 * asked about is not kept for asking.
 */
import type { Kysely } from "kysely";
import {
  reconcileProvider,
  type LookupAnswer,
  type ReconcileReport,
  type ReconciledProvider,
} from "../accounting/reconcile.ts";
import type { Clock } from "../kernel/clock.ts";
import { HeadgateError } from "../kernel/errors.ts";
import { repeat } from "../kernel/repeat.ts";
import type { Endpoint } from "../providers/endpoint.ts";
import { getJson } from "../providers/get-json.ts";
import type { UsageLookup } from "../providers/provider.ts";
import type { Transport } from "../providers/transport.ts";
import { readUsageLookup, usageLookupPath } from "../providers/usage-lookup.ts";
import type { LedgerEntry } from "../storage/records.ts";
import { rereadAttempts } from "../storage/reports/charged-attempts.ts";
import type { Correction, CorrectionEntry } from "../storage/reports/corrections.ts";
import { forgetUnconfirmed, listUnconfirmedProviders, listUnreconciled } from "../storage/reports/reconciliation.ts";
import type { Database } from "../storage/schema.ts";
import type { Telemetry } from "../telemetry/telemetry.ts";
import { appendToLedger } from "./corrections.ts";
import type { Snapshot } from "./snapshot.ts";

const LOOKUP_TIMEOUT_MS = 10_000;
const LOOKUP_BYTES_MAX = 65_536;
/** A provider's record of a call appears within minutes; a call unknown after this never reached it. */
const ABSENT_AFTER_MS = 600_000;

const ANSWERED_WITHIN_MS = 24 * 3_600_000;
const REACHED_WITHIN_MS = 7 * ANSWERED_WITHIN_MS;

const INTERVAL_MS = 60_000;

export interface ReconciliationDeps {
  readonly clock: Clock;
  readonly transport: Transport;
  readonly db: Kysely<Database>;
  /** Told why a provider could not be asked. */
  readonly lookupFailed: (provider: string, reason: unknown) => void;
  /** Told of each correction that was appended. */
  readonly corrected?: (correction: CorrectionEntry) => void;
}

export interface ScheduledReconciliationDeps extends Omit<ReconciliationDeps, "lookupFailed"> {
  readonly telemetry: Telemetry;
  readonly snapshot: () => Snapshot;
}

/** Reconciles every minute until disposed; disposing aborts the pass under way. */
export function scheduleReconciliation(deps: ScheduledReconciliationDeps): AsyncDisposable {
  const { telemetry } = deps;
  const closing = new AbortController();
  const passDeps: ReconciliationDeps = {
    ...deps,
    lookupFailed: (provider, reason) => telemetry.backgroundFailed(`the usage lookup at ${provider}`, reason),
  };
  const schedule = repeat(deps.clock, INTERVAL_MS, async () => {
    try {
      const snapshot = deps.snapshot();
      const reports = await reconcile(passDeps, snapshot, {}, closing.signal);
      await endAsking(deps, snapshot, reports);
    } catch (reason) {
      if (!closing.signal.aborted) telemetry.backgroundFailed("reconciliation", reason);
    }
  });
  return {
    async [Symbol.asyncDispose]() {
      closing.abort(new Error("the gateway stops"));
      await schedule[Symbol.asyncDispose]();
    },
  };
}

/** After a pass over all providers: what is not worth another pass is no longer listed. */
export async function endAsking(
  deps: Pick<ReconciliationDeps, "clock" | "db">,
  { endpoints }: Pick<Snapshot, "endpoints">,
  reports: ReadonlyMap<string, ReconcileReport>,
): Promise<void> {
  const nowMs = deps.clock.wallMs();
  for (const provider of await listUnconfirmedProviders(deps.db)) {
    const keptMs = keptForMs(endpoints.get(provider), reports.get(provider));
    await forgetUnconfirmed(deps.db, { provider, settledBeforeMs: nowMs - keptMs });
  }
}

function keptForMs(endpoint: Endpoint | undefined, report: ReconcileReport | undefined): number {
  if (endpoint === undefined) return REACHED_WITHIN_MS;
  if (endpoint.spec.usageLookup === null) return 0;
  return report?.failed === 0 ? ANSWERED_WITHIN_MS : REACHED_WITHIN_MS;
}

export interface ReconciliationOptions {
  /** How old a charge must be before a missing record means that there was no call. Default 10 minutes. */
  readonly absentAfterMs?: number;
  /** Only this one. Default: all that can be asked. */
  readonly provider?: string;
}

/**
 * One pass over all providers. The reports by provider name; empty if none can be asked. Rejects when aborted, and with
 * `not_found` or `invalid_argument` if the named provider is not configured or cannot be asked.
 */
export async function reconcile(
  deps: ReconciliationDeps,
  snapshot: Snapshot,
  options: ReconciliationOptions,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, ReconcileReport>> {
  const reports = new Map<string, ReconcileReport>();
  for (const endpoint of chooseEndpoints(snapshot, options.provider ?? null)) {
    const { usageLookup } = endpoint.spec;
    if (usageLookup === null) continue;
    const provider: ReconciledProvider = {
      name: endpoint.name,
      acceptsClientRequestId: usageLookup.acceptsClientRequestId,
      absentAfterMs: options.absentAfterMs ?? ABSENT_AFTER_MS,
    };
    const report = await reconcileProvider(
      {
        prices: snapshot.prices,
        store: {
          unreconciled: (query) => listUnreconciled(deps.db, query),
          append: (correction) => append(deps, correction),
          reread: async (attempt) => (await rereadAttempts(deps.db, [attempt]))[0] ?? attempt,
        },
        lookup: (entry, id, lookupSignal) => lookUp(deps, endpoint, usageLookup, entry, id, lookupSignal),
        lookupFailed: (entry, reason) => deps.lookupFailed(entry.provider, reason),
        wallMs: () => deps.clock.wallMs(),
      },
      provider,
      signal,
    );
    reports.set(endpoint.name, report);
  }
  return reports;
}

function chooseEndpoints({ endpoints }: Snapshot, provider: string | null): Iterable<Endpoint> {
  if (provider === null) return endpoints.values();
  const chosen = endpoints.get(provider);
  if (chosen === undefined) {
    const configured = [...endpoints.keys()].join(", ") || "none";
    const message = `No provider ${JSON.stringify(provider)} is configured. Configured: ${configured}.`;
    throw new HeadgateError("not_found", message, { param: "provider" });
  }
  if (chosen.spec.usageLookup === null) {
    const message = `Provider ${provider} cannot say afterwards what a call used.`;
    throw new HeadgateError("invalid_argument", message, { param: "provider" });
  }
  return [chosen];
}

async function append(deps: ReconciliationDeps, correction: Correction): Promise<boolean> {
  const appended = await appendToLedger(deps.db, [correction], deps.clock.wallMs());
  for (const { entry } of appended) deps.corrected?.(entry);
  return appended.length > 0;
}

/** Asked with the credential that made the call, if it still exists: the record belongs to its account. */
async function lookUp(
  deps: ReconciliationDeps,
  endpoint: Endpoint,
  usageLookup: UsageLookup,
  entry: LedgerEntry,
  id: string,
  signal: AbortSignal,
): Promise<LookupAnswer> {
  const answer = await getJson(
    deps.transport,
    deps.clock,
    {
      origin: endpoint.origin,
      path: endpoint.basePath + usageLookupPath(usageLookup, id),
      headers: endpoint.credential(entry.credential).headers,
      timeoutMs: LOOKUP_TIMEOUT_MS,
      bytesMax: LOOKUP_BYTES_MAX,
    },
    signal,
  );
  return readUsageLookup(answer.status, answer.json);
}
