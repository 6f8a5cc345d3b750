import { providerSpecs } from "../../src/providers/catalogue.ts";
import type { ProviderSpec } from "../../src/providers/provider.ts";

/** `docs/reference/providers.md`, from the provider catalogue. */
export function renderProviderReference(): string {
  return `# Providers

<!-- Generated from src/providers/catalogue by \`npm run generate\`. -->

The kinds of provider that are known in advance. A provider of the configuration is of the kind that it is named after,
or of its \`kind\`; see the [guide to providers](../guides/providers.md). A key that stands in one of the variables is
found without configuration; where there are several, the first that is set counts.

| kind | provider | address | key |
| --- | --- | --- | --- |
${providerSpecs.map(renderKind).join("")}
## What differs

| kind | dialects | prices | ask afterwards |
| --- | --- | --- | --- |
${providerSpecs.map(renderDifferences).join("")}
- **Dialects**: a chat in OpenAI's dialect is passed through to a provider that speaks \`openai-chat\`, and translated for
  one that speaks only \`anthropic-messages\`. Embeddings need \`openai-embeddings\`.
- **Prices**: whether the release's catalogue has a list for the provider. \`free\`: calls cost no money. Without a list a
  call is recorded and flagged as unpriced, unless \`prices.overrides\` has the model.
- **Ask afterwards**: whether the provider can say later what a call used, by its own id of the call or by ours, so that
  a charge by our own count is corrected.
`;
}

function renderKind(spec: ProviderSpec): string {
  const address = spec.baseUrl === null ? "given by `baseUrl`" : `\`${spec.baseUrl}\``;
  return `| \`${spec.id}\` | [${spec.title}](${documentationOf(spec)}) | ${address} | ${renderKey(spec)} |\n`;
}

/** The simulator's is a command, told in its guide. */
function documentationOf({ documentation }: ProviderSpec): string {
  return documentation.startsWith("https://") ? documentation : "../guides/simulator.md";
}

function renderKey({ auth, environment }: ProviderSpec): string {
  if (environment.length > 0) return environment.map((name) => `\`${name}\``).join(", ");
  return auth.scheme === "none" ? "none needed" : "given by `key`";
}

function renderDifferences({ id, dialects, billing, priceList, usageLookup }: ProviderSpec): string {
  const spoken = dialects.map((dialect) => `\`${dialect}\``).join(", ");
  const prices = billing === "none" ? "free" : priceList === null ? "none" : "listed";
  const asked = usageLookup === null ? "no" : usageLookup.acceptsClientRequestId ? "by our id" : "by its id";
  return `| \`${id}\` | ${spoken} | ${prices} | ${asked} |\n`;
}
