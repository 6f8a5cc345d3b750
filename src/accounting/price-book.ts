/**
 * The price book: what a model at a configured provider costs at a time. Asked in this order: the operator's override
 * of exactly `provider/model`; a provider that bills nothing is free; the catalogue's list for the provider. Where
 * none answers there is no price: `prices.unknownModel` says what becomes of the call. A price of zero is never made up.
 *
 * One book belongs to one configuration snapshot. It keeps what it looked up, bounded per provider.
 */
import type { PriceOverride, PricesConfig } from "../config/config.ts";
import { parseUsd, zeroUsd, type NanoUsd } from "../kernel/money.ts";
import type { Usage } from "../kernel/usage.ts";
import type { CatalogueRates, PriceCatalogue } from "./prices/catalogue.ts";
import { createPrice } from "./prices/rates.ts";
import {
  always,
  catalogueSchedule,
  overrideSchedule,
  priceAt,
  variantVersion,
  type PriceSchedule,
} from "./prices/schedule.ts";
import { scaleRates } from "./prices/service-tiers.ts";
import { parseRates, parseVersion } from "./prices/version.ts";

export interface Price {
  /** Names the exact rates used, e.g. `genai-prices-0.1.8/openai/gpt-5-mini`; stored with every ledger entry. See prices/version.ts. */
  readonly version: string;
  /** For people: what `cost` counts with. */
  readonly rates: CatalogueRates;
  /**
   * True for a fixed amount per request that stands in for a price that nobody knows (`prices.unknownModel: hold`).
   * What is charged by it is flagged `unpriced` and `estimated`.
   */
  readonly standIn: boolean;
  /** Exact cost, tiers and long-context rates applied by the usage itself. */
  cost(usage: Usage): NanoUsd;
  /**
   * The most that these totals of input and output tokens can cost, whichever buckets they turn out to be in (a prompt
   * written to a cache costs more than one read afresh): what a hold is made of.
   */
  worstCost(usage: Usage): NanoUsd;
  /**
   * `worstCost` at the dearest of the tiers that the vendor may serve a call at that asks for `serviceTier` (`null`: for
   * none): what a strict hold is made of.
   */
  worstCostAsked(usage: Usage, serviceTier: string | null): NanoUsd;
  /** The same model's price at the service tier that the provider says it served; `null`: it did not say, this price. */
  servedAt(serviceTier: string | null): Price;
}

export interface PriceBook {
  /**
   * The price of a model at a provider on a date, at a service tier; `null` if there is none, unless a stand-in is
   * configured. `free` providers have a zero price, with a version. A tier that nobody has rates for is priced at
   * standard rates, and its version says so: `…;standard-rates-for=scale`.
   */
  find(provider: string, model: string, serviceTier: string | null, atMs: number): Price | null;
  /**
   * The price of exactly these rates, for rating an entry's correction as the entry was: overrides that are no longer
   * configured too, but `null` for rates of a release of the catalogue that is not at hand.
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
  readonly prices: Pick<PricesConfig, "overrides"> & Partial<Pick<PricesConfig, "unknownModel" | "unknownModelHold">>;
  /** By the provider's name in the configuration. */
  readonly providers: Readonly<Record<string, PricedProvider>>;
}

const freePrice: Price = {
  version: "free",
  rates: {},
  standIn: false,
  cost: () => zeroUsd,
  worstCost: () => zeroUsd,
  worstCostAsked: () => zeroUsd,
  servedAt: () => freePrice,
};

/** Lookups kept per provider; when full they are forgotten together, since model names come from callers. */
const lookupsMax = 1024;

const overrideMark = "override/";
const holdMark = "hold:";

export function createPriceBook(sources: PriceBookSources): PriceBook {
  const { unknownModel, unknownModelHold = "0" } = sources.prices;
  const unknown = unknownModel === "hold" ? createStandIn(unknownModelHold) : null;
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
      const price = priceAt(schedule, atMs) ?? unknown;
      return price === null || serviceTier === null ? price : price.servedAt(serviceTier);
    },
    findVersion(version) {
      const { base, factor } = parseVersion(version);
      const rates = findRates(sources.catalogue, base);
      if (rates === "free") return freePrice;
      if (rates === "stand-in") return createStandIn(base.slice(holdMark.length));
      return rates && createPrice(version, factor === null ? rates : scaleRates(rates, factor));
    },
  };
}

/** A fixed amount per request, whatever it used. */
function createStandIn(dollars: string): Price {
  const amount = parseUsd(dollars) ?? zeroUsd;
  const price: Price = {
    version: `${holdMark}${dollars}`,
    rates: { request: dollars },
    standIn: true,
    cost: () => amount,
    worstCost: () => amount,
    worstCostAsked: () => amount,
    servedAt: () => price,
  };
  return price;
}

function findRates(catalogue: PriceCatalogue, base: string): CatalogueRates | "free" | "stand-in" | null {
  if (base === freePrice.version) return "free";
  if (base.startsWith(holdMark)) return "stand-in";
  if (base.startsWith(overrideMark)) return parseRates(base.slice(base.lastIndexOf(";") + 1));
  const hit = catalogue.findSource(base.split("@", 1)[0] ?? base);
  const variant = hit?.model.prices.find((candidate) => variantVersion(hit.source, candidate) === base);
  return variant?.rates ?? null;
}

function findSchedule(sources: PriceBookSources, provider: string, model: string): PriceSchedule {
  const name = `${provider}/${model}`;
  const override = findOverride(sources.prices.overrides, name);
  const own = override === null ? [] : overrideSchedule(name, override);
  return override?.from === null ? own : [...listedSchedule(sources, provider, model), ...own];
}

function findOverride(overrides: Readonly<Record<string, PriceOverride>>, name: string): PriceOverride | null {
  return Object.hasOwn(overrides, name) ? (overrides[name] ?? null) : null;
}

function listedSchedule({ providers, catalogue }: PriceBookSources, provider: string, model: string): PriceSchedule {
  const { billing = "metered", priceList = null } = providers[provider] ?? {};
  if (billing === "none") return always(freePrice);
  const hit = priceList === null ? null : catalogue.find(priceList, model);
  return hit === null || priceList === null ? [] : catalogueSchedule(hit, priceList);
}
