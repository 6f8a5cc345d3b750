import { callsOfOne, isRescued, isSilent, type Following } from "../../test/faults/course/expected.ts";
import { promises } from "../../test/faults/course/promises.ts";
import { describeCaller, describeCharges, describeRecord } from "../../test/faults/describe.ts";
import { besides } from "../../test/faults/lines/besides.ts";
import { lineGroups, type LineGroup } from "../../test/faults/lines/groups.ts";
import type { Line } from "../../test/faults/lines/line.ts";
import type { Outcome } from "../../test/faults/outcome.ts";
import { upstreamFaults, type FaultCase } from "../../test/faults/table.ts";

const withTwoTargets = ["answer", "one target", "calls", "two targets", "each call is charged", "what is recorded"];
const withOneTarget = ["answer", "what the caller sees", "calls", "what is charged", "what is recorded"];

/** `docs/reference/faults.md`, from the tables of the fault suite. */
export function renderFaultOutcomes(): string {
  return `# What a fault comes to

<!-- Generated from test/faults/ by \`npm run generate\`. -->

Every line is tests (\`npm test -- test/faults\`): asked in OpenAI's dialect and in Anthropic's, of providers that speak either,
for whole answers and for streams; what stands in the lists at the end, in some of these ways. They run with the defaults of the configuration but shorter timers, and with
\`timeouts.firstTokenMs\`, which is off by default: without it \`total_timeout\` ends what it would have ended. Errors before
the first output are plain responses; a stream that broke ends with one error event and without a terminal marker. Errors
and markers have the form of the caller's dialect, codes are the same in each. Why the gateway does what it does, and every
setting, is in the [guide to reliability](../guides/reliability.md).

- **one target** is what the caller sees of a model with no other target, after so many **calls**.
- **two targets** is what the caller sees where the first has the fault and the second is healthy. The record then is
  \`complete\`, 200, with both calls in its trail, and \`x-headgate-attempts\` names them. Where a table does not have these
  columns, the number of targets does not matter, or the line says it.
- **each call is charged** so; the call that answers is charged what its provider reports. An estimate is our own count,
  flagged in the ledger, and corrected where the provider can be asked.
- **what is recorded** is the ending, the error code and the status of the request's record where there is one target.

## A provider that …

Where the upstream dialects differ, the line names the one it is about.

${renderHead("the provider", withTwoTargets)}${upstreamFaults.flatMap(renderCase).join("")}
A silent target is not waited for to the end where there is another: that one is called beside it after
\`timeouts.switchMs\` (8 s; for whole answers, whose beginning is not seen, up to three times as long, by what the target usually takes), and the first to answer wins.

${Object.values(lineGroups).map(renderGroup).join("\n")}
## Several targets and calls

${renderList(promises)}
## What holds besides

${renderList(besides)}`;
}

function renderList(sentences: Readonly<Record<string, string>>): string {
  return Object.values(sentences)
    .map((sentence) => `- ${sentence}\n`)
    .join("");
}

/** How many targets there are does not matter where nothing may follow. */
function renderGroup({ heading, lines }: LineGroup): string {
  const all = Object.values(lines);
  const hasTwo = all.some(({ next = "nothing" }) => next !== "nothing");
  const rows = all.flatMap((line) => renderLine(line, hasTwo)).join("");
  return `## ${heading}\n\n${renderHead("fault", hasTwo ? withTwoTargets : withOneTarget)}${rows}`;
}

function renderHead(first: string, columns: readonly string[]): string {
  return `| ${[first, ...columns].join(" | ")} |\n|${" --- |".repeat(columns.length + 1)}\n`;
}

function renderLine(line: Line, hasTwo: boolean): string[] {
  const { title, whole, stream, isWordless = false } = line;
  const following: Following = { next: "nothing", ...line };
  const [ofWhole, ofStream] = [whole, stream].map(
    (outcome) => outcome && renderOutcome(following, outcome, false, hasTwo),
  );
  if (ofWhole === ofStream || isWordless) return [`| ${title} | any | ${ofWhole ?? ofStream}\n`];
  if (!ofStream) return [`| ${title} | whole | ${ofWhole}\n`];
  if (!ofWhole) return [`| ${title} | stream | ${ofStream}\n`];
  return [`| ${title} | whole | ${ofWhole}\n`, `| | stream | ${ofStream}\n`];
}

function renderCase(row: FaultCase): string[] {
  const who = row.upstream === undefined ? row.title : `${row.title} (${row.upstream})`;
  const [whole, stream] = [row.whole, row.stream].map((outcome) => renderOutcome(row, outcome, isSilent(row)));
  if (whole === stream) return [`| ${who} | any | ${whole}\n`];
  return [`| ${who} | whole | ${whole}\n`, `| | stream | ${stream}\n`];
}

function renderOutcome(following: Following, outcome: Outcome, silent: boolean, hasTwo = true): string {
  const other = hasTwo ? `${describeOther(following, outcome, silent)} | ` : "";
  const caller = `${describeCaller(outcome)} | ${callsOfOne(following, outcome)}`;
  return `${caller} | ${other}${describeCharges(following, outcome)} | ${describeRecord(outcome)} |`;
}

function describeOther(following: Following, outcome: Outcome, silent: boolean): string {
  if (isRescued(following, outcome, "first-output"))
    return silent ? "the answer of the other, called beside it" : "the answer of the other";
  if (isRescued(following, outcome, "complete")) return "the same; with `commit: complete` the answer of the other";
  return "the same";
}
