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

test("every price list that a provider refers to is in the catalogue", () => {
  const catalogue = loadPriceCatalogue();
  for (const { id, priceList } of providerSpecs) {
    if (priceList !== null) assert.ok(catalogue.models(priceList).length > 0, id);
  }
});
