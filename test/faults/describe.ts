/** Outcomes in words, for the names of tests and for docs/reference/faults.md. */
import type { Line } from "./lines/line.ts";
import type { Charged, Outcome } from "./outcome.ts";

export function describeCaller({ caller }: Pick<Outcome, "caller">): string {
  switch (caller.kind) {
    case "answer":
      return "the whole answer";
    case "error":
      return `status ${caller.status}, \`${caller.code}\`${describeWait(caller.retryAfter)}`;
    case "broken stream":
      return `the beginning, then an error event \`${caller.code}\` and no terminal marker`;
    case "gone":
      return "nothing more";
    case "cut off":
      return "a connection that breaks, and no terminal marker";
  }
}

function describeWait(retryAfter: number | null | undefined): string {
  return typeof retryAfter === "number" ? `, \`retry-after: ${retryAfter}\`` : "";
}

const charges: Readonly<Record<Charged, string>> = {
  nothing: "nothing",
  "nothing yet": "nothing, until the provider has been asked",
  reported: "what the provider reports",
  drained: "what the provider reports at the end",
  estimate: "an estimate of input and output",
  "input estimate": "an estimate of the input",
  "worst case": "all that was held for it, at the next start",
};

export function describeCharge({ charged }: Pick<Outcome, "charged">): string {
  return charges[charged];
}

/** Of each call, in their order, where they are not all charged alike. */
export function describeCharges({ calls }: Pick<Line, "calls">, outcome: Outcome): string {
  const described = (calls ?? [outcome]).map(describeCharge);
  return new Set(described).size > 1 ? described.join("; then ") : describeCharge(calls?.[0] ?? outcome);
}

export function describeRecord({ ending, code, status }: Outcome): string {
  if (ending === null) return "nothing";
  if (status === 0) return `\`${ending}\`, at the next start`;
  return code === null ? `\`${ending}\`, ${status}` : `\`${ending}\`, \`${code}\`, ${status}`;
}
