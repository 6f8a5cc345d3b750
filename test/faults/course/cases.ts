/**
 * The rows of the table of faults as requests of a gateway that nobody tuned, in every caller's dialect: of a model with
 * one target, which has the fault, and of one with a second target, which is healthy and speaks the other dialect.
 */
import type { ModelConfig } from "../../../src/config/config.ts";
import type { DeepPartial } from "../../../src/config/defaults.ts";
import type { Outcome } from "../outcome.ts";
import { models } from "../asker.ts";
import { callers, type Caller } from "../speech.ts";
import { upstreamFaults, upstreams, type FaultCase, type Upstream } from "../table.ts";
import { expectOne, expectTwo, isSilent, type Commit, type ExpectedCourse } from "./expected.ts";

/** A row, asked in one way. */
interface Way {
  readonly row: FaultCase;
  readonly caller: Caller;
  /** Of the target with the fault. */
  readonly upstream: Upstream;
  readonly stream: boolean;
}

export interface CourseCase extends Way {
  /** The model to ask for. */
  readonly alias: string;
  readonly model: DeepPartial<ModelConfig>;
  readonly expected: ExpectedCourse;
}

export function oneTargetCases(): readonly CourseCase[] {
  return casesOf("one", (way) => {
    const target = faulty(way, "one");
    return {
      model: { targets: [{ model: target }], ...hurry(way.row, outcomeOf(way), false) },
      expected: expectOne(way.row, outcomeOf(way), target),
    };
  });
}

/** With `complete` only streams that fail: whole answers are always held back until they are. */
export function twoTargetCases(commit: Commit): readonly CourseCase[] {
  const cases = casesOf(commit, (way) => {
    const first = faulty(way, commit);
    const second = `${models[other(way.upstream)]}:tokens=20,input=7,tag=beside-${commit}-${tagOf(way)}`;
    const expected = expectTwo(way.row, outcomeOf(way), commit, [first, second]);
    return {
      model: { targets: inOrder(first, second), commit: { at: commit }, ...hurry(way.row, outcomeOf(way), true) },
      expected,
    };
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

/**
 * Only where silence is the fault: elsewhere the defaults show that nothing waits for them. A target that is left for
 * another (`hasOther`) before it has shown anything keeps its own timers, so that none of them comes first.
 */
export function hurry(
  row: FaultCase,
  { code, caller }: Outcome,
  hasOther: boolean,
): Pick<DeepPartial<ModelConfig>, "timeouts"> {
  if (!isSilent(row)) return {};
  const switchMs = 300;
  if (hasOther && caller.kind === "error") return { timeouts: { switchMs } };
  const totalMs = code === "total_timeout" ? 2_500 : 30_000;
  return { timeouts: { switchMs, firstTokenMs: 2_000, idleMs: 2_000, totalMs } };
}

type Part = Pick<CourseCase, "model" | "expected">;

function casesOf(kind: string, part: (way: Way) => Part): readonly CourseCase[] {
  return waysOf(upstreamFaults).map((way) => ({ ...way, alias: `${kind}-${tagOf(way)}`, ...part(way) }));
}

function waysOf(rows: readonly FaultCase[]): readonly Way[] {
  const asked = callers.flatMap((caller) => [false, true].map((stream) => ({ caller, stream })));
  return upstreams.flatMap((upstream) => {
    const own = rows.filter((row) => row.upstream === undefined || row.upstream === upstream);
    return own.flatMap((row) => asked.map((ask) => ({ row, upstream, ...ask })));
  });
}

/** A tag has 64 characters at the most. */
const short: Readonly<Record<Upstream, string>> = { "openai-chat": "chat", "anthropic-messages": "messages" };

function tagOf({ row, caller, upstream, stream }: Way): string {
  const mode = stream ? "stream" : "whole";
  return `${upstreamFaults.indexOf(row)}-${short[caller]}-to-${short[upstream]}-${mode}`;
}

function faulty(way: Way, kind: string): string {
  return `${models[way.upstream]}:tokens=20,input=7,${way.row.script},tag=${kind}-${tagOf(way)}`;
}

function other(upstream: Upstream): Upstream {
  return upstream === "openai-chat" ? "anthropic-messages" : "openai-chat";
}

function outcomeOf({ row, stream }: Way): Outcome {
  return stream ? row.stream : row.whole;
}
