/**
 * From rates to money. A bucket without a rate of its own is charged by the one it is a special case of:
 *
 *   cache read, cache write 5 min, audio in, image in → input     reasoning, audio out, image out → output
 *   cache write 1 h → cache write 5 min → input
 *
 * A long-context tier counts all input tokens of the request, cached ones too, and once passed sets the rate of every
 * token of the request, not only of those above it. (So do the vendors that have tiers, and the source of the data:
 * its `calcPrice` takes the last tier whose `start` is below the request's input tokens.)
 *
 * The products of units and rates are summed exactly and rounded up once. An amount is at most a thousand million
 * dollars: counts come from providers and callers and rates from operators, and what no store can hold or sum up would
 * make the books unreadable.
 */
import {
  parseUsd,
  priceUnits,
  settleRounding,
  zeroUsd,
  type NanoUsd,
  type NanoUsdPerMillion,
} from "../../kernel/money.ts";
import { assert } from "../../kernel/assert.ts";
import { totalInputTokens, totalOutputTokens, usageBuckets, type Usage, type UsageBucket } from "../../kernel/usage.ts";
import type { CatalogueRate, CatalogueRates } from "./catalogue.ts";
import type { Price } from "../price-book.ts";
import { servableTiers } from "./service-tiers.ts";

/** Where each bucket looks for its rate; the first one that is there is taken. */
export const rateOrder: Readonly<Record<UsageBucket, readonly (keyof CatalogueRates)[]>> = {
  inputTokens: ["input"],
  cacheReadTokens: ["cacheRead", "input"],
  cacheWrite5mTokens: ["cacheWrite5m", "input"],
  cacheWrite1hTokens: ["cacheWrite1h", "cacheWrite5m", "input"],
  outputTokens: ["output"],
  reasoningTokens: ["reasoning", "output"],
  audioInputTokens: ["audioInput", "input"],
  audioOutputTokens: ["audioOutput", "output"],
  imageInputTokens: ["imageInput", "input"],
  imageOutputTokens: ["imageOutput", "output"],
  toolUnits: ["tool"],
  searchUnits: ["search"],
};

const inputBuckets: readonly UsageBucket[] = [
  "inputTokens",
  "cacheReadTokens",
  "cacheWrite5mTokens",
  "cacheWrite1hTokens",
  "audioInputTokens",
  "imageInputTokens",
];
const outputBuckets: readonly UsageBucket[] = [
  "outputTokens",
  "reasoningTokens",
  "audioOutputTokens",
  "imageOutputTokens",
];

/** Of one attempt, in nano-dollars: nine of them still fit the 64 bits of a sum. */
const costMax = 1_000_000_000_000_000_000n as NanoUsd;

/** Every rate resolved, for requests of more than `above` input tokens. */
interface Band {
  readonly above: number;
  readonly rates: Readonly<Record<UsageBucket, NanoUsdPerMillion>>;
  /** Per request, in millionths of a nano-dollar like the products it is added to. */
  readonly request: bigint;
  readonly highestInput: NanoUsdPerMillion;
  readonly highestOutput: NanoUsdPerMillion;
}

/** The version and rates of the same call at another service tier; `null`: the standard ones. */
export type TierRates = (
  version: string,
  tier: string,
) => { readonly version: string; readonly rates: CatalogueRates } | null;

/** Names of tiers come from callers and providers. */
const TIERS_KEPT = 32;

/** The price at the standard tier. What it costs at others is asked of `atTier` once for each. */
export function createPrice(version: string, rates: CatalogueRates, atTier: TierRates = () => null): Price {
  const tiers: Tiers = { servedAt, servable };
  const standard = createPriceAt(version, rates, tiers);
  const others = new Map<string, Price>();
  const servables = new Map<string | null, readonly Price[]>();

  function servedAt(tier: string): Price {
    const known = others.get(tier);
    if (known !== undefined) return known;
    const other = atTier(version, tier);
    if (other === null) return standard;
    const price = createPriceAt(other.version, other.rates, tiers);
    if (others.size < TIERS_KEPT) others.set(tier, price);
    return price;
  }

  /** One price for each set of rates. */
  function servable(asked: string | null): readonly Price[] {
    const known = servables.get(asked);
    if (known !== undefined) return known;
    const prices = [standard];
    for (const tier of servableTiers(asked)) {
      const price = servedAt(tier);
      if (prices.every((other) => other.rates !== price.rates)) prices.push(price);
    }
    if (servables.size < TIERS_KEPT) servables.set(asked, prices);
    return prices;
  }

  return standard;
}

interface Tiers {
  servedAt(tier: string): Price;
  /** What a call may be billed at that asks for this tier. */
  servable(asked: string | null): readonly Price[];
}

function createPriceAt(version: string, rates: CatalogueRates, tiers: Tiers): Price {
  const bands = bandStarts(rates).map((above) => createBand(rates, above));
  const [first = createBand(rates, -1), ...longer] = bands;

  function cost(usage: Usage): NanoUsd {
    let band = first;
    if (longer.length > 0) {
      const tokens = totalInputTokens(usage);
      for (const next of longer) if (tokens > next.above) band = next;
    }
    let products = band.request;
    for (const bucket of usageBuckets) {
      const units = usage[bucket];
      if (units !== 0) products += priceUnits(units, band.rates[bucket]);
    }
    return boundedCost(products);
  }

  function worstCost(usage: Usage): NanoUsd {
    const tokens = totalInputTokens(usage);
    let worst = 0n;
    for (const band of bands) {
      if (tokens <= band.above) continue;
      const products = worstProducts(usage, band);
      if (products > worst) worst = products;
    }
    return boundedCost(worst);
  }

  function worstCostAsked(usage: Usage, asked: string | null): NanoUsd {
    let worst = zeroUsd;
    for (const candidate of tiers.servable(asked)) {
      const most = candidate.worstCost(usage);
      if (most > worst) worst = most;
    }
    return worst;
  }

  const price: Price = {
    version,
    rates,
    standIn: false,
    cost,
    worstCost,
    worstCostAsked,
    servedAt: (tier) => (tier === null ? price : tiers.servedAt(tier)),
  };
  return price;
}

function boundedCost(products: bigint): NanoUsd {
  const cost = settleRounding(products);
  return cost > costMax ? costMax : cost;
}

function worstProducts(usage: Usage, band: Band): bigint {
  return (
    band.request +
    priceUnits(totalInputTokens(usage), band.highestInput) +
    priceUnits(totalOutputTokens(usage), band.highestOutput) +
    priceUnits(usage.toolUnits, band.rates.toolUnits) +
    priceUnits(usage.searchUnits, band.rates.searchUnits)
  );
}

/** The first band holds from no tokens at all. */
function bandStarts(rates: CatalogueRates): readonly number[] {
  const starts = new Set<number>();
  for (const rate of Object.values(rates) as readonly CatalogueRate[]) {
    if (typeof rate === "string") continue;
    const [, ...tiers] = rate;
    for (const [above] of tiers) starts.add(above);
  }
  return [-1, ...[...starts].sort((a, b) => a - b)];
}

function createBand(catalogueRates: CatalogueRates, above: number): Band {
  const rates = {} as Record<UsageBucket, NanoUsdPerMillion>;
  for (const bucket of usageBuckets) rates[bucket] = bucketRate(catalogueRates, bucket, above);
  return {
    above,
    rates,
    request: BigInt(rateAt(catalogueRates.request, above)) * 1_000_000n,
    highestInput: highest(rates, inputBuckets),
    highestOutput: highest(rates, outputBuckets),
  };
}

function bucketRate(rates: CatalogueRates, bucket: UsageBucket, above: number): NanoUsdPerMillion {
  const name = rateOrder[bucket].find((candidate) => rates[candidate] !== undefined);
  const rate = rateAt(name && rates[name], above);
  const perCall = bucket === "toolUnits" || bucket === "searchUnits";
  return (perCall ? rate * 1_000_000n : rate) as NanoUsdPerMillion;
}

/** Nano-dollars per million tokens (or per call); nothing is charged for what has no rate at all. */
function rateAt(rate: CatalogueRate | undefined, above: number): bigint {
  if (rate === undefined) return 0n;
  if (typeof rate === "string") return parseRate(rate);
  const [base, ...tiers] = rate;
  let text = base;
  for (const [start, price] of tiers) if (above >= start) text = price;
  return parseRate(text);
}

function parseRate(text: string): bigint {
  const rate = parseUsd(text);
  assert(rate !== null, `price catalogue: not an amount of dollars: ${text}`);
  return rate;
}

function highest(
  rates: Readonly<Record<UsageBucket, NanoUsdPerMillion>>,
  buckets: readonly UsageBucket[],
): NanoUsdPerMillion {
  return buckets.map((bucket) => rates[bucket]).reduce((a, b) => (a > b ? a : b));
}
