import { callsOfOne, isRescued, isSilent, type Following } from "../../test/faults/course/expected.ts";
import { promises } from "../../test/faults/course/promises.ts";
import { describeCaller, describeCharge, describeRecord } from "../../test/faults/describe.ts";
import { furtherFaults } from "../../test/faults/further.ts";
import type { Outcome } from "../../test/faults/outcome.ts";
import { upstreamFaults, type FaultCase } from "../../test/faults/table.ts";

const columns = "one target | calls | two targets | each call is charged | what is recorded |";
const rule = "| --- | --- | --- | --- | --- |";

/** `docs/reference/faults.md`, from the tables of the fault suite. */
export function renderFaultOutcomes(): string {
  const further = Object.values(furtherFaults).map(
    ({ title, outcome, next = "nothing" }) => `| ${title} | ${renderOutcome({ next }, outcome, false)}\n`,
  );
  return `# What a fault comes to

<!-- Generated from test/faults/ by \`npm run generate\`. -->

Every line is a test (\`npm test -- test/faults\`), with the defaults of the configuration but shorter timers, and with
\`timeouts.firstTokenMs\`, which is off by default: without it \`total_timeout\` ends what it would have ended. Errors before
the first output are plain responses; a stream that broke ends with one error event and without a terminal marker. Why the gateway does
what it does, and every setting, is in the [guide to reliability](../guides/reliability.md).

- **one target** is what the caller sees of a model with no other target, after so many **calls**.
- **two targets** is what the caller sees where the first has the fault and the second is healthy. The record then is
  \`complete\`, 200, with both calls in its trail, and \`x-headgate-attempts\` names them.
- **each call is charged** so; the call that answers is charged what its provider reports. An estimate is our own count,
  flagged in the ledger, and corrected where the provider can be asked.
- **what is recorded** is the ending, the error code and the status of the request's record where there is one target.

## A provider that …

Where the upstream dialects differ, the line names the one it is about.

| the provider | answer | ${columns}
| --- | --- ${rule}
${upstreamFaults.flatMap(renderCase).join("")}
A silent target is not waited for to the end where there is another: that one is called beside it after
\`timeouts.switchMs\` (8 s; for whole answers, whose beginning is not seen, up to three times as long, by what the target usually takes), and the first to answer wins.

## Anything else

| fault | ${columns}
| --- ${rule}
${further.join("")}
## Several targets, keys and calls

${Object.values(promises)
  .map((promise) => `- ${promise}\n`)
  .join("")}`;
}

function renderCase(row: FaultCase): string[] {
  const who = row.upstream === undefined ? row.title : `${row.title} (${row.upstream})`;
  const [whole, stream] = [row.whole, row.stream].map((outcome) => renderOutcome(row, outcome, isSilent(row)));
  if (whole === stream) return [`| ${who} | any | ${whole}\n`];
  return [`| ${who} | whole | ${whole}\n`, `| | stream | ${stream}\n`];
}

function renderOutcome(following: Following, outcome: Outcome, silent: boolean): string {
  const calls = callsOfOne(following, outcome);
  const other = describeOther(following, outcome, silent);
  return `${describeCaller(outcome)} | ${calls} | ${other} | ${describeCharge(outcome)} | ${describeRecord(outcome)} |`;
}

function describeOther(following: Following, outcome: Outcome, silent: boolean): string {
  if (isRescued(following, outcome, "first-output"))
    return silent ? "the answer of the other, called beside it" : "the answer of the other";
  if (isRescued(following, outcome, "complete")) return "the same; with `commit: complete` the answer of the other";
  return "the same";
}
