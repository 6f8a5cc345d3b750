/**
 * A price version names the exact rates of a ledger entry for good, whatever becomes of the configuration and the
 * catalogue:
 *
 *   genai-prices-0.1.8/openai/gpt-5[@day][@daily]     release, list, model, and which of its prices over time
 *   override/openai/gpt-5;input=1.1>200000:2.2,…      the operator's own: the rates themselves
 *   hold:0.05                                         a fixed amount in place of a price that nobody knows
 *   free                                              the provider bills nothing
 *
 * and after it, where the service tier was not the standard one:
 *
 *   ;service-tier=flex*1/2      the standard rates times a factor
 *   ;service-tier=flex          an override's rates for this tier
 *   ;standard-rates-for=flex    nobody says what it costs
 *
 * and after that, where another model served than the one that was called, and is charged:
 *
 *   ;as-served
 *
 * A correction that re-rates names the version it replaces in parentheses: `… (was …)`. No version has a space.
 */
import type { CatalogueRate, CatalogueRates } from "./catalogue.ts";
import type { TierFactor } from "./service-tiers.ts";

export interface VersionParts {
  /** Without the mark of a tier. */
  readonly base: string;
  readonly tier: string | null;
  readonly factor: TierFactor | null;
  /** The rates are those of the model that served, which is not the one that was called. */
  readonly isServed: boolean;
}

const tierMark = /;(?:service-tier|standard-rates-for)=([a-z0-9_-]+)(?:\*([0-9]+(?:\/[0-9]+)?))?$/;

export function parseVersion(version: string): VersionParts {
  const whole = currentVersion(version);
  const isServed = whole.endsWith(servedMark);
  const current = isServed ? whole.slice(0, -servedMark.length) : whole;
  const mark = tierMark.exec(current);
  if (mark === null) return { base: current, tier: null, factor: null, isServed };
  return { base: current.slice(0, mark.index), tier: mark[1] ?? null, factor: mark[2] ?? null, isServed };
}

const servedMark = ";as-served";

/** The version of an entry of a call that another model served than the one that was called. */
export function servedVersion(version: string): string {
  return version + servedMark;
}

/** `factor`: of the standard rates; `own`: the rates are the tier's; `standard`: they are those of the standard tier. */
export function tierVersion(
  base: string,
  tier: string,
  rates: { readonly factor: TierFactor } | "own" | "standard",
): string {
  if (rates === "standard") return `${base};standard-rates-for=${tier}`;
  return rates === "own" ? `${base};service-tier=${tier}` : `${base};service-tier=${tier}*${rates.factor}`;
}

/** The version of a correction that re-rates from one price to another. */
export function rerateVersion(now: string, before: string | null): string {
  return `${now} (was ${before === null ? "unpriced" : currentVersion(before)})`;
}

/** Without what it replaced. */
export function currentVersion(version: string): string {
  return version.split(" ", 1)[0] ?? version;
}

/** `input=1.1>200000:2.2,output=4`. */
export function formatRates(rates: CatalogueRates): string {
  const entries = Object.entries(rates) as [string, CatalogueRate][];
  return entries.map(([name, rate]) => `${name}=${formatRate(rate)}`).join(",");
}

/** What `formatRates` made. */
export function parseRates(text: string): CatalogueRates {
  const rates: Record<string, CatalogueRate> = {};
  for (const entry of text.split(",")) {
    const [name = "", rate = ""] = entry.split("=", 2);
    const [base = "", ...tiers] = rate.split(">");
    rates[name] = tiers.length === 0 ? base : [base, ...tiers.map(parseTier)];
  }
  return rates;
}

function formatRate(rate: CatalogueRate): string {
  if (typeof rate === "string") return rate;
  const [base, ...tiers] = rate;
  return [base, ...tiers.map(([above, price]) => `${above}:${price}`)].join(">");
}

function parseTier(text: string): readonly [number, string] {
  const [above = "", price = ""] = text.split(":", 2);
  return [Number(above), price];
}
