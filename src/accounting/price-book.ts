/**
 * The price book: what a model at a configured provider costs at a time. Asked in this order: the operator's override
 * of exactly `provider/model`; a provider that bills nothing is free; the catalogue's list for the provider. Where
 * none answers there is no price, and the caller follows `prices.unknownModel`; a price of zero is never made up.
 *
 * One book belongs to one configuration snapshot. It keeps what it looked up, bounded per provider.
 */
import type { PriceOverride } from "../config/config.ts";
import { zeroUsd, type NanoUsd } from "../kernel/money.ts";
import type { Usage } from "../kernel/usage.ts";
import type { CatalogueRates, CatalogueVariant, PriceCatalogue } from "./prices/catalogue.ts";
import { createPrice } from "./prices/rates.ts";

export interface Price {
  /** Names the exact rates used, e.g. `genai-prices-0.1.8/openai/gpt-5-mini`; stored with every ledger entry. */
  readonly version: string;
  /** Exact cost, tiers and long-context rates applied by the usage itself. */
  cost(usage: Usage): NanoUsd;
  /**
   * The most that these totals of input and output tokens can cost, whichever buckets they turn out to be in (a prompt
   * written to a cache costs more than one read afresh): what a hold is made of.
   */
  worstCost(usage: Usage): NanoUsd;
}

export interface PriceBook {
  /**
   * The price of a model at a provider on a date; `null` if there is none. `free` providers have a zero price, with a
   * version. The catalogue has no rates for service tiers other than the standard one; a call at another tier is
   * priced at standard rates and its version says so: `…;standard-rates-for=flex`.
   */
  find(provider: string, model: string, serviceTier: string | null, atMs: number): Price | null;
  /**
   * The price of exactly these rates, for rating an entry's correction as the entry was: overrides that are no longer
   * configured too, but `null` for rates of another release of the catalogue.
   */
  findVersion(version: string): Price | null;
}

/** What the book needs to know of a configured provider. */
export interface PricedProvider {
  /** Its list in the catalogue, `null` if there is none. */
  readonly priceList: string | null;
  readonly billing: "metered" | "none";
}

export interface PriceBookSources {
  readonly catalogue: PriceCatalogue;
  /** By `provider/model`. */
  readonly overrides: Readonly<Record<string, PriceOverride>>;
  /** By the provider's name in the configuration. */
  readonly providers: Readonly<Record<string, PricedProvider>>;
}

const unknownProvider: PricedProvider = { priceList: null, billing: "metered" };
const freePrice: Price = { version: "free", cost: () => zeroUsd, worstCost: () => zeroUsd };

/** Lookups kept per provider; when full they are forgotten together, since model names come from callers. */
const lookupsMax = 1024;

const overrideMark = "override/";
const otherTierMark = ";standard-rates-for=";

/** The names under which vendors bill at other than standard rates. */
const otherTiers: ReadonlySet<string> = new Set(["flex", "priority", "batch", "scale", "fast"]);

export function createPriceBook(sources: PriceBookSources): PriceBook {
  const lookups = new Map<string, Map<string, PriceSchedule>>();
  for (const provider of Object.keys(sources.providers)) lookups.set(provider, new Map());

  return {
    find(provider, model, serviceTier, atMs) {
      const known = lookups.get(provider);
      if (known === undefined) return null;
      let schedule = known.get(model);
      if (schedule === undefined) {
        schedule = findSchedule(sources, provider, model);
        if (known.size >= lookupsMax) known.clear();
        known.set(model, schedule);
      }
      const price = priceAt(schedule, atMs);
      if (price === null || serviceTier === null || !otherTiers.has(serviceTier)) return price;
      return { ...price, version: `${price.version}${otherTierMark}${serviceTier}` };
    },
    findVersion(version) {
      const standard = version.split(otherTierMark, 1)[0] ?? version;
      const price = findStandardVersion(sources.catalogue, standard);
      return price && { ...price, version };
    },
  };
}

function findStandardVersion(catalogue: PriceCatalogue, version: string): Price | null {
  if (version === freePrice.version) return freePrice;
  if (version.startsWith(overrideMark)) return createPrice(version, parseOverrideRates(version));
  const hit = catalogue.findSource(version.split("@", 1)[0] ?? version);
  const prices = hit?.model.prices.map((variant) => schedule(hit.source, variant).price) ?? [];
  return prices.find((price) => price.version === version) ?? null;
}

/** The prices of one model over time; empty if it has none. Of those that hold, the last one applies. */
type PriceSchedule = readonly ScheduledPrice[];

interface ScheduledPrice {
  readonly price: Price;
  readonly fromMs: number;
  /** Seconds after midnight UTC. */
  readonly daily: { readonly from: number; readonly until: number } | null;
}

function findSchedule(sources: PriceBookSources, provider: string, model: string): PriceSchedule {
  const name = `${provider}/${model}`;
  if (Object.hasOwn(sources.overrides, name)) {
    const override = sources.overrides[name];
    if (override) return [always(overridePrice(name, override))];
  }
  const { billing, priceList } = sources.providers[provider] ?? unknownProvider;
  if (billing === "none") return [always(freePrice)];
  const hit = priceList === null ? null : sources.catalogue.find(priceList, model);
  return hit === null ? [] : hit.model.prices.map((variant) => schedule(hit.source, variant));
}

function always(price: Price): ScheduledPrice {
  return { price, fromMs: -Infinity, daily: null };
}

function schedule(source: string, { from, daily, rates }: CatalogueVariant): ScheduledPrice {
  const version = [source, from, daily?.join("-")].filter((part) => part !== undefined).join("@");
  return {
    price: createPrice(version, rates),
    fromMs: from === undefined ? -Infinity : Date.parse(`${from}T00:00:00Z`),
    daily: daily === undefined ? null : { from: secondOfDay(daily[0]), until: secondOfDay(daily[1]) },
  };
}

/** The last price in force; before any of them is, the first. */
function priceAt(prices: PriceSchedule, atMs: number): Price | null {
  for (let index = prices.length - 1; index > 0; index--) {
    const candidate = prices[index];
    if (candidate !== undefined && isInForce(candidate, atMs)) return candidate.price;
  }
  return prices[0]?.price ?? null;
}

function isInForce({ fromMs, daily }: ScheduledPrice, atMs: number): boolean {
  if (atMs < fromMs) return false;
  if (daily === null) return true;
  const second = Math.floor(atMs / 1000) % 86_400;
  const { from, until } = daily;
  return from <= until ? second >= from && second < until : second >= from || second < until;
}

/** Of `01:30:00Z`. */
function secondOfDay(time: string): number {
  const [hours = 0, minutes = 0, seconds = 0] = time.replace("Z", "").split(":").map(Number);
  return hours * 3600 + minutes * 60 + seconds;
}

/** The rates stand in the version, so that it names them for good though the configuration changes. */
function overridePrice(name: string, override: PriceOverride): Price {
  const rates: Record<string, string> = {};
  for (const [key, text] of Object.entries(override) as [keyof PriceOverride & keyof CatalogueRates, string | null][]) {
    if (text !== null) rates[key] = text;
  }
  const shown = Object.entries(rates).map(([key, text]) => `${key}=${text}`);
  return createPrice(`${overrideMark}${name};${shown.join(",")}`, rates);
}

function parseOverrideRates(version: string): CatalogueRates {
  const rates: Record<string, string> = {};
  for (const shown of version.slice(version.lastIndexOf(";") + 1).split(",")) {
    const [key = "", text = ""] = shown.split("=", 2);
    rates[key] = text;
  }
  return rates;
}
