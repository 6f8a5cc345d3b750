/**
 * Writes src/accounting/price-catalogue.json from the price data package, which is needed at development time only.
 * Run `node scripts/catalogue/generate-prices.ts` after updating the package and review the difference.
 */
import { writeFileSync } from "node:fs";
import { priceFile, renderPriceFile } from "./price-file.ts";

const text = renderPriceFile(new Date().toISOString().slice(0, 10));
writeFileSync(priceFile, text);
console.log(`Wrote ${text.split("\n").length} lines, ${Math.round(text.length / 1024)} kB.`);
