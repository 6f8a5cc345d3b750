/**
 * What calls at other service tiers cost, as multiples of the standard rates, where a vendor publishes it. The price
 * catalogue has standard rates only. Multiples hold for tokens; fees per call or request are the same at every tier.
 *
 * A tier that is not here is charged at standard rates, and the price version says so: prepaid capacity (OpenAI's
 * `scale`, Anthropic's `priority`) has no public price per token, and Gemini's `priority` costs "75% to 100% more".
 *
 * Sources, by list:
 *   openai     batch and flex: https://developers.openai.com/api/docs/guides/flex-processing ("priced at Batch API
 *              rates"), https://developers.openai.com/api/docs/guides/batch; priority, by model:
 *              https://openai.com/api-priority-processing/
 *   anthropic  batch: https://platform.claude.com/docs/en/build-with-claude/batch-processing; fast, by model:
 *              https://platform.claude.com/docs/en/build-with-claude/fast-mode; us, inference in the USA alone:
 *              https://docs.aws.amazon.com/claude-platform/latest/userguide/data-residency.html
 *   google     flex and batch: https://ai.google.dev/gemini-api/docs/optimization
 *   groq       flex: https://console.groq.com/docs/flex-processing ("Pricing matches the on-demand tier")
 */
import { formatUsd, parseUsd, toNanoUsd } from "../../kernel/money.ts";
import type { CatalogueRate, CatalogueRates } from "./catalogue.ts";

/** A fraction as text: `1/2`, `7/4`, `2`. */
export type TierFactor = string;

interface TierRule {
  readonly list: string;
  readonly tier: string;
  readonly factor: TierFactor;
  /** Ids in the list; `null`: all its models. */
  readonly models: readonly string[] | null;
}

const rules: readonly TierRule[] = [
  { list: "openai", tier: "batch", factor: "1/2", models: null },
  { list: "openai", tier: "flex", factor: "1/2", models: null },
  { list: "openai", tier: "priority", factor: "5/2", models: ["gpt-5.5"] },
  {
    list: "openai",
    tier: "priority",
    factor: "2",
    models: ["gpt-5.4", "gpt-5.4-mini", "gpt-5.2", "gpt-5.1", "gpt-5", "gpt-4.1-nano"],
  },
  { list: "openai", tier: "priority", factor: "9/5", models: ["gpt-5-mini"] },
  {
    list: "openai",
    tier: "priority",
    factor: "7/4",
    models: ["gpt-4.1", "gpt-4.1-mini", "gpt-4o-2024-05-13", "o3"],
  },
  { list: "openai", tier: "priority", factor: "17/10", models: ["gpt-4o"] },
  { list: "openai", tier: "priority", factor: "5/3", models: ["gpt-4o-mini"] },
  { list: "openai", tier: "priority", factor: "20/11", models: ["o4-mini"] },
  { list: "anthropic", tier: "batch", factor: "1/2", models: null },
  { list: "anthropic", tier: "fast", factor: "2", models: ["claude-opus-5"] },
  { list: "anthropic", tier: "fast", factor: "6", models: ["claude-opus-4-6"] },
  { list: "anthropic", tier: "us", factor: "11/10", models: null },
  { list: "anthropic", tier: "fast-us", factor: "11/5", models: ["claude-opus-5"] },
  { list: "anthropic", tier: "fast-us", factor: "33/5", models: ["claude-opus-4-6"] },
  { list: "google", tier: "batch", factor: "1/2", models: null },
  { list: "google", tier: "flex", factor: "1/2", models: null },
  { list: "groq", tier: "flex", factor: "1", models: null },
];

/** The vendors' names of the standard tier, and of leaving the choice to them. */
const standardNames: ReadonlySet<string> = new Set(["default", "standard", "standard_only", "on_demand", "auto"]);

/** Whether calls at a tier of this name may cost something else. What cannot be a name of a tier is none. */
export function isOtherTier(name: string): boolean {
  return !standardNames.has(name) && /^[a-z][a-z0-9_-]{0,31}$/.test(name);
}

/** `null`: the vendor of the list publishes none. */
export function findTierFactor(list: string, modelId: string, tier: string): TierFactor | null {
  const rule = rules.find(
    (each) => each.list === list && each.tier === tier && (each.models?.includes(modelId) ?? true),
  );
  return rule?.factor ?? null;
}

/** What pins a call to a tier, or to the standard one where its vendor does not have it: it is refused rather than put into a dearer one. */
const pinningNames: ReadonlySet<string> = new Set([
  "default",
  "standard",
  "standard_only",
  "on_demand",
  "flex",
  "batch",
]);

/**
 * The tiers, beside the standard one, that a call may be served and billed at which asks for this one, or for none
 * (`null`). Which of them are dearer is a matter of rates. Wire facts:
 *
 *   openai     without a tier, or with `auto`, the project's setting decides, which may be priority:
 *              https://developers.openai.com/api/docs/guides/priority-processing. `fast` is `priority` in answers, and the
 *              tier of the answer "may be different from the value set in the parameter":
 *              https://developers.openai.com/api/reference/resources/chat (`service_tier`)
 *   anthropic  `auto` may be priority: https://platform.claude.com/docs/en/api/service-tiers; where a request names no
 *              geography its workspace's default holds, which may be `us`:
 *              https://platform.claude.com/docs/en/manage-claude/data-residency
 *   groq       `auto` is the best tier there is, up to performance: https://console.groq.com/docs/service-tiers
 */
export function servableTiers(asked: string | null): readonly string[] {
  if (asked === null) return unpinnedTiers;
  if (pinningNames.has(asked)) return [asked, "us"];
  return asked === "fast" ? [asked, "fast-us", ...unpinnedTiers] : [asked, ...unpinnedTiers];
}

const unpinnedTiers: readonly string[] = ["priority", "scale", "performance", "us"];

const perCall: ReadonlySet<string> = new Set(["tool", "search", "request"]);

/** Token rates times the factor, rounded up to nano-dollars per million. */
export function scaleRates(rates: CatalogueRates, factor: TierFactor): CatalogueRates {
  const scaled: Record<string, CatalogueRate> = {};
  for (const [name, rate] of Object.entries(rates) as [string, CatalogueRate][]) {
    scaled[name] = perCall.has(name) ? rate : scaleRate(rate, factor);
  }
  return scaled;
}

function scaleRate(rate: CatalogueRate, factor: TierFactor): CatalogueRate {
  if (typeof rate === "string") return scaleText(rate, factor);
  const [base, ...tiers] = rate;
  return [scaleText(base, factor), ...tiers.map(([above, text]) => [above, scaleText(text, factor)] as const)];
}

function scaleText(text: string, factor: TierFactor): string {
  const [numerator = "1", denominator = "1"] = factor.split("/");
  const [over, under] = [BigInt(numerator), BigInt(denominator)];
  const scaled = ((parseUsd(text) ?? 0n) * over + under - 1n) / under;
  return formatUsd(toNanoUsd(scaled)).slice(1);
}
