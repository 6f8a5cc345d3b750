import assert from "node:assert/strict";
import { test } from "node:test";
import { emptyUsage } from "../../kernel/usage.ts";
import { createPriceBook } from "../price-book.ts";
import { loadPriceCatalogue } from "./catalogue.ts";
import { scaleRates } from "./service-tiers.ts";

const lists = ["openai", "anthropic", "google", "groq"];
const book = createPriceBook({
  catalogue: loadPriceCatalogue(),
  prices: { overrides: {} },
  providers: Object.fromEntries(lists.map((priceList) => [priceList, { priceList, billing: "metered" }])),
});
const nowMs = Date.parse("2026-11-21T12:00:00Z");

/** https://openai.com/api-priority-processing/: dollars per million tokens of input, cached input and output. */
const priority: readonly (readonly [model: string, input: string, cacheRead: string | null, output: string])[] = [
  ["gpt-5.5", "12.50", "1.25", "75.00"],
  ["gpt-5.4-mini", "1.50", "0.15", "9.00"],
  ["gpt-5.4", "5.00", "0.50", "30.00"],
  ["gpt-5.2", "3.50", "0.35", "28.00"],
  ["gpt-5.1", "2.50", "0.25", "20.00"],
  ["gpt-5", "2.50", "0.25", "20.00"],
  ["gpt-5-mini", "0.45", "0.045", "3.60"],
  ["gpt-4.1", "3.50", "0.875", "14.00"],
  ["gpt-4.1-mini", "0.70", "0.175", "2.80"],
  ["gpt-4.1-nano", "0.20", "0.05", "0.80"],
  ["gpt-4o-2024-11-20", "4.25", "2.125", "17.00"],
  ["gpt-4o-2024-05-13", "8.75", null, "26.25"],
  ["gpt-4o-mini", "0.25", "0.125", "1.00"],
  ["o3", "3.50", "0.875", "14.00"],
  ["o4-mini", "2.00", "0.50", "8.00"],
];

for (const [model, input, cacheRead, output] of priority) {
  test(`openai/${model} at priority costs what OpenAI publishes`, () => {
    const { rates } = book.find("openai", model, "priority", nowMs) ?? {};
    const shortest = (rate: unknown) => (Array.isArray(rate) ? rate[0] : (rate ?? null));
    assert.deepEqual([shortest(rates?.input), shortest(rates?.output)], [input, output]);
    if (cacheRead !== null) assert.equal(Number(shortest(rates?.cacheRead)), Number(cacheRead));
  });
}

test("half price holds for batches and flex where the vendor says so, and nowhere else", () => {
  const factorOf = (list: string, model: string, tier: string) =>
    book.find(list, model, tier, nowMs)?.version.split(";")[1] ?? null;
  assert.equal(factorOf("openai", "gpt-5-mini", "batch"), "service-tier=batch*1/2");
  assert.equal(factorOf("openai", "gpt-5-mini", "flex"), "service-tier=flex*1/2");
  assert.equal(factorOf("anthropic", "claude-haiku-4-5", "batch"), "service-tier=batch*1/2");
  assert.equal(factorOf("anthropic", "claude-haiku-4-5", "priority"), "standard-rates-for=priority");
  assert.equal(factorOf("google", "gemini-2.5-flash", "flex"), "service-tier=flex*1/2");
  assert.equal(factorOf("groq", "llama-3.3-70b-versatile", "flex"), "service-tier=flex*1");
  assert.equal(factorOf("openai", "gpt-5-mini", "scale"), "standard-rates-for=scale");
  assert.equal(factorOf("openai", "gpt-5-mini", "default"), null);
});

test("a scaled rate is rounded up to a nano-dollar, in every band, and fees per call keep their price", () => {
  const rates = { input: ["0.000000001", [9, "0.3"]], search: "0.01", tool: "1", request: "2" } as const;
  assert.deepEqual(scaleRates(rates, "1/3"), {
    input: ["0.000000001", [9, "0.10"]],
    search: "0.01",
    tool: "1",
    request: "2",
  });
});

test("Anthropic's fast mode and inference in the USA cost multiples of the standard rates", () => {
  for (const [model, tier, input, output] of [
    ["claude-opus-5", "fast", "10", "50"],
    ["claude-opus-4-6", "fast", "30", "150"],
    ["claude-opus-5", "us", "5.5", "27.5"],
    ["claude-opus-5", "fast-us", "11", "55"],
  ] as const) {
    const { rates } = book.find("anthropic", model, tier, nowMs) ?? {};
    const shortest = (rate: unknown) => Number(Array.isArray(rate) ? rate[0] : rate);
    assert.deepEqual([shortest(rates?.input), shortest(rates?.output)], [Number(input), Number(output)]);
  }
});

/** Of each vendor: what is asked, and what its documents say that may serve and be billed. */
const served: readonly (readonly [list: string, model: string, asked: string | null, served: readonly string[]])[] = [
  ["openai", "gpt-5", null, ["default", "priority", "scale"]],
  ["openai", "gpt-5", "auto", ["default", "priority", "scale"]],
  ["openai", "gpt-5", "default", ["default"]],
  ["openai", "gpt-5", "flex", ["flex", "default"]],
  ["openai", "gpt-5", "priority", ["priority", "default"]],
  ["openai", "gpt-5", "fast", ["priority", "default"]],
  ["anthropic", "claude-opus-5", null, ["standard", "priority", "us"]],
  ["anthropic", "claude-opus-5", "auto", ["standard", "priority", "us"]],
  ["anthropic", "claude-opus-5", "standard_only", ["standard", "us"]],
  ["anthropic", "claude-opus-5", "fast", ["fast", "fast-us"]],
  ["anthropic", "claude-opus-5", "us", ["us", "priority"]],
  ["google", "gemini-2.5-flash", "flex", ["flex", "standard"]],
  ["google", "gemini-2.5-flash", "priority", ["priority", "standard"]],
  ["groq", "llama-3.3-70b-versatile", "auto", ["on_demand", "flex", "performance"]],
];

test("the worst cost is at least that of each tier that may serve what was asked for, and of one of them exactly", () => {
  const usage = { ...emptyUsage(), inputTokens: 1_000, outputTokens: 700 };
  for (const [list, model, asked, tiers] of served) {
    const price = book.find(list, model, asked, nowMs);
    assert.ok(price);
    const costs = tiers.map((tier) => price.servedAt(tier).worstCost(usage));
    const most = price.worstCostAsked(usage, asked);
    assert.ok(
      costs.includes(most) && costs.every((cost) => cost <= most),
      `${list} ${asked}: ${most} of ${costs.join()}`,
    );
  }
});
