/** How calls of simulated providers go wrong: each behaviour is what it makes of the steps of a good one. */
import type { UpstreamHeaders } from "../../../src/providers/transport.ts";
import type { Random } from "../../simulation/world/random.ts";
import { headOf, type DataStep, type Saying, type Step } from "./steps.ts";
import { errorEvent, idleEvent, refusalBody, type WireDialect } from "./wire.ts";

export interface Going {
  readonly dialect: WireDialect;
  readonly stream: boolean;
  readonly random: Random;
}

type Behave = (steps: readonly Step[], going: Going) => readonly Step[];

const SLOW_MS_MAX = 60_000;
const DRIP_BYTES = 7;
/** Beyond what the gateway holds back before the first output. */
const FLOOD_EVENTS = 6;
const FLOOD_EVENT_BYTES = 450_000;

const behaviours: Readonly<Record<string, Behave>> = {
  "answers well": (steps) => steps,
  "refuses connections": () => [{ kind: "break", afterMs: 1, code: "ECONNREFUSED" }],
  "does not connect": () => [],
  "resets before it answers": (steps) => [...upTo(steps, "sent"), reset],
  "is a black hole": (steps) => upTo(steps, "sent"),
  "is slow to answer": (steps, { random }) =>
    steps.map((step) => (step.kind === "head" ? { ...step, afterMs: random.between(1_000, SLOW_MS_MAX) } : step)),
  "is slow to begin": (steps, { random }) =>
    delayFirst(steps, (step) => step.kind === "data" && step.words > 0, random.between(500, SLOW_MS_MAX)),
  "falls silent after its head": (steps) => upTo(steps, "head"),
  "resets after its head": (steps) => [...upTo(steps, "head"), reset],
  "falls silent": (steps, going) => cut(steps, going, []),
  "stalls for a while": (steps, { random }) =>
    delayOne(steps, random.between(0, steps.length - 1), random.between(100, SLOW_MS_MAX)),
  "cuts between events": (steps, going) => cut(steps, going, [end]),
  "resets in the middle": (steps, going) => cut(steps, going, [reset]),
  "cuts within an event": (steps, going) => cutWithin(steps, going),
  "reports an error in the middle": (steps, going) =>
    cut(steps, going, [going.stream ? dataOf(errorEvent(going.dialect)) : dataOf("!"), end]),
  "reports an error and goes on": (steps, going) => insertFlaw(steps, going, errorEvent(going.dialect)),
  "sends an event that is not JSON": (steps, going) => insertFlaw(steps, going, "data: {oops\n\n"),
  "leaves out its terminal marker": (steps) => steps.filter((step) => !says(step, "marker")),
  "falls silent after its reason": (steps) => silentAfter(steps, "finish"),
  "does not close": (steps) => steps.filter(({ kind }) => kind !== "end"),
  "goes on after its end": (steps) => goOnAfter(steps),
  "answers with a web page": (steps) => [
    ...upTo(steps, "sent"),
    { kind: "head", afterMs: 1, status: 200, headers: { "content-type": "text/html" } },
    dataOf("<html><body>It works!</body></html>"),
    end,
  ],
  "drips bytes": (steps) => steps.flatMap((step) => (step.kind === "data" ? drip(step) : [step])),
  "sends in bursts": (steps) => burst(steps),
  "keeps alive for long": (steps, going) => keepAlive(steps, going),
  "floods before its first word": (steps, { dialect, stream }) =>
    stream && dialect === "openai" ? flood(steps) : steps,
};

/** Said of a provider: "resets in the middle". */
export const behaviourNames: readonly string[] = Object.keys(behaviours);

/** What a behaviour makes of the steps of a good call. */
export function behave(name: string, steps: readonly Step[], going: Going): readonly Step[] {
  const does = behaviours[name];
  if (does === undefined) throw new RangeError(`No provider "${name}".`);
  return does(steps, going);
}

/** The steps of a call that is refused with an error status. */
export function refusalSteps(dialect: WireDialect, status: number, headers: UpstreamHeaders): readonly Step[] {
  return [
    { kind: "sent", afterMs: 1 },
    { kind: "head", afterMs: 5, status, headers: { ...headOf(false), ...headers } },
    dataOf(refusalBody(dialect, status)),
    end,
  ];
}

const end: Step = { kind: "end", afterMs: 0 };
const reset: Step = { kind: "break", afterMs: 2, code: "ECONNRESET" };

function dataOf(text: string): Step {
  return { kind: "data", afterMs: 1, bytes: Buffer.from(text), says: [], words: 0 };
}

function says(step: Step, what: Saying): boolean {
  return step.kind === "data" && step.says.includes(what);
}

function upTo(steps: readonly Step[], kind: Step["kind"]): readonly Step[] {
  return steps.slice(0, steps.findIndex((step) => step.kind === kind) + 1);
}

function delayFirst(steps: readonly Step[], is: (step: Step) => boolean, byMs: number): readonly Step[] {
  return delayOne(steps, steps.findIndex(is), byMs);
}

function delayOne(steps: readonly Step[], at: number, byMs: number): readonly Step[] {
  return steps.map((step, index) => (index === at ? { ...step, afterMs: step.afterMs + byMs } : step));
}

/** The place of a step with data, at random, before the answer has said that it is finished. */
function placeInAnswer(steps: readonly Step[], random: Random): number {
  const first = steps.findIndex(({ kind }) => kind === "data");
  const finish = steps.findIndex((step) => says(step, "finish") || says(step, "whole"));
  return random.between(first, Math.max(first, finish));
}

/** Of a whole answer a beginning is left. */
function cut(steps: readonly Step[], { random, stream }: Going, rest: readonly Step[]): readonly Step[] {
  const at = placeInAnswer(steps, random);
  const kept = steps.slice(0, at);
  return stream ? [...kept, ...rest] : [...kept, ...halfOf(steps[at]), ...rest];
}

function cutWithin(steps: readonly Step[], { random }: Going): readonly Step[] {
  const at = placeInAnswer(steps, random);
  return [...steps.slice(0, at), ...halfOf(steps[at]), random.chance(0.5) ? end : reset];
}

function halfOf(step: Step | undefined): readonly Step[] {
  if (step?.kind !== "data") return [];
  return [{ ...step, bytes: step.bytes.subarray(0, step.bytes.length >> 1), says: [], words: 0 }];
}

/** Of a whole answer nothing but the flaw is left. */
function insertFlaw(steps: readonly Step[], { stream, random }: Going, event: string): readonly Step[] {
  const at = placeInAnswer(steps, random);
  if (!stream) return [...steps.slice(0, at), dataOf('{"choices": [}'), end];
  const flaw: Step = { kind: "data", afterMs: 1, bytes: Buffer.from(event), says: ["flaw"], words: 0 };
  return [...steps.slice(0, at), flaw, ...steps.slice(at)];
}

function silentAfter(steps: readonly Step[], what: Saying): readonly Step[] {
  const at = steps.findIndex((step) => says(step, what));
  return at === -1 ? steps : steps.slice(0, at + 1);
}

function goOnAfter(steps: readonly Step[]): readonly Step[] {
  const again = steps.find((step) => says(step, "output"));
  if (again?.kind !== "data") return steps;
  const more: Step = { ...again, afterMs: 3, says: [], words: 0 };
  return [...steps.slice(0, -1), more, more, end];
}

function drip(step: DataStep): readonly Step[] {
  const pieces: Step[] = [];
  for (let from = 0; from < step.bytes.length; from += DRIP_BYTES) {
    const bytes = step.bytes.subarray(from, from + DRIP_BYTES);
    const isLast = from + DRIP_BYTES >= step.bytes.length;
    pieces.push({
      kind: "data",
      afterMs: from === 0 ? step.afterMs : 1,
      bytes,
      says: isLast ? step.says : [],
      words: isLast ? step.words : 0,
    });
  }
  return pieces;
}

const BURST = 5;

function burst(steps: readonly Step[]): readonly Step[] {
  const joined: Step[] = [];
  let inBurst = 0;
  for (const step of steps) {
    const last = joined.at(-1);
    if (step.kind === "data" && last?.kind === "data" && inBurst < BURST) {
      inBurst++;
      const { afterMs } = last;
      const bytes = Buffer.concat([last.bytes, step.bytes]);
      joined[joined.length - 1] = {
        kind: "data",
        afterMs: afterMs + step.afterMs,
        bytes,
        says: [...last.says, ...step.says],
        words: last.words + step.words,
      };
    } else {
      inBurst = 1;
      joined.push(step);
    }
  }
  return joined;
}

function keepAlive(steps: readonly Step[], { dialect, stream, random }: Going): readonly Step[] {
  const at = steps.findIndex(({ kind }) => kind === "data");
  if (!stream || at === -1) return steps;
  const signs = Array.from({ length: random.between(3, 40) }, (): Step => {
    return { kind: "data", afterMs: 1_000, bytes: Buffer.from(idleEvent(dialect)), says: [], words: 0 };
  });
  return [...steps.slice(0, at), ...signs, ...steps.slice(at)];
}

function flood(steps: readonly Step[]): readonly Step[] {
  const at = steps.findIndex((step) => says(step, "output"));
  const padding = " ".repeat(FLOOD_EVENT_BYTES);
  const event = dataOf(`data: ${padding}{"id":"f","object":"chat.completion.chunk","choices":[]}\n\n`);
  return [...steps.slice(0, at), ...Array.from({ length: FLOOD_EVENTS }, () => event), ...steps.slice(at)];
}
