/** The price catalogue is what the installed release of its source says, unedited. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { priceFile, renderPriceFile } from "../../scripts/catalogue/price-file.ts";
import { providerSpecs } from "../../src/providers/catalogue.ts";
import { loadPriceCatalogue } from "../../src/accounting/prices/catalogue.ts";

test("generating the price catalogue again changes nothing", () => {
  const text = readFileSync(priceFile, "utf8");
  const { source } = JSON.parse(text) as { source: { date: string } };
  assert.equal(
    renderPriceFile(source.date),
    text,
    "run node scripts/catalogue/generate-prices.ts and review the difference",
  );
});

test("an id names one model of its list, so that a price version names one set of rates", () => {
  const { lists } = JSON.parse(readFileSync(priceFile, "utf8")) as {
    lists: Record<string, { models: { id: string }[] }>;
  };
  for (const [name, { models }] of Object.entries(lists)) {
    assert.equal(new Set(models.map(({ id }) => id)).size, models.length, name);
  }
});

test("every price list that a provider refers to is in the catalogue", () => {
  const catalogue = loadPriceCatalogue();
  for (const { id, priceList } of providerSpecs) {
    if (priceList !== null) assert.ok(catalogue.models(priceList).length > 0, id);
  }
});
