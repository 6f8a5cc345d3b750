/**
 * From the shape of the source of prices (the data of `@pydantic/genai-prices`) to ours: prices become decimal text
 * (exact, no float arithmetic), names become those of the usage buckets, prices of units that no bucket counts (hours,
 * pages, pixels) are left out, and a model that has none left is listed as unpriced, so that it never counts as free.
 */
import { z } from "zod";
import { HeadgateError } from "../../kernel/errors.ts";
import type { CatalogueList, CatalogueModel, CatalogueRate, CatalogueVariant } from "./catalogue.ts";
import { checkCatalogueFile, type CatalogueFile, type CatalogueSource } from "./catalogue-file.ts";
import type { MatchRule } from "./model-match.ts";

export const sourcePackage = "@pydantic/genai-prices";

/** The source's ids of the lists that the provider catalogue refers to (`priceList`), and of those they fall back on. */
export const sourceLists: readonly string[] = [
  "anthropic",
  "azure",
  "cerebras",
  "cohere",
  "deepseek",
  "fireworks",
  "google",
  "groq",
  "mistral",
  "moonshotai",
  "novita",
  "openai",
  "openrouter",
  "perplexity",
  "together",
  "x-ai",
];

/**
 * Our name of a price, the source's, and what the source's figure is divided by to give ours. Citations are units of a
 * tool, see dialects/openai-chat/usage.ts; no model has both prices.
 */
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
  ["tool", "output_citation_mtok", 1_000_000],
  ["search", "web_searches_kcount", 1000],
  ["request", "requests_kcount", 1000],
] as const;

const sourcePrice = z.union([
  z.number().min(0),
  z.object({ base: z.number().min(0), tiers: z.array(z.object({ start: z.int(), price: z.number().min(0) })) }),
]);
const sourcePrices = z.record(z.string(), sourcePrice.nullish());
const sourceConstraint = z.union([
  z.object({ type: z.literal("start_date").optional(), start_date: z.string() }),
  z.object({ type: z.literal("time_of_date").optional(), start_time: z.string(), end_time: z.string() }),
]);
const sourceProviders = z.array(
  z.object({
    id: z.string(),
    fallback_model_providers: z.array(z.string()).nullish(),
    models: z.array(
      z.object({
        id: z.string(),
        match: z.unknown(),
        context_window: z.number().nullish(),
        prices: z.union([
          z.array(z.object({ constraint: sourceConstraint.nullish(), prices: sourcePrices })),
          sourcePrices,
        ]),
      }),
    ),
  }),
);

type SourceModel = z.infer<typeof sourceProviders>[number]["models"][number];

/** `providers`: the source's data, whole or the lists above. Throws `invalid_argument` saying what is wrong with it. */
export function convertSource(providers: unknown, source: CatalogueSource): CatalogueFile {
  const parsed = sourceProviders.safeParse(providers);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const place = issue?.path.map(String).join(".") ?? "";
    throw new HeadgateError(
      "invalid_argument",
      `This is not the data of ${sourcePackage}: ${place === "" ? "it" : place}: ${issue?.message ?? "it is of another shape"}.`,
    );
  }
  const lists = parsed.data
    .filter(({ id }) => sourceLists.includes(id))
    .map(({ id, fallback_model_providers, models }) => [id, convertList(fallback_model_providers ?? [], models)]);
  return checkCatalogueFile({ source, lists: Object.fromEntries(lists) as unknown }, sourceLists);
}

function convertList(fallback: readonly string[], models: readonly SourceModel[]): CatalogueList {
  const converted = models.map((model) => ({ id: model.id, model: convertModel(model) }));
  return {
    fallback,
    models: converted.flatMap(({ model }) => model ?? []),
    unpriced: converted.flatMap(({ id, model }) => (model === null ? [id] : [])),
  };
}

function convertModel({ id, match, context_window: context, prices }: SourceModel): CatalogueModel | null {
  const conditional = Array.isArray(prices) ? prices : [{ prices }];
  const variants = conditional.map((each) => convertVariant(each));
  if (variants.some(({ rates }) => rates.input === undefined && rates.output === undefined)) return null;
  return {
    id,
    match: match as MatchRule,
    ...(typeof context === "number" ? { context } : {}),
    prices: variants,
  };
}

interface SourceVariant {
  readonly constraint?: z.infer<typeof sourceConstraint> | null | undefined;
  readonly prices: z.infer<typeof sourcePrices>;
}

function convertVariant({ constraint, prices }: SourceVariant): CatalogueVariant {
  const rates = convertRates(prices);
  if (constraint === undefined || constraint === null) return { rates };
  if ("start_date" in constraint) return { from: constraint.start_date, rates };
  return { daily: [constraint.start_time, constraint.end_time], rates };
}

function convertRates(prices: SourceVariant["prices"]): CatalogueVariant["rates"] {
  const rates: Record<string, CatalogueRate> = {};
  for (const [ours, theirs, divisor] of rateNames) {
    const price = prices[theirs];
    if (price === undefined || price === null) continue;
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
function decimal(dollars: number, divisor: 1 | 1000 | 1_000_000): string {
  const [, whole = "0", fraction = "", exponent = "0"] =
    /^(\d+)(?:\.(\d+))?(?:e([+-]\d+))?$/.exec(String(dollars)) ?? [];
  const places = 9 + Number(exponent) - Math.log10(divisor) - fraction.length;
  const digits = BigInt(whole + fraction);
  const nano = places >= 0 ? digits * 10n ** BigInt(places) : divideUp(digits, 10n ** BigInt(-places));
  const padded = nano.toString().padStart(10, "0");
  return `${padded.slice(0, -9)}.${padded.slice(-9)}`.replace(/\.?0+$/, "");
}

function divideUp(amount: bigint, by: bigint): bigint {
  return (amount + by - 1n) / by;
}
