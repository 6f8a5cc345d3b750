import assert from "node:assert/strict";
import { test } from "node:test";
import type { PriceOverride, PriceRates, PricesConfig } from "../config/config.ts";
import { emptyUsage, type Usage } from "../kernel/usage.ts";
import { createPriceBook, type PriceBook, type PricedProvider } from "./price-book.ts";
import { createPriceCatalogue, loadPriceCatalogue, type CatalogueModel } from "./prices/catalogue.ts";
import { rerateVersion } from "./prices/version.ts";

const million = 1_000_000;
const noonMs = Date.parse("2026-11-21T12:00:00Z");

function usage(counts: Partial<Usage>): Usage {
  return { ...emptyUsage(), ...counts };
}

function model(id: string, prices: CatalogueModel["prices"]): CatalogueModel {
  return { id, match: { equals: id }, prices };
}

interface BookParts {
  readonly models?: readonly CatalogueModel[];
  readonly overrides?: Readonly<Record<string, PriceOverride>>;
  readonly policy?: Partial<PricesConfig>;
  readonly provider?: PricedProvider;
  readonly list?: string;
}

/** One provider `p` on one list of its own. */
function book({
  models = [],
  overrides = {},
  policy = {},
  list = "list",
  provider = { priceList: list, billing: "metered" },
}: BookParts): PriceBook {
  const catalogue = createPriceCatalogue([
    { release: "test-1", lists: new Map([[list, { fallback: [], models, unpriced: [] }]]) },
  ]);
  return createPriceBook({ catalogue, prices: { ...policy, overrides }, providers: { p: provider } });
}

const noRates: PriceRates = {
  input: null,
  output: null,
  cacheRead: null,
  cacheWrite5m: null,
  cacheWrite1h: null,
  reasoning: null,
  audioInput: null,
  audioOutput: null,
  imageInput: null,
  imageOutput: null,
  tool: null,
  search: null,
  request: null,
};

const override: PriceOverride = {
  ...noRates,
  input: "2",
  output: "8",
  request: "0.001",
  longContext: [],
  from: null,
  serviceTiers: {},
  later: [],
};

test("the operator's override wins over the catalogue, and its version names its rates", () => {
  const prices = book({ models: [model("m", [{ rates: { input: "5" } }])], overrides: { "p/m": override } });
  const price = prices.find("p", "m", null, noonMs);
  assert.equal(price?.version, "override/p/m;input=2,output=8,request=0.001");
  assert.equal(price.cost(usage({ inputTokens: million, cacheReadTokens: million })), 4_001_000_000n);
});

test("an override is for its exact name only", () => {
  const prices = book({ overrides: { "p/m": override } });
  assert.equal(prices.find("p", "m2", null, noonMs), null);
  assert.equal(prices.find("q", "m", null, noonMs), null);
});

test("self-hosted models are free by an explicit price", () => {
  const price = book({ provider: { priceList: null, billing: "none" } }).find("p", "anything", null, noonMs);
  assert.equal(price?.version, "free");
  assert.equal(price.cost(usage({ inputTokens: million })), 0n);
  assert.equal(price.worstCost(usage({ inputTokens: million })), 0n);
});

test("a metered model that nobody prices has no price, not a price of zero", () => {
  assert.equal(book({}).find("p", "m", null, noonMs), null);
  assert.equal(book({ provider: { priceList: null, billing: "metered" } }).find("p", "m", null, noonMs), null);
});

test("a bucket without a rate is charged as what it is a special case of", () => {
  const price = book({ models: [model("m", [{ rates: { input: "1", output: "10" } }])] }).find("p", "m", null, noonMs);
  const dollarsOf = (counts: Partial<Usage>) => Number(price?.cost(usage(counts))) / 1e9;
  for (const bucket of [
    "cacheReadTokens",
    "cacheWrite5mTokens",
    "cacheWrite1hTokens",
    "audioInputTokens",
    "imageInputTokens",
  ]) {
    assert.equal(dollarsOf({ [bucket]: million }), 1, bucket);
  }
  for (const bucket of ["reasoningTokens", "audioOutputTokens", "imageOutputTokens"]) {
    assert.equal(dollarsOf({ [bucket]: million }), 10, bucket);
  }
});

test("an hour's cache write without a rate of its own costs what a short one does", () => {
  const rates = { input: "1", cacheWrite5m: "1.25" };
  const price = book({ models: [model("m", [{ rates }])] }).find("p", "m", null, noonMs);
  assert.equal(price?.cost(usage({ cacheWrite1hTokens: million })), 1_250_000_000n);
});

test("a passed tier sets the rate of the whole request and counts cached tokens", () => {
  const rates = { input: ["1", [200_000, "2"]], cacheRead: "0.1", output: ["4", [200_000, "6"]] } as const;
  const price = book({ models: [model("m", [{ rates }])] }).find("p", "m", null, noonMs);
  const at = usage({ inputTokens: 100_000, cacheReadTokens: 100_000, outputTokens: 1000 });
  const above = usage({ inputTokens: 100_000, cacheReadTokens: 100_001, outputTokens: 1000 });
  assert.equal(price?.cost(at), 100_000_000n + 10_000_000n + 4_000_000n);
  assert.equal(price.cost(above), 200_000_000n + 10_000_100n + 6_000_000n);
});

test("a fraction of a nano-dollar is rounded up once, over the sum", () => {
  const price = book({ models: [model("m", [{ rates: { input: "0.0001", output: "0.0001" } }])] }).find(
    "p",
    "m",
    null,
    noonMs,
  );
  assert.equal(price?.cost(usage({ inputTokens: 1 })), 1n);
  assert.equal(price.cost(usage({ inputTokens: 5, outputTokens: 5 })), 1n);
  assert.equal(price.cost(usage({ inputTokens: 5, outputTokens: 6 })), 2n);
});

test("the worst cost takes the dearest bucket and the dearest tier that the total can reach", () => {
  const rates = {
    input: ["1", [200_000, "2"]],
    cacheWrite1h: ["2", [200_000, "4"]],
    output: "4",
    request: "0.5",
  } as const;
  const price = book({ models: [model("m", [{ rates }])] }).find("p", "m", null, noonMs);
  assert.equal(
    price?.worstCost(usage({ inputTokens: 200_000, outputTokens: 10 })),
    400_000_000n + 40_000n + 500_000_000n,
  );
  assert.equal(price.worstCost(usage({ inputTokens: 200_001 })), 800_004_000n + 500_000_000n);
});

test("a price holds from its first day, and before that the earlier one", () => {
  const prices = book({
    models: [model("m", [{ rates: { input: "1" } }, { from: "2026-08-17", rates: { input: "3" } }])],
  });
  const versionAt = (time: string) => prices.find("p", "m", null, Date.parse(time))?.version;
  assert.equal(versionAt("2026-08-16T23:59:59.999Z"), "test-1/list/m");
  assert.equal(versionAt("2026-08-17T00:00:00Z"), "test-1/list/m@2026-08-17");
});

test("a daily price holds from its hour until its end, across midnight too", () => {
  const day = model("day", [{ rates: { input: "1" } }, { daily: ["01:00:00Z", "04:00:00Z"], rates: { input: "2" } }]);
  const night = model("night", [
    { rates: { input: "1" } },
    { daily: ["16:30:00Z", "00:30:00Z"], rates: { input: "2" } },
  ]);
  const prices = book({ models: [day, night] });
  const dearAt = (name: string, time: string) =>
    prices.find("p", name, null, Date.parse(`2026-11-21T${time}Z`))?.version.includes("@") ?? null;
  assert.equal(dearAt("day", "00:59:59.999"), false);
  assert.equal(dearAt("day", "01:00:00"), true);
  assert.equal(dearAt("day", "04:00:00"), false);
  assert.equal(dearAt("night", "16:29:59"), false);
  assert.equal(dearAt("night", "23:59:59"), true);
  assert.equal(dearAt("night", "00:29:59"), true);
  assert.equal(dearAt("night", "00:30:00"), false);
});

test("a service tier whose vendor publishes a multiple costs that, fees per call excepted", () => {
  const rates = { input: ["2", [100, "4"]], cacheRead: "0.1", output: "8", search: "0.01" } as const;
  const prices = book({ list: "openai", models: [model("gpt-4.1", [{ rates }])] });
  const counts = usage({ inputTokens: 10, cacheReadTokens: 10, outputTokens: 10, searchUnits: 1 });
  const costAt = (tier: string | null) => {
    const price = prices.find("p", "gpt-4.1", tier, noonMs);
    return [price?.version, price?.cost(counts)];
  };
  assert.deepEqual(costAt(null), ["test-1/openai/gpt-4.1", 10_101_000n]);
  assert.deepEqual(costAt("flex"), ["test-1/openai/gpt-4.1;service-tier=flex*1/2", 10_050_500n]);
  assert.deepEqual(costAt("batch"), ["test-1/openai/gpt-4.1;service-tier=batch*1/2", 10_050_500n]);
  assert.deepEqual(costAt("priority"), ["test-1/openai/gpt-4.1;service-tier=priority*7/4", 10_176_750n]);
});

test("a call at a service tier that nobody has rates for is priced at standard rates and says so", () => {
  const prices = book({ models: [model("m", [{ rates: { input: "1" } }])], overrides: { "p/own": override } });
  assert.equal(prices.find("p", "m", "auto", noonMs)?.version, "test-1/list/m");
  assert.equal(prices.find("p", "m", "flex", noonMs)?.version, "test-1/list/m;standard-rates-for=flex");
  assert.equal(prices.find("p", "m", "flex", noonMs)?.cost(usage({ inputTokens: million })), 1_000_000_000n);
  assert.match(prices.find("p", "own", "scale", noonMs)?.version ?? "", /^override\/.*;standard-rates-for=scale$/);
});

test("what was asked at one tier and served at another costs what was served", () => {
  const prices = book({ list: "openai", models: [model("o3", [{ rates: { input: "2" } }])] });
  const asked = prices.find("p", "o3", "priority", noonMs);
  assert.equal(asked?.servedAt("default").version, "test-1/openai/o3");
  assert.equal(asked.servedAt("flex").version, "test-1/openai/o3;service-tier=flex*1/2");
  assert.equal(asked.servedAt(null), asked);
});

test("an override has rates of its own for service tiers and long inputs", () => {
  const tiered: PriceOverride = {
    ...override,
    cacheRead: "0.2",
    longContext: [{ ...noRates, above: 100, input: "4", cacheWrite5m: "5" }],
    serviceTiers: { flex: { ...noRates, input: "1", output: "4", longContext: [] } },
  };
  const prices = book({ overrides: { "p/m": tiered } });
  const costOf = (tier: string | null, counts: Partial<Usage>) =>
    prices.find("p", "m", tier, noonMs)?.cost(usage(counts));
  assert.equal(costOf(null, { inputTokens: 100 }), 1_000_000n + 200_000n);
  assert.equal(costOf(null, { inputTokens: 100, cacheWrite5mTokens: 1 }), 1_000_000n + 400_000n + 5000n);
  assert.equal(costOf(null, { inputTokens: 50, cacheWrite5mTokens: 1 }), 1_000_000n + 100_000n + 2000n);
  assert.equal(costOf(null, { cacheReadTokens: 101 }), 1_000_000n + 20_200n);
  assert.equal(costOf("flex", { inputTokens: 1000, outputTokens: 1 }), 1_000_000n + 4000n);
});

test("an override's dearer tiers are in the worst cost of what they may serve", () => {
  const tier = (output: string) => ({ ...noRates, input: "2", output, longContext: [] });
  const serviceTiers = { flex: tier("4"), priority: tier("16"), fast: tier("32") };
  const price = book({ overrides: { "p/m": { ...override, serviceTiers } } }).find("p", "m", null, noonMs);
  const worstOf = (asked: string | null) => price?.worstCostAsked(usage({ outputTokens: million }), asked);
  assert.equal(worstOf(null), 16_000_000_000n);
  assert.equal(worstOf("flex"), 8_001_000_000n);
  assert.equal(worstOf("fast"), 32_000_000_000n);
});

test("an override from a day on leaves the days before to the catalogue, and may change later", () => {
  const dated: PriceOverride = {
    ...override,
    from: "2026-08-01",
    later: [{ ...override, from: "2026-10-01", input: "3" }],
  };
  const prices = book({ models: [model("m", [{ rates: { input: "5" } }])], overrides: { "p/m": dated, "p/n": dated } });
  const rateAt = (name: string, day: string) =>
    prices.find("p", name, null, Date.parse(`${day}T00:00:00Z`))?.rates.input ?? null;
  assert.deepEqual(
    ["2026-07-31", "2026-08-01", "2026-09-30", "2026-10-01"].map((day) => rateAt("m", day)),
    ["5", "2", "2", "3"],
  );
  assert.deepEqual([rateAt("n", "2026-07-31"), rateAt("n", "2026-08-01")], [null, "2"]);
});

test("where models without a price are held, a fixed amount stands in, and says that it does", () => {
  const prices = book({
    models: [model("m", [{ rates: { input: "1" } }])],
    policy: { unknownModel: "hold", unknownModelHold: "0.05" },
  });
  const price = prices.find("p", "unknown", "flex", noonMs);
  assert.equal(price?.version, "hold:0.05");
  assert.equal(price.standIn, true);
  const counts = usage({ inputTokens: million, outputTokens: million });
  assert.deepEqual([price.cost(counts), price.worstCost(counts)], [50_000_000n, 50_000_000n]);
  assert.equal(prices.find("p", "m", null, noonMs)?.standIn, false);
});

test("every version leads back to its own rates, those of an override that is gone included", () => {
  const counts = usage({ inputTokens: 1000, cacheReadTokens: 10, outputTokens: 7 });
  const models = [
    model("m/x", [{ rates: { input: "1" } }, { from: "2026-08-17", rates: { input: "3", output: "9" } }]),
  ];
  const flex = { ...noRates, input: "1", output: "4", longContext: [{ ...noRates, above: 1009, output: "6" }] };
  const tiered = { ...override, from: "2026-08-01", serviceTiers: { flex } };
  const policy = { unknownModel: "hold", unknownModelHold: "0.05" } as const;
  const before = book({ list: "openai", models, overrides: { "p/m": override, "p/;": tiered }, policy });
  const now = book({ list: "openai", models, provider: { priceList: null, billing: "none" } });
  const found = [
    before.find("p", "m", null, noonMs),
    before.find("p", "m/x", null, 0),
    before.find("p", "m/x", "priority", noonMs),
    before.find("p", "m/x", "flex", noonMs),
    before.find("p", ";", null, noonMs),
    before.find("p", ";", "flex", noonMs),
    before.find("p", ";", "batch", noonMs),
    before.find("p", "unknown", null, noonMs),
    now.find("p", "anything", null, noonMs),
  ];
  for (const price of found) {
    assert.ok(price);
    const again = now.findVersion(price.version);
    assert.equal(again?.version, price.version);
    assert.equal(again.cost(counts), price.cost(counts), price.version);
    assert.equal(now.findVersion(rerateVersion(price.version, null))?.cost(counts), price.cost(counts));
  }
});

test("a version of another release of the catalogue leads nowhere", () => {
  const prices = book({ models: [model("m", [{ rates: { input: "1" } }])] });
  for (const version of ["test-0/list/m", "test-1/list/m@2020-01-01", "test-1/list/n", "test-1", ""]) {
    assert.equal(prices.findVersion(version), null, version);
  }
});

test("lookups stay right when more models are asked for than are kept", () => {
  const prices = book({ models: [{ id: "any", match: { starts_with: "m" }, prices: [{ rates: { input: "1" } }] }] });
  for (let index = 0; index < 3000; index++) {
    assert.ok(prices.find("p", `m${index}`, null, noonMs));
    assert.equal(prices.find("p", `x${index}`, null, noonMs), null);
  }
});

test("the simulator's models have their fixed prices, whatever script follows the colon", () => {
  const provider: PricedProvider = { priceList: "simulator", billing: "metered" };
  const prices = createPriceBook({
    catalogue: loadPriceCatalogue(),
    prices: { overrides: {} },
    providers: { sim: provider },
  });
  const costOf = (name: string, counts: Partial<Usage>) => prices.find("sim", name, null, noonMs)?.cost(usage(counts));
  const everything = {
    inputTokens: 1000,
    cacheReadTokens: 1000,
    cacheWrite5mTokens: 1000,
    cacheWrite1hTokens: 1000,
    outputTokens: 1000,
    reasoningTokens: 1000,
  };
  assert.equal(costOf("sim-chat", everything), 12_350_000n);
  assert.equal(costOf("sim-chat:error=429", everything), 12_350_000n);
  assert.equal(costOf("sim-mini", everything), 425_000n);
  assert.equal(costOf("sim-claude", everything), 43_050_000n);
  assert.equal(costOf("sim-embed", { inputTokens: 1000 }), 20_000n);
  assert.equal(costOf("sim-chatty", everything), undefined);
});

test("no amount is larger than what the store can hold and sum up", () => {
  const dear: PriceOverride = { ...override, input: "999999999" };
  const price = book({ models: [], overrides: { "p/m": dear } }).find("p", "m", null, noonMs);
  const counts = usage({ inputTokens: Number.MAX_SAFE_INTEGER });
  assert.equal(price?.cost(counts), 10n ** 18n);
  assert.equal(price?.worstCost(counts), 10n ** 18n);
});
