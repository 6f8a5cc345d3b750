/** The text of src/accounting/price-catalogue.json, from the installed release of the source of prices. */
import { readFileSync } from "node:fs";
import { findProvider } from "@pydantic/genai-prices";
import { renderCatalogueFile } from "../../src/accounting/prices/catalogue-file.ts";
import { convertSource, sourceLists, sourcePackage } from "../../src/accounting/prices/convert.ts";

export const priceFile: URL = new URL("../../src/accounting/price-catalogue.json", import.meta.url);

/** `date`: the day it was generated, `2026-11-21`. */
export function renderPriceFile(date: string): string {
  const manifest = JSON.parse(readInstalled("package.json")) as { version: string };
  const copyright = readInstalled("LICENSE").match(/^Copyright .*$/m)?.[0] ?? "";
  const source = { package: sourcePackage, version: manifest.version, license: "MIT", copyright, date };
  const providers = sourceLists.map((providerId) => findProvider({ providerId }));
  return renderCatalogueFile(convertSource(providers, source));
}

function readInstalled(file: string): string {
  return readFileSync(new URL(`../../node_modules/${sourcePackage}/${file}`, import.meta.url), "utf8");
}
