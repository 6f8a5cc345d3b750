/**
 * From the package's shape to ours: prices become decimal text (exact, no float arithmetic), names become those of
 * the usage buckets, prices of units that no bucket counts (hours, pages, pixels) are left out, and a model that has
 * none left is left out as a whole, so that it counts as unpriced instead of free.
 */
import type { ConditionalPrice, ModelInfo, ModelPrice, Provider } from "@pydantic/genai-prices";
import type { CatalogueModel, CatalogueRate, CatalogueVariant } from "../../src/accounting/prices/catalogue.ts";

export interface CatalogueList {
  readonly fallback: readonly string[];
  readonly models: readonly CatalogueModel[];
}

/** Our name of a price, the package's, and what the package's figure is divided by to give ours. */
const rateNames = [
  ["input", "input_mtok", 1],
  ["cacheRead", "cache_read_mtok", 1],
  ["cacheWrite5m", "cache_write_mtok", 1],
  ["cacheWrite1h", "cache_write_1h_mtok", 1],
  ["output", "output_mtok", 1],
  ["reasoning", "output_reasoning_mtok", 1],
  ["audioInput", "input_audio_mtok", 1],
  ["audioOutput", "output_audio_mtok", 1],
  ["imageInput", "input_image_mtok", 1],
  ["imageOutput", "output_image_mtok", 1],
  ["tool", "storage_searches_kcount", 1000],
  ["search", "web_searches_kcount", 1000],
  ["request", "requests_kcount", 1000],
] as const;

export function convertProvider(provider: Provider): CatalogueList {
  return {
    fallback: provider.fallback_model_providers ?? [],
    models: provider.models.flatMap((model) => convertModel(model) ?? []),
  };
}

function convertModel(model: ModelInfo): CatalogueModel | null {
  const conditional: readonly ConditionalPrice[] = Array.isArray(model.prices)
    ? model.prices
    : [{ prices: model.prices }];
  const variants = conditional.map(convertVariant);
  if (variants.some(({ rates }) => rates.input === undefined && rates.output === undefined)) return null;
  return {
    id: model.id,
    match: model.match,
    ...(model.context_window === undefined ? {} : { context: model.context_window }),
    prices: variants,
  };
}

function convertVariant({ constraint, prices }: ConditionalPrice): CatalogueVariant {
  const rates = convertRates(prices);
  if (constraint === undefined) return { rates };
  if (constraint.type === "start_date") return { from: constraint.start_date, rates };
  return { daily: [constraint.start_time, constraint.end_time], rates };
}

function convertRates(prices: ModelPrice): CatalogueVariant["rates"] {
  const rates: Record<string, CatalogueRate> = {};
  for (const [ours, theirs, divisor] of rateNames) {
    const price = prices[theirs];
    if (price === undefined) continue;
    rates[ours] =
      typeof price === "number"
        ? decimal(price, divisor)
        : [
            decimal(price.base, divisor),
            ...price.tiers.map((tier) => [tier.start, decimal(tier.price, divisor)] as const),
          ];
  }
  return rates;
}

/**
 * The shortest decimal of the number, at most nine places (a nano-dollar), divided by a power of ten by moving the
 * point. Figures with more places (a third of a cent) are rounded up.
 */
function decimal(value: number, divisor: 1 | 1000): string {
  const places = divisor === 1000 ? 3 : 0;
  const text = value.toFixed(20 - places);
  const exact = String(value);
  const [whole = "0", fraction = ""] = (exact.includes("e") ? text : exact).split(".");
  const digits = whole.padStart(places + 1, "0");
  const shifted = digits.slice(digits.length - places) + fraction;
  const scaled = BigInt(digits.slice(0, digits.length - places) + shifted.slice(0, 9).padEnd(9, "0"));
  const rounded = /[1-9]/.test(shifted.slice(9)) ? scaled + 1n : scaled;
  const padded = rounded.toString().padStart(10, "0");
  return `${padded.slice(0, -9)}.${padded.slice(-9)}`.replace(/\.?0+$/, "");
}
