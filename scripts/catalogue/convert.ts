/**
 * From the package's shape to ours: prices become decimal text (exact, no float arithmetic), names become those of
 * the usage buckets, prices of units that no bucket counts (hours, pages, pixels) are left out, and a model that has
 * none left is left out as a whole, so that it counts as unpriced instead of free.
 */
import type { ConditionalPrice, ModelInfo, ModelPrice, Provider } from "@pydantic/genai-prices";
import type {
  CatalogueList,
  CatalogueModel,
  CatalogueRate,
  CatalogueVariant,
} from "../../src/accounting/prices/catalogue.ts";

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
 * Dollars divided by the divisor, as decimal text with at most nine places (a nano-dollar): the digits of the number,
 * with the point moved. What has more places (a twelfth of a dollar) is rounded up.
 */
function decimal(dollars: number, divisor: 1 | 1000): string {
  const text = String(dollars);
  if (text.includes("e")) throw new Error(`${text} is not written in plain digits.`);
  const [whole = "0", fraction = ""] = text.split(".");
  const kept = divisor === 1000 ? 6 : 9;
  const cut = BigInt(whole + fraction.slice(0, kept).padEnd(kept, "0"));
  const nano = /[1-9]/.test(fraction.slice(kept)) ? cut + 1n : cut;
  const digits = nano.toString().padStart(10, "0");
  return `${digits.slice(0, -9)}.${digits.slice(-9)}`.replace(/\.?0+$/, "");
}
