import { responseHeaderDocs } from "../../src/exchange/conclusion/response-headers.ts";

/** `docs/reference/headers.md`, from the headers that responses can carry. */
export function renderHeaderReference(): string {
  const rows = Object.entries(responseHeaderDocs).map(([name, meaning]) => `| \`${name}\` | ${meaning} |\n`);
  return `# Response headers

<!-- Generated from src/exchange/conclusion/response-headers.ts by \`npm run generate\`. -->

What the gateway adds to the headers of the provider's API. Names do not change between releases.

| header | meaning |
| --- | --- |
${rows.join("")}`;
}
