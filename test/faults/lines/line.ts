/**
 * A line of docs/reference/faults.md that no simulator injects: a fault and its outcome in all four respects. Lines stand
 * in groups; each group is tested whole by one file of tests (`../test-lines.ts`), so that none is without its test.
 */
import type { Charged, Outcome } from "../outcome.ts";
import { callers, type Caller } from "../speech.ts";
import { upstreams, type Next, type Upstream } from "../table.ts";

export interface Line {
  readonly title: string;
  /** `null`: it does not happen to whole answers. */
  readonly whole: Outcome | null;
  readonly stream: Outcome | null;
  /** Where it is a provider's fault. Default `nothing`. */
  readonly next?: Next;
  /** It is over before anything was said in any dialect. */
  readonly isWordless?: boolean;
  /** It is about a provider, although none is called. */
  readonly isOfProvider?: boolean;
  /** In their order, where they do not all end as the outcome says. */
  readonly calls?: readonly LineCall[] | undefined;
}

export interface LineCall {
  /** `null`: it answered. */
  readonly code: string | null;
  readonly charged: Charged;
}

export type Lines<Name extends string = string> = Readonly<Record<Name, Line>>;

/** One way in which the fault of a line may strike. */
export interface Case {
  readonly caller: Caller;
  readonly upstream: Upstream;
  readonly stream: boolean;
  readonly outcome: Outcome;
}

type More = Omit<Line, "title" | "whole" | "stream">;

/** The same for a whole answer and for a stream. */
export function any(title: string, outcome: Outcome, more: More = {}): Line {
  return { title, whole: outcome, stream: outcome, ...more };
}

export function whole(title: string, outcome: Outcome, more: More = {}): Line {
  return { title, whole: outcome, stream: null, ...more };
}

export function stream(title: string, outcome: Outcome, more: More = {}): Line {
  return { title, whole: null, stream: outcome, ...more };
}

/** Every caller's dialect, every provider's that is called, whole and streamed. */
export function casesOf(line: Line): readonly Case[] {
  const cases = [false, true].flatMap((streamed) => {
    const outcome = streamed ? line.stream : line.whole;
    if (outcome === null) return [];
    const called = outcome.attempts === 0 && line.isOfProvider !== true ? upstreams.slice(0, 1) : upstreams;
    return callers.flatMap((caller) => called.map((upstream) => ({ caller, upstream, stream: streamed, outcome })));
  });
  return line.isWordless ? cases.slice(0, 1) : cases;
}
