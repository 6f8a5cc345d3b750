/**
 * The rows of the table of faults as requests of a gateway that nobody tuned: of a model with one target, which has the
 * fault, and of one with a second target, which is healthy and speaks the other dialect.
 */
import type { ModelConfig } from "../../../src/config/config.ts";
import type { DeepPartial } from "../../../src/config/defaults.ts";
import type { Outcome } from "../outcome.ts";
import { models, upstreams } from "../scene.ts";
import { upstreamFaults, type FaultCase, type Upstream } from "../table.ts";
import { expectOne, expectTwo, isSilent, type Commit, type ExpectedCourse } from "./expected.ts";

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

export function oneTargetCases(): readonly CourseCase[] {
  return casesOf("one", (row, upstream, stream) => {
    const target = faulty(row, upstream, "one", stream);
    return {
      model: { targets: [{ model: target }], ...hurry(row) },
      expected: expectOne(row, outcomeOf(row, stream), target),
    };
  });
}

/** With `complete` only streams that fail: whole answers are always held back until they are. */
export function twoTargetCases(commit: Commit): readonly CourseCase[] {
  const cases = casesOf(commit, (row, upstream, stream) => {
    const first = faulty(row, upstream, commit, stream);
    const second = `${models[other(upstream)]}:tokens=20,input=7,tag=beside-${commit}-${tagOf(row, upstream, stream)}`;
    const expected = expectTwo(row, outcomeOf(row, stream), commit, [first, second]);
    return { model: { targets: inOrder(first, second), commit: { at: commit }, ...hurry(row) }, expected };
  });
  if (commit === "first-output") return cases;
  return cases.filter(({ row, stream }) => stream && row.stream.caller.kind !== "answer");
}

/** Two targets of which the first is as good as always the one that is chosen. */
export function inOrder(first: string, second: string): NonNullable<DeepPartial<ModelConfig>["targets"]> {
  return [
    { model: first, weight: 1_000_000 },
    { model: second, weight: 0.000_001 },
  ];
}

/** Only where silence is the fault: elsewhere the defaults show that nothing waits for them. */
export function hurry(row: FaultCase): Pick<DeepPartial<ModelConfig>, "timeouts"> {
  return isSilent(row) ? { timeouts: { switchMs: 300, firstTokenMs: 2_000, idleMs: 2_000, totalMs: 2_500 } } : {};
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
