/** The text of src/accounting/price-catalogue.json: lists in order of their names, one line per model. */
import { readFileSync } from "node:fs";
import { findProvider } from "@pydantic/genai-prices";
import type { CatalogueList } from "../../src/accounting/prices/catalogue.ts";
import { convertProvider } from "./convert.ts";

/** The package's ids of the lists that the provider catalogue refers to (`priceList`), and of those they fall back on. */
const lists = [
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

const packageName = "@pydantic/genai-prices";

export const priceFile: URL = new URL("../../src/accounting/price-catalogue.json", import.meta.url);

/** `date`: the day it was generated, `2026-11-21`. */
export function renderPriceFile(date: string): string {
  const manifest = JSON.parse(readInstalled("package.json")) as { version: string };
  const copyright = readInstalled("LICENSE").match(/^Copyright .*$/m)?.[0] ?? "";
  const source = { package: packageName, version: manifest.version, license: "MIT", copyright, date };
  const sections = lists.map((id) => renderList(id, readList(id)));
  return `{\n  "source": ${JSON.stringify(source)},\n  "lists": {\n${sections.join(",\n")}\n  }\n}\n`;
}

function renderList(id: string, { fallback, models }: CatalogueList): string {
  const lines = models.map((model) => `        ${JSON.stringify(model)}`).join(",\n");
  return `    ${JSON.stringify(id)}: {\n      "fallback": ${JSON.stringify(fallback)},\n      "models": [\n${lines}\n      ]\n    }`;
}

function readList(id: string): CatalogueList {
  const provider = findProvider({ providerId: id });
  if (provider?.id !== id) throw new Error(`${packageName} has no provider ${id}: correct the lists in price-file.ts.`);
  return convertProvider(provider);
}

function readInstalled(file: string): string {
  return readFileSync(new URL(`../../node_modules/${packageName}/${file}`, import.meta.url), "utf8");
}
