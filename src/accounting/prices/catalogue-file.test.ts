import assert from "node:assert/strict";
import { test } from "node:test";
import { HeadgateError } from "../../kernel/errors.ts";
import { checkCatalogueFile, renderCatalogueFile, type CatalogueFile } from "./catalogue-file.ts";
import { loadPriceCatalogue, pinnedCatalogueFile, type CatalogueModel } from "./catalogue.ts";

const source = { package: "@x/prices", version: "2.0.0", license: "MIT", copyright: "Nobody", date: "2030-01-01" };

function model(parts: Readonly<Record<string, unknown>> = {}): unknown {
  return { id: "m", match: { equals: "m" }, prices: [{ rates: { input: "1" } }], ...parts };
}

function file(...models: readonly unknown[]): unknown {
  return { source, lists: { a: { fallback: [], unpriced: [], models } } };
}

function problemOf(json: unknown, required: readonly string[] = []): string {
  try {
    checkCatalogueFile(json, required);
    return "";
  } catch (thrown) {
    assert.ok(thrown instanceof HeadgateError && thrown.code === "invalid_argument");
    return thrown.message.replace("This is not a price catalogue that can be used: ", "");
  }
}

test("the pinned catalogue is one, and stays the same through writing and reading", () => {
  const pinned = pinnedCatalogueFile();
  const read = JSON.parse(renderCatalogueFile(pinned)) as unknown;
  assert.deepEqual(checkCatalogueFile(read, Object.keys(pinned.lists)), pinned);
});

const refused: readonly (readonly [what: string, json: unknown, problem: RegExp])[] = [
  ["something else", [], /^it: .*object/],
  ["no model at all", file(), /^lists\.a\.models: /],
  [
    "a rate that is a number",
    file(model({ prices: [{ rates: { input: 1 } }] })),
    /^lists\.a\.models\.0\.prices\.0\.rates/,
  ],
  ["a rate finer than a nano-dollar", file(model({ prices: [{ rates: { input: "0.0000000001" } }] })), /rates\.input/],
  ["a negative rate", file(model({ prices: [{ rates: { input: "-1" } }] })), /rates\.input/],
  ["a price that prices no tokens", file(model({ prices: [{ rates: { search: "1" } }] })), /prices no tokens/],
  ["a unit it does not know", file(model({ prices: [{ rates: { input: "1", hours: "1" } }] })), /hours/],
  ["a model without prices", file(model({ prices: [] })), /^lists\.a\.models\.0\.prices: /],
  ["a day that does not exist", file(model({ prices: [{ from: "2030-02-30", rates: { input: "1" } }] })), /from/],
  ["a rule it does not know", file(model({ match: { like: "m" } })), /^lists\.a\.models\.0\.match/],
  ["a pattern that is none", file(model({ match: { regex: "(" } })), /match/],
  ["a pattern that may take for ever", file(model({ match: { regex: "^(a+)+$" } })), /match/],
  ["a model twice", file(model(), model()), /names a model twice/],
  [
    "thresholds that fall",
    file(model({ prices: [{ rates: { input: ["1", [200, "2"], [100, "3"]] } }] })),
    /rates\.input/,
  ],
];

for (const [what, json, problem] of refused) {
  test(`${what} is refused, saying where`, () => assert.match(problemOf(json), problem));
}

test("a list that the release has must be there", () => {
  assert.equal(problemOf(file(model()), ["a", "b"]), "lists.b is missing.");
});

test("many problems are counted, not all told", () => {
  const bad = Array.from({ length: 9 }, (_, index) => model({ id: `m${index}`, prices: [] }));
  assert.match(problemOf(file(...bad)), /; and 4 more\.$/);
});

/** The pinned lists at a dollar a token. */
function repriced(date: string): CatalogueFile {
  const dear = (each: CatalogueModel): CatalogueModel => ({ ...each, prices: [{ rates: { input: "1000000" } }] });
  const lists = Object.entries(pinnedCatalogueFile().lists).map(([name, list]) => [
    name,
    { ...list, models: list.models.map(dear) },
  ]);
  return { source: { ...source, date }, lists: Object.fromEntries(lists) as CatalogueFile["lists"] };
}

test("a catalogue taken since the release comes first, one from before it does not, and both explain their versions", () => {
  const find = (date: string) => {
    const catalogue = loadPriceCatalogue(repriced(date));
    assert.equal(catalogue.findSource("prices-2.0.0/openai/gpt-5")?.model.id, "gpt-5");
    assert.equal(catalogue.findSource("genai-prices-9.9.9/openai/gpt-5"), null);
    return catalogue.find("openai", "gpt-5")?.source ?? "";
  };
  assert.equal(find(pinnedCatalogueFile().source.date), "prices-2.0.0/openai/gpt-5");
  assert.equal(find("2030-01-01"), "prices-2.0.0/openai/gpt-5");
  assert.match(find("2020-01-01"), /^genai-prices-.*\/openai\/gpt-5$/);
});

test("a name longer than any model's has no price, however it begins", () => {
  assert.equal(loadPriceCatalogue().find("openai", `gpt-5${"0".repeat(300)}`), null);
});
