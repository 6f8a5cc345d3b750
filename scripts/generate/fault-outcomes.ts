import { describeCaller, describeCharge, describeRecord } from "../../test/faults/describe.ts";
import { furtherFaults } from "../../test/faults/further.ts";
import type { Outcome } from "../../test/faults/outcome.ts";
import { upstreamFaults, type FaultCase } from "../../test/faults/table.ts";

const columns = "what the caller sees | what is charged | attempts | what is recorded |";
const rule = "| --- | --- | --- | --- |";

/** `docs/reference/faults.md`, from the tables of the fault suite. */
export function renderFaultOutcomes(): string {
  const further = Object.values(furtherFaults).map(({ title, outcome }) => `| ${title} | ${renderOutcome(outcome)}\n`);
  return `# What a fault comes to

<!-- Generated from test/faults/ by \`npm run generate\`. -->

Every line is a test (\`npm test -- test/faults\`). Errors before the first output are plain responses; a stream that broke
ends with one error event and without a terminal marker. What is recorded is the ending, the error code and the status of
the request's record. An estimate is our own count, flagged in the ledger, and corrected where the provider can be asked.
Nothing is tried again: one request is at most one attempt.

## A provider that …

Where the upstream dialects differ, the line names the one it is about.

| the provider | answer | ${columns}
| --- | --- ${rule}
${upstreamFaults.flatMap(renderCase).join("")}
## Anything else

| fault | ${columns}
| --- ${rule}
${further.join("")}`;
}

function renderCase({ title, upstream, whole, stream }: FaultCase): string[] {
  const who = upstream === undefined ? title : `${title} (${upstream})`;
  if (renderOutcome(whole) === renderOutcome(stream)) return [`| ${who} | any | ${renderOutcome(whole)}\n`];
  return [`| ${who} | whole | ${renderOutcome(whole)}\n`, `| | stream | ${renderOutcome(stream)}\n`];
}

function renderOutcome(outcome: Outcome): string {
  return `${describeCaller(outcome)} | ${describeCharge(outcome)} | ${outcome.attempts} | ${describeRecord(outcome)} |`;
}
