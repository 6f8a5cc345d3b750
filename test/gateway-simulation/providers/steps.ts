/** What a call of a simulated provider comes to if nothing goes wrong, step by step in time. */
import type { UpstreamHeaders } from "../../../src/providers/transport.ts";
import { streamEvents, wholeAnswer, type Answer, type WireEvent } from "./wire.ts";

/** `whole`: all that a whole answer says. `flaw`: something that no answer survives. */
export type Saying = WireEvent["says"] | "whole" | "flaw";

export interface DataStep {
  readonly kind: "data";
  readonly afterMs: number;
  readonly bytes: Uint8Array;
  /** What is known once it has come. */
  readonly says: readonly Saying[];
  /** Words that it carries to their end. */
  readonly words: number;
}

/** `afterMs`: since the step before. Without `end` or `break` at the end there is silence until somebody hangs up. */
export type Step =
  | { readonly kind: "sent"; readonly afterMs: number }
  | { readonly kind: "head"; readonly afterMs: number; readonly status: number; readonly headers: UpstreamHeaders }
  | DataStep
  | { readonly kind: "end"; readonly afterMs: number }
  | { readonly kind: "break"; readonly afterMs: number; readonly code: string };

/** How fast a provider is, in milliseconds. */
export interface Pace {
  readonly dialMs: number;
  readonly headMs: number;
  readonly firstWordMs: number;
  readonly wordMs: number;
}

export function plainSteps(answer: Answer, stream: boolean, pace: Pace): readonly Step[] {
  return [
    { kind: "sent", afterMs: pace.dialMs },
    { kind: "head", afterMs: pace.headMs, status: 200, headers: headOf(stream) },
    ...(stream ? streamSteps(answer, pace) : [wholeStep(answer, pace)]),
    { kind: "end", afterMs: 0 },
  ];
}

export function headOf(stream: boolean): UpstreamHeaders {
  return { "content-type": stream ? "text/event-stream; charset=utf-8" : "application/json" };
}

function streamSteps(answer: Answer, { firstWordMs, wordMs }: Pace): readonly Step[] {
  let begun = false;
  return streamEvents(answer).map(({ text, says }): Step => {
    const isFirst = says === "output" && !begun;
    begun ||= says === "output";
    const afterMs = isFirst ? firstWordMs : says === "output" ? wordMs : 0;
    return { kind: "data", afterMs, bytes: Buffer.from(text), says: [says], words: says === "output" ? 1 : 0 };
  });
}

function wholeStep(answer: Answer, { firstWordMs, wordMs }: Pace): Step {
  const { words } = answer;
  const bytes = Buffer.from(wholeAnswer(answer));
  return { kind: "data", afterMs: firstWordMs + words.length * wordMs, bytes, says: ["whole"], words: words.length };
}
