/**
 * The prices of one model over time, from the catalogue and from the operator. Of those in force the last one applies,
 * so that what stands later may override what stands earlier.
 */
import type { DatedPrice, PriceOverride, PriceRates, RateCard } from "../../config/config.ts";
import type { Price } from "../price-book.ts";
import type { CatalogueHit, CatalogueRate, CatalogueRates, CatalogueVariant } from "./catalogue.ts";
import { createPrice, rateOrder } from "./rates.ts";
import { findTierFactor, isOtherTier, scaleRates } from "./service-tiers.ts";
import { formatRates, tierVersion } from "./version.ts";

export interface ScheduledPrice {
  /** At the standard tier. */
  readonly price: Price;
  readonly fromMs: number;
  /** Seconds after midnight UTC; may cross midnight. */
  readonly daily: { readonly from: number; readonly until: number } | null;
}

export type PriceSchedule = readonly ScheduledPrice[];

/** `null`: none is in force. */
export function priceAt(schedule: PriceSchedule, atMs: number): Price | null {
  for (let index = schedule.length - 1; index >= 0; index--) {
    const candidate = schedule[index];
    if (candidate !== undefined && isInForce(candidate, atMs)) return candidate.price;
  }
  return null;
}

function isInForce({ fromMs, daily }: ScheduledPrice, atMs: number): boolean {
  if (atMs < fromMs) return false;
  if (daily === null) return true;
  const second = Math.floor(atMs / 1000) % 86_400;
  const { from, until } = daily;
  return from <= until ? second >= from && second < until : second >= from || second < until;
}

export function always(price: Price): PriceSchedule {
  return [{ price, fromMs: -Infinity, daily: null }];
}

/** The catalogue's, whose first price holds where no other one does. `list`: the provider's, whose service tiers count. */
export function catalogueSchedule({ source, model }: CatalogueHit, list: string): PriceSchedule {
  return model.prices.map((variant, index) => {
    const { rates } = variant;
    const { from, daily }: Omit<CatalogueVariant, "rates"> = index === 0 ? {} : variant;
    return {
      price: createPrice(variantVersion(source, variant), rates, (base, tier) => {
        const factor = findTierFactor(list, model.id, tier);
        if (factor !== null) return { version: tierVersion(base, tier, { factor }), rates: scaleRates(rates, factor) };
        return isOtherTier(tier) ? { version: tierVersion(base, tier, "standard"), rates } : null;
      }),
      fromMs: from === undefined ? -Infinity : startOfDay(from),
      daily: daily === undefined ? null : { from: secondOfDay(daily[0]), until: secondOfDay(daily[1]) },
    };
  });
}

export function variantVersion(source: string, { from, daily }: CatalogueVariant): string {
  return [source, from, daily?.join("-")].filter((part) => part !== undefined).join("@");
}

/** `name`: `provider/model`. */
export function overrideSchedule(name: string, { later, ...first }: PriceOverride): PriceSchedule {
  return [first, ...later].map((dated) => ({
    price: overridePrice(name, dated),
    fromMs: dated.from === null ? -Infinity : startOfDay(dated.from),
    daily: null,
  }));
}

function overridePrice(name: string, dated: DatedPrice): Price {
  const rates = cardRates(dated);
  return createPrice(overrideVersion(name, rates), rates, (base, tier) => {
    const card = Object.hasOwn(dated.serviceTiers, tier) ? dated.serviceTiers[tier] : undefined;
    if (card !== undefined) {
      const own = cardRates(card);
      return { version: tierVersion(overrideVersion(name, own), tier, "own"), rates: own };
    }
    return isOtherTier(tier) ? { version: tierVersion(base, tier, "standard"), rates } : null;
  });
}

function overrideVersion(name: string, rates: CatalogueRates): string {
  return `override/${name};${formatRates(rates)}`;
}

const rateNames: readonly (keyof PriceRates)[] = [
  "input",
  "output",
  "cacheRead",
  "cacheWrite5m",
  "cacheWrite1h",
  "reasoning",
  "audioInput",
  "audioOutput",
  "imageInput",
  "imageOutput",
  "tool",
  "search",
  "request",
];

/** In the catalogue's form. A rate that only long requests have is for shorter ones what it is a special case of. */
function cardRates(card: RateCard): CatalogueRates {
  const rates: Record<string, CatalogueRate> = {};
  for (const name of rateNames) {
    const longer = card.longContext.flatMap((rung) => {
      const text = rung[name];
      return text === null ? [] : [[rung.above, text] as const];
    });
    const base = card[name] ?? (longer.length > 0 ? generalRate(card, name) : null);
    if (base !== null) rates[name] = longer.length > 0 ? [base, ...longer] : base;
  }
  return rates;
}

function generalRate(card: PriceRates, name: keyof PriceRates): string {
  const order = Object.values(rateOrder).find(([first]) => first === name) ?? [];
  for (const candidate of order) {
    const text = card[candidate];
    if (text !== null) return text;
  }
  return "0";
}

function startOfDay(day: string): number {
  return Date.parse(`${day}T00:00:00Z`);
}

/** Of `01:30:00Z`. */
function secondOfDay(time: string): number {
  const [hours = 0, minutes = 0, seconds = 0] = time.replace("Z", "").split(":").map(Number);
  return hours * 3600 + minutes * 60 + seconds;
}
