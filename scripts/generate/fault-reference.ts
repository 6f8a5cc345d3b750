import { faultCatalogue } from "../../src/simulator/faults.ts";

/** `docs/reference/simulator-faults.md`, from the simulator's catalogue. */
export function renderFaultReference(): string {
  const rows = Object.entries(faultCatalogue).map(([name, { at, argument, summary }]) => {
    const form = `\`${name}\``;
    return `| ${form} | ${at ?? ""} | ${argument ?? ""} | ${summary} |\n`;
  });
  return `# Faults of the simulator

<!-- Generated from src/simulator/faults.ts by \`npm run generate\`. -->

Asked for as \`fault=NAME\`, \`fault=NAME@N\` or \`fault=NAME:ARGUMENT\`; see the
[guide to the simulator](../guides/simulator.md). \`@N\` counts the tokens sent before the fault strikes.

| fault | \`@N\` if not given | argument if not given | what happens |
| --- | --- | --- | --- |
${rows.join("")}`;
}
