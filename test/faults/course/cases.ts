/**
 * The rows of the table of faults as requests of a gateway that nobody tuned: of a model with one target, which has the
 * fault, and of one with a second target, which is healthy. What is expected of each follows from the row alone.
 */
import type { ModelConfig } from "../../../src/config/config.ts";
import type { DeepPartial } from "../../../src/config/defaults.ts";
import { answered, type Charged, type Outcome } from "../outcome.ts";
import { models, upstreams } from "../scene.ts";
import { upstreamFaults, type FaultCase, type Upstream } from "../table.ts";

/** `retries.attemptsMax` */
export const ATTEMPTS_MAX = 4;

/** One call of a request, as the record tells it. */
export interface ExpectedCall {
  readonly target: string;
  readonly became: "answered" | "failed" | "cancelled";
  /** `null`: it did not fail by itself. */
  readonly code: string | null;
  readonly charged: Charged;
}

/** What a request comes to that may have taken several calls. */
export interface ExpectedCourse extends Pick<Outcome, "caller" | "ending" | "code" | "status"> {
  readonly calls: readonly ExpectedCall[];
}

export interface CourseCase {
  readonly row: FaultCase;
  /** Of the target with the fault. */
  readonly upstream: Upstream;
  readonly stream: boolean;
  /** The model to ask for. */
  readonly alias: string;
  readonly model: DeepPartial<ModelConfig>;
  readonly expected: ExpectedCourse;
}

/** Whether it is the silence that is the fault: another target is called beside it, rather than after it. */
export function isSilent({ whole }: FaultCase): boolean {
  return whole.code === "total_timeout";
}

/** How many calls a model with this one target gets. */
export function callsOfOne(row: FaultCase, outcome: Outcome): number {
  return row.next === "again" && outcome.caller.kind === "error" ? ATTEMPTS_MAX : 1;
}

/** Whether another target answers in its stead, unseen by the caller. */
export function isRescued(row: FaultCase, outcome: Outcome, commit: "first-output" | "complete"): boolean {
  if (outcome.caller.kind === "answer" || row.next === "nothing") return false;
  return outcome.caller.kind === "error" || commit === "complete";
}

export function oneTargetCases(): readonly CourseCase[] {
  return casesOf("one", (row, upstream, stream) => {
    const target = faulty(row, upstream, "one", stream);
    const outcome = outcomeOf(row, stream);
    const call = callOf(target, outcome);
    const calls = Array<ExpectedCall>(callsOfOne(row, outcome)).fill(call);
    return { model: { targets: [{ model: target }], ...hurry(row) }, expected: { ...outcome, calls } };
  });
}

export function twoTargetCases(commit: "first-output" | "complete"): readonly CourseCase[] {
  const cases = casesOf(commit, (row, upstream, stream) => {
    const first = faulty(row, upstream, commit, stream);
    const second = `${models[other(upstream)]}:tokens=20,input=7,tag=beside-${commit}-${tagOf(row, upstream, stream)}`;
    const targets = inOrder(first, second);
    const model = { targets, commit: { at: commit }, ...hurry(row) };
    return { model, expected: expectTwo(row, outcomeOf(row, stream), commit, first, second) };
  });
  return commit === "complete"
    ? cases.filter(({ row, stream }) => stream && row.stream.caller.kind !== "answer")
    : cases;
}

function expectTwo(
  row: FaultCase,
  outcome: Outcome,
  commit: "first-output" | "complete",
  first: string,
  second: string,
): ExpectedCourse {
  const call = callOf(first, outcome);
  if (!isRescued(row, outcome, commit)) return { ...outcome, calls: [call] };
  const left = isSilent(row) && outcome.caller.kind === "error" ? ({ became: "cancelled", code: null } as const) : {};
  const rescue = { target: second, became: "answered", code: null, charged: "reported" } as const;
  return { ...answered(), calls: [{ ...call, ...left }, rescue] };
}

/** Two targets of which the first is as good as always the one that is chosen. */
export function inOrder(first: string, second: string): NonNullable<DeepPartial<ModelConfig>["targets"]> {
  return [
    { model: first, weight: 1_000_000 },
    { model: second, weight: 0.000_001 },
  ];
}

type Part = Pick<CourseCase, "model" | "expected">;

function casesOf(
  kind: string,
  part: (row: FaultCase, upstream: Upstream, stream: boolean) => Part,
): readonly CourseCase[] {
  const cases: CourseCase[] = [];
  for (const upstream of upstreams) {
    for (const row of upstreamFaults) {
      if (row.upstream !== undefined && row.upstream !== upstream) continue;
      for (const stream of [false, true]) {
        const alias = `${kind}-${tagOf(row, upstream, stream)}`;
        cases.push({ row, upstream, stream, alias, ...part(row, upstream, stream) });
      }
    }
  }
  return cases;
}

function tagOf(row: FaultCase, upstream: Upstream, stream: boolean): string {
  return `${upstreamFaults.indexOf(row)}-${upstream}-${stream ? "stream" : "whole"}`;
}

function faulty(row: FaultCase, upstream: Upstream, kind: string, stream: boolean): string {
  return `${models[upstream]}:tokens=20,input=7,${row.script},tag=${kind}-${tagOf(row, upstream, stream)}`;
}

function other(upstream: Upstream): Upstream {
  return upstream === "openai-chat" ? "anthropic-messages" : "openai-chat";
}

function outcomeOf({ whole, stream }: FaultCase, streamed: boolean): Outcome {
  return streamed ? stream : whole;
}

export function callOf(target: string, { caller, code, charged }: Outcome): ExpectedCall {
  return { target, became: caller.kind === "answer" ? "answered" : "failed", code, charged };
}

/** Only where silence is the fault: elsewhere the defaults show that nothing waits for them. */
export function hurry(row: FaultCase): Pick<DeepPartial<ModelConfig>, "timeouts"> {
  return isSilent(row) ? { timeouts: { switchMs: 300, firstTokenMs: 2_000, idleMs: 2_000, totalMs: 2_500 } } : {};
}
