/**
 * Re-rating: what was used stays, and what it costs becomes what the prices of today say of the moment of the call: for
 * calls whose price nobody knew then, or whose price was wrong. The ledger is never edited: the signed difference is
 * appended as a correction that names the version it is made by and the one it replaces. Doing it again changes nothing,
 * since no difference is left.
 *
 *   unchanged   the price of today makes the same cost
 *   unknown     there is no price today either
 *   rerated     a correction is appended
 *   overtaken   somebody else corrected it, again and again, while this tried to
 *
 * An attempt that used and cost nothing was not billed, and no price per request bills it now. A worst case stays one,
 * by the other price. An attempt that somebody else corrects meanwhile is read again and rated from what it stands at.
 */
import { addUsd, toNanoUsd, zeroUsd, type NanoUsd } from "../kernel/money.ts";
import { emptyUsage } from "../kernel/usage.ts";
import type { AttemptCursor, ChargedAttempt } from "../storage/reports/charged-attempts.ts";
import type { Correction, CorrectionEntry } from "../storage/reports/corrections.ts";
import type { Price, PriceBook } from "./price-book.ts";
import { currentVersion, parseVersion, rerateVersion, servedVersion } from "./prices/version.ts";
import { correctionTriesMax, isUnused, pricedModel, standingOf, type Standing } from "./standing.ts";

export interface RerateDeps {
  readonly prices: PriceBook;
  readonly store: {
    /** The page after `after`; the last one has fewer than `pageAttempts`. */
    attempts(after: AttemptCursor | null, limit: number): Promise<readonly ChargedAttempt[]>;
    /** Returns those that were appended: the attempts of the others were corrected since they were read. */
    append(corrections: readonly Correction[]): Promise<readonly Correction[]>;
    /** The same attempts as they are by now. */
    reread(attempts: readonly ChargedAttempt[]): Promise<readonly ChargedAttempt[]>;
  };
  wallMs(): number;
}

export interface RerateOptions {
  /** Only what had no price, or a stand-in's. */
  readonly unpricedOnly: boolean;
  /** Only tell what would be appended. */
  readonly dryRun: boolean;
}

export interface RerateReport {
  examined: number;
  unchanged: number;
  /** Without a price today. */
  unknown: number;
  rerated: number;
  /** Left as others have corrected them; another run rates them. */
  overtaken: number;
  /** In the order of their first correction. */
  readonly changes: readonly RerateChange[];
}

/** What became of the attempts of one target from one price to another. */
export interface RerateChange {
  /** `provider/model`. */
  readonly model: string;
  /** `null`: there was none. */
  readonly fromVersion: string | null;
  readonly toVersion: string;
  attempts: number;
  beforeNanoUsd: NanoUsd;
  afterNanoUsd: NanoUsd;
}

const pageAttempts = 200;

/** Rejects if the store does, or when aborted; what was appended until then stays, and the next run goes on from there. */
export async function rerate(deps: RerateDeps, options: RerateOptions, signal: AbortSignal): Promise<RerateReport> {
  const changes = new Map<string, RerateChange>();
  const report: RerateReport = { examined: 0, unchanged: 0, unknown: 0, rerated: 0, overtaken: 0, changes: [] };
  let after: AttemptCursor | null = null;
  for (;;) {
    signal.throwIfAborted();
    const page: readonly ChargedAttempt[] = await deps.store.attempts(after, pageAttempts);
    report.examined += page.length;
    let left = await rerateAttempts(deps, options, page, report, changes);
    for (let tries = 1; left.length > 0 && tries < correctionTriesMax; tries++) {
      left = await rerateAttempts(deps, options, await deps.store.reread(left), report, changes);
    }
    report.overtaken += left.length;
    const last = page.at(-1)?.charge;
    if (last === undefined || page.length < pageAttempts) return { ...report, changes: [...changes.values()] };
    after = { atMs: last.atMs, entryId: last.entryId };
  }
}

/** Returns those that were corrected by somebody else since they were read. */
async function rerateAttempts(
  deps: RerateDeps,
  options: RerateOptions,
  attempts: readonly ChargedAttempt[],
  report: RerateReport,
  changes: Map<string, RerateChange>,
): Promise<readonly ChargedAttempt[]> {
  const corrections: Correction[] = [];
  for (const attempt of attempts) {
    const outcome = rerateAttempt(attempt, deps.prices, options, deps.wallMs());
    if (typeof outcome === "string") report[outcome]++;
    else corrections.push({ attempt, entry: outcome });
  }
  const appended = options.dryRun ? corrections : await deps.store.append(corrections);
  for (const correction of appended) addChange(changes, correction);
  report.rerated += appended.length;
  const done = new Set(appended.map(({ attempt }) => attempt));
  return corrections.map(({ attempt }) => attempt).filter((attempt) => !done.has(attempt));
}

/** The correction it wants, or why it wants none. */
function rerateAttempt(
  attempt: ChargedAttempt,
  prices: PriceBook,
  { unpricedOnly }: Pick<RerateOptions, "unpricedOnly">,
  nowMs: number,
): CorrectionEntry | "unchanged" | "unknown" {
  const { charge, startedAtMs } = attempt;
  const standing = standingOf(attempt);
  if (unpricedOnly && standing.priced) return "unchanged";
  const { tier, isServed } = standing.priceVersion === null ? unpriced : parseVersion(standing.priceVersion);
  const price = prices.find(charge.provider, pricedModel(charge, standing.priceVersion), tier, startedAtMs);
  if (price === null || price.standIn) return standing.priced && isUnbilled(standing) ? "unchanged" : "unknown";
  if (isHeldAtSame(price, standing)) return "unchanged";
  const difference = costBy(price, standing) - standing.costNanoUsd;
  if (difference === 0n && standing.priced) return "unchanged";
  return {
    ...charge,
    atMs: nowMs,
    usage: emptyUsage(),
    costNanoUsd: toNanoUsd(difference),
    priceVersion: rerateVersion(isServed ? servedVersion(price.version) : price.version, standing.priceVersion),
    basis: standing.basis,
    flags: standing.priced ? [] : ["priced"],
  };
}

const unpriced = { tier: null, isServed: false };

function isUnbilled({ usage, costNanoUsd }: Standing): boolean {
  return costNanoUsd === 0n && isUnused(usage);
}

/** A worst case may be that of a dearer tier, or model, than the one that was asked for: what was held stays, too. */
function isHeldAtSame({ version }: Price, { basis, priced, priceVersion }: Standing): boolean {
  return basis === "worst-case" && priced && priceVersion === version;
}

function costBy(price: Price, standing: Standing): NanoUsd {
  const { usage, basis, costNanoUsd, priced } = standing;
  const billed = !isUnused(usage) || (priced ? costNanoUsd !== 0n : basis === "reported" || basis === "drained");
  if (!billed) return zeroUsd;
  return basis === "worst-case" ? price.worstCost(usage) : price.cost(usage);
}

function addChange(changes: Map<string, RerateChange>, { attempt, entry }: Correction): void {
  const standing = standingOf(attempt);
  const model = attempt.charge.modelTarget;
  const toVersion = currentVersion(entry.priceVersion ?? "");
  const fromVersion = standing.priceVersion;
  const key = `${model} ${fromVersion} ${toVersion}`;
  const change = changes.get(key) ?? {
    model,
    fromVersion,
    toVersion,
    attempts: 0,
    beforeNanoUsd: zeroUsd,
    afterNanoUsd: zeroUsd,
  };
  changes.set(key, change);
  change.attempts++;
  change.beforeNanoUsd = addUsd(change.beforeNanoUsd, standing.costNanoUsd);
  change.afterNanoUsd = addUsd(change.afterNanoUsd, addUsd(standing.costNanoUsd, entry.costNanoUsd));
}
