/** What requests come to that may take several calls: what follows from a row of the table of faults by the defaults. */
import { answered, type CallerSees, type Charged, type Outcome } from "../outcome.ts";
import type { Line } from "../lines/line.ts";
import type { FaultCase, Next } from "../table.ts";

/** `retries.attemptsMax` */
const ATTEMPTS_MAX = 4;

/** `commit.at` of a model; `window` is either of the two, by the moment of the fault. */
export type Commit = "first-output" | "complete";

/** One call of a request, as the record tells it. */
export interface ExpectedCall {
  readonly target: string;
  readonly became: "answered" | "failed" | "cancelled";
  /** `null`: it did not fail by itself. */
  readonly code: string | null;
  readonly charged: Charged;
}

export interface ExpectedCourse extends Pick<Outcome, "ending" | "code" | "status"> {
  readonly caller: CallerSees;
  readonly calls: readonly ExpectedCall[];
  /** Whose turn came before, and which was not called. */
  readonly passedOver?: { readonly target: string; readonly code: string };
}

/** Of a model with this one target. */
export function expectOne(row: FaultCase, outcome: Outcome, target: string): ExpectedCourse {
  return { ...outcome, calls: Array<ExpectedCall>(callsOfOne(row, outcome)).fill(callOf(target, outcome)) };
}

/** Of a model with two targets, of which the second is healthy. */
export function expectTwo(
  row: FaultCase,
  outcome: Outcome,
  commit: Commit,
  [first, second]: readonly [string, string],
): ExpectedCourse {
  const call = callOf(first, outcome);
  if (!isRescued(row, outcome, commit)) return { ...outcome, calls: [call] };
  const isLeft = isSilent(row) && outcome.caller.kind === "error";
  const left: ExpectedCall = isLeft ? { ...call, became: "cancelled", code: null } : call;
  const rescue = { target: second, became: "answered", code: null, charged: "reported" } as const;
  return { ...answered(), calls: [left, rescue] };
}

/** Whether it is the silence that is the fault: another target is called beside it, rather than after it. */
export function isSilent({ whole }: FaultCase): boolean {
  return whole.ending === "timeout";
}

/** What may follow: of a row, or of a fault that no simulator injects. */
export interface Following {
  readonly next: Next;
  readonly calls?: Line["calls"];
}

/** How many calls a model with this one target gets. */
export function callsOfOne({ next, calls }: Following, { caller, attempts }: Outcome): number {
  if (calls !== undefined) return calls.length;
  if (attempts === 0) return 0;
  return next === "again" && caller.kind === "error" ? ATTEMPTS_MAX : 1;
}

/** Whether another target answers in its stead, unseen by the caller. */
export function isRescued({ next }: Following, { caller }: Outcome, commit: Commit): boolean {
  if (caller.kind === "answer" || next === "nothing") return false;
  return caller.kind === "error" || commit === "complete";
}

/** Of calls that do not all end alike. */
export function courseOf(outcome: Outcome, calls: readonly Omit<ExpectedCall, "became">[]): ExpectedCourse {
  const called = calls.map((call) => ({ ...call, became: call.code === null ? "answered" : "failed" }) as const);
  return { ...outcome, calls: called };
}

function callOf(target: string, { caller, code, charged }: Outcome): ExpectedCall {
  return { target, became: caller.kind === "answer" ? "answered" : "failed", code, charged };
}
