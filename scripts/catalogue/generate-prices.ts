/**
 * Writes src/accounting/price-catalogue.json from the price data package, which is needed at development time only.
 * Run `node scripts/catalogue/generate-prices.ts` after updating the package and review the difference: one line is
 * one model.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { findProvider } from "@pydantic/genai-prices";
import { convertProvider, type CatalogueList } from "./convert.ts";

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
const target = new URL("../../src/accounting/price-catalogue.json", import.meta.url);

function installedVersion(): string {
  const manifest = readFileSync(new URL(`../../node_modules/${packageName}/package.json`, import.meta.url), "utf8");
  const { version } = JSON.parse(manifest) as { version: string };
  return version;
}

function readList(id: string): CatalogueList {
  const provider = findProvider({ providerId: id });
  if (provider?.id !== id) throw new Error(`${packageName} has no provider ${id}: correct the list in this script.`);
  return convertProvider(provider);
}

function render(version: string, date: string): string {
  const source = { package: packageName, version, license: "MIT", date };
  const sections = lists.map((id) => {
    const { fallback, models } = readList(id);
    const lines = models.map((model) => `        ${JSON.stringify(model)}`).join(",\n");
    return `    ${JSON.stringify(id)}: {\n      "fallback": ${JSON.stringify(fallback)},\n      "models": [\n${lines}\n      ]\n    }`;
  });
  return `{\n  "source": ${JSON.stringify(source)},\n  "lists": {\n${sections.join(",\n")}\n  }\n}\n`;
}

const text = render(installedVersion(), new Date().toISOString().slice(0, 10));
writeFileSync(target, text);
console.log(`Wrote ${target.pathname}: ${text.split("\n").length} lines, ${Math.round(text.length / 1024)} kB.`);
