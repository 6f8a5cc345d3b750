/**
 * Reconciliation: a charge that is our own count or a worst case is replaced by what the provider says it used, where
 * the provider can be asked. The ledger is never edited: the signed difference is appended as a correction, which puts
 * the attempt on the basis `reported`, so that doing it again changes nothing. A difference of zero is appended too: it
 * says that the figure was confirmed, and ends the asking. An attempt that somebody else corrects meanwhile is read
 * again, and corrected from what it stands at if it is still an estimate.
 *
 * A provider that has no record of a call by the id we sent it with never billed it, once the record has had time to
 * appear: the correction then takes the whole charge back. Not finding one of its own ids proves nothing.
 *
 * The driver asks page by page, a page at once. How to ask (transport, credentials) and when is its caller's.
 */
import { emptyUsage, usageBuckets, type Usage } from "../kernel/usage.ts";
import { toNanoUsd, zeroUsd } from "../kernel/money.ts";
import type { LedgerEntry } from "../storage/records.ts";
import { basisOf, type ChargedAttempt } from "../storage/reports/charged-attempts.ts";
import type { Correction, CorrectionEntry } from "../storage/reports/corrections.ts";
import type { Price, PriceBook } from "./price-book.ts";
import { correctionTriesMax, isUnused, pricedModel, standingOf, type Standing } from "./standing.ts";

/** `absent`: the provider has no such call. `pending`: it is still running, or its record is not there yet. */
export type LookupAnswer =
  | { readonly kind: "found"; readonly usage: Usage }
  | { readonly kind: "absent" }
  | { readonly kind: "pending" };

export interface ReconcileDeps {
  readonly prices: PriceBook;
  readonly store: {
    /** Attempts still on the basis `metered` or `worst-case`, by the ids of their charges after `after`. */
    unreconciled(query: {
      readonly provider: string;
      readonly after: string | null;
      readonly limit: number;
    }): Promise<readonly ChargedAttempt[]>;
    /** False: nothing was appended, because the attempt was corrected since it was read. */
    append(correction: Correction): Promise<boolean>;
    /** The same attempt as it is by now. */
    reread(attempt: ChargedAttempt): Promise<ChargedAttempt>;
  };
  /** Asks the provider about one call. Rejects when it cannot be asked; aborting rejects. */
  lookup(entry: LedgerEntry, id: string, signal: AbortSignal): Promise<LookupAnswer>;
  /** Told why a lookup failed. */
  lookupFailed(entry: LedgerEntry, reason: unknown): void;
  wallMs(): number;
}

export interface ReconciledProvider {
  /** Its name in the configuration. */
  readonly name: string;
  /** Whether our attempt id serves as the id of a call. */
  readonly acceptsClientRequestId: boolean;
  /** How old a charge must be before a missing record means that there was no call. */
  readonly absentAfterMs: number;
}

/** How many charges of each kind a pass met. `failed`: the provider could not be asked, the pass ended there. */
export interface ReconcileReport {
  corrected: number;
  pending: number;
  /** Without an id that the provider knows. */
  unknown: number;
  /** Corrected by somebody else while this tried to. */
  overtaken: number;
  failed: number;
}

const pageEntries = 32;

/** One pass over a provider's charges. Rejects only if the store does, or when aborted. */
export async function reconcileProvider(
  deps: ReconcileDeps,
  provider: ReconciledProvider,
  signal: AbortSignal,
): Promise<ReconcileReport> {
  const report: ReconcileReport = { corrected: 0, pending: 0, unknown: 0, overtaken: 0, failed: 0 };
  let after: string | null = null;
  while (report.failed === 0) {
    signal.throwIfAborted();
    const page = await deps.store.unreconciled({ provider: provider.name, after, limit: pageEntries });
    const outcomes = await Promise.all(page.map((attempt) => reconcileAttempt(deps, provider, attempt, signal)));
    for (const outcome of outcomes) report[outcome]++;
    after = page.at(-1)?.charge.entryId ?? null;
    if (page.length < pageEntries) break;
  }
  return report;
}

async function reconcileAttempt(
  deps: ReconcileDeps,
  provider: ReconciledProvider,
  attempt: ChargedAttempt,
  signal: AbortSignal,
): Promise<keyof ReconcileReport> {
  const { charge } = attempt;
  const id = provider.acceptsClientRequestId ? charge.attemptId : charge.providerRequestId;
  if (id === null) return "unknown";
  let answer: LookupAnswer;
  try {
    answer = await deps.lookup(charge, id, signal);
  } catch (reason) {
    signal.throwIfAborted();
    deps.lookupFailed(charge, reason);
    return "failed";
  }
  const used = usedAccordingTo(answer, provider, deps.wallMs() - charge.atMs);
  if (used === null) return "pending";
  return correct(deps, attempt, used);
}

async function correct(deps: ReconcileDeps, listed: ChargedAttempt, used: Usage): Promise<"corrected" | "overtaken"> {
  let attempt = listed;
  for (let tries = 0; tries < correctionTriesMax && isEstimated(attempt); tries++) {
    const entry = correctionFor(attempt, used, deps.prices, deps.wallMs());
    if (await deps.store.append({ attempt, entry })) return "corrected";
    attempt = await deps.store.reread(attempt);
  }
  return "overtaken";
}

function isEstimated(attempt: ChargedAttempt): boolean {
  const basis = basisOf(attempt);
  return basis === "metered" || basis === "worst-case";
}

function usedAccordingTo(answer: LookupAnswer, provider: ReconciledProvider, ageMs: number): Usage | null {
  if (answer.kind === "found") return answer.usage;
  const neverBilled = answer.kind === "absent" && provider.acceptsClientRequestId && ageMs >= provider.absentAfterMs;
  return neverBilled ? emptyUsage() : null;
}

/**
 * The entry that makes charge and corrections together what was `used`. Without a price the amount stays as it was.
 * What is `used` is rated by the price that the amount was made by, which a re-rating may have changed since the charge.
 */
export function correctionFor(attempt: ChargedAttempt, used: Usage, prices: PriceBook, nowMs: number): CorrectionEntry {
  const { charge } = attempt;
  const standing = standingOf(attempt);
  const price = priceOf(prices, attempt, standing);
  const difference = emptyUsage();
  for (const bucket of usageBuckets) difference[bucket] = used[bucket] - standing.usage[bucket];
  return {
    ...charge,
    atMs: nowMs,
    usage: difference,
    costNanoUsd: price === null ? zeroUsd : toNanoUsd(costOf(used, price) - standing.costNanoUsd),
    priceVersion: price?.version ?? null,
    basis: "reported",
    flags: price === null || price.standIn || standing.priced ? [] : ["priced"],
  };
}

/** Where the rates are gone, or there were none, those in force when the request began. */
function priceOf(prices: PriceBook, { charge, startedAtMs }: ChargedAttempt, { priceVersion }: Standing): Price | null {
  const charged = priceVersion === null ? null : prices.findVersion(priceVersion);
  return charged ?? prices.find(charge.provider, pricedModel(charge, priceVersion), null, startedAtMs);
}

/** A call that used nothing was not billed at all, a price per request included. */
function costOf(used: Usage, price: Price): bigint {
  return isUnused(used) ? zeroUsd : price.cost(used);
}
