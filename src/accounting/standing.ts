/** What an attempt comes to: its charge and all corrections of it together. */
import { toNanoUsd, type NanoUsd } from "../kernel/money.ts";
import { addUsage, emptyUsage, usageBuckets, type Usage } from "../kernel/usage.ts";
import type { LedgerEntry, SettlementBasis } from "../storage/records.ts";
import { basisOf, type ChargedAttempt } from "../storage/reports/charged-attempts.ts";
import { currentVersion, parseVersion } from "./prices/version.ts";

export interface Standing {
  readonly usage: Usage;
  readonly costNanoUsd: NanoUsd;
  readonly basis: SettlementBasis;
  /** Of the price that the cost is made by; `null`: none was known. */
  readonly priceVersion: string | null;
  /** False while nobody has known a price: the cost is zero, or a stand-in's. */
  readonly priced: boolean;
}

/** How often a correction is reckoned for an attempt that others correct at the same time. */
export const correctionTriesMax = 5;

export function standingOf(attempt: ChargedAttempt): Standing {
  const { charge, corrections } = attempt;
  const usage = emptyUsage();
  let cost = 0n;
  let priceVersion: string | null = null;
  let priced = !charge.flags.includes("unpriced");
  for (const entry of [charge, ...corrections]) {
    addUsage(usage, entry.usage);
    cost += entry.costNanoUsd;
    if (entry.priceVersion !== null) priceVersion = currentVersion(entry.priceVersion);
    if (entry.flags.includes("priced")) priced = true;
  }
  return {
    usage,
    costNanoUsd: toNanoUsd(cost),
    basis: basisOf(attempt),
    priceVersion,
    priced,
  };
}

export function isUnused(usage: Usage): boolean {
  return usageBuckets.every((bucket) => usage[bucket] === 0);
}

/**
 * The name that prices are looked up by: the provider's own of the model that was called, or of the one that served where
 * the price is that one's.
 */
export function pricedModel({ provider, modelTarget, modelServed }: LedgerEntry, priceVersion: string | null): string {
  const isServed = priceVersion !== null && parseVersion(priceVersion).isServed;
  const model = isServed ? modelServed : modelTarget;
  const prefix = `${provider}/`;
  return model.startsWith(prefix) ? model.slice(prefix.length) : model;
}
