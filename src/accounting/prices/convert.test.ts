import assert from "node:assert/strict";
import { test } from "node:test";
import { HeadgateError } from "../../kernel/errors.ts";
import type { CatalogueList } from "./catalogue.ts";
import { convertSource, sourceLists } from "./convert.ts";

const source = { package: "p", version: "1", license: "MIT", copyright: "Nobody", date: "2026-11-21" };
const plain = { id: "m", match: { equals: "m" }, prices: { input_mtok: 1 } };

/** The source's data with these models in the first list. */
function data(...models: readonly unknown[]): readonly unknown[] {
  return sourceLists.map((id, index) => ({ id, name: id, models: index === 0 ? models : [plain] }));
}

function convert(...models: readonly unknown[]): CatalogueList | undefined {
  return convertSource([...data(...models), { id: "of-no-concern", models: [] }], source).lists[sourceLists[0] ?? ""];
}

function rateOf(dollars: number, name = "input_mtok"): unknown {
  const list = convert({ ...plain, prices: { output_mtok: 1, [name]: dollars } });
  const { output: _, ...rates } = list?.models[0]?.prices[0]?.rates ?? {};
  return Object.values(rates)[0];
}

test("figures become decimal text to the nano-dollar, and what is finer is rounded up", () => {
  const expected: readonly (readonly [number, string])[] = [
    [3, "3"],
    [0.075, "0.075"],
    [1e-7, "0.0000001"],
    [1.5e-9, "0.000000002"],
    [1 / 12, "0.083333334"],
    [2.5e21, "2500000000000000000000"],
    [0, "0"],
  ];
  for (const [dollars, text] of expected) assert.equal(rateOf(dollars), text);
});

test("prices per thousand calls become prices per call", () => {
  assert.equal(rateOf(10, "web_searches_kcount"), "0.01");
  assert.equal(rateOf(2.5, "storage_searches_kcount"), "0.0025");
  assert.equal(rateOf(0.0000012, "requests_kcount"), "0.000000002");
});

test("tiers, days and hours of the day are kept", () => {
  const list = convert({
    ...plain,
    context_window: 1000,
    prices: [
      { prices: { input_mtok: { base: 1, tiers: [{ start: 200_000, price: 2 }] } } },
      { constraint: { type: "start_date", start_date: "2026-08-17" }, prices: { input_mtok: 3 } },
      {
        constraint: { type: "time_of_date", start_time: "16:30:00Z", end_time: "00:30:00Z" },
        prices: { input_mtok: 0.5 },
      },
    ],
  });
  assert.deepEqual(list?.models[0], {
    id: "m",
    match: { equals: "m" },
    context: 1000,
    prices: [
      { rates: { input: ["1", [200_000, "2"]] } },
      { from: "2026-08-17", rates: { input: "3" } },
      { daily: ["16:30:00Z", "00:30:00Z"], rates: { input: "0.5" } },
    ],
  });
});

test("a model that is billed in units nobody counts, or has no price, is listed as unpriced", () => {
  const list = convert(
    plain,
    { id: "by-hours", match: { equals: "h" }, prices: { audio_hours: 0.36 } },
    { id: "nothing", match: { equals: "n" }, prices: {} },
  );
  assert.deepEqual([list?.models.map(({ id }) => id), list?.unpriced], [["m"], ["by-hours", "nothing"]]);
});

test("data of another shape, or without a list that is needed, is refused as a whole", () => {
  const refused = (providers: unknown, message: RegExp): void => {
    assert.throws(
      () => convertSource(providers, source),
      (thrown) => thrown instanceof HeadgateError && thrown.code === "invalid_argument" && message.test(thrown.message),
    );
  };
  refused({}, /not the data of/);
  refused(data({ ...plain, prices: { input_mtok: "1" } }), /0\.models\.0\.prices/);
  refused(data({ ...plain, match: undefined }), /lists\.anthropic\.models\.0\.match/);
  refused(data(plain).slice(1), /lists\.anthropic is missing/);
});
