/**
 * What the callers of a steady soak ask for, and what they may see: request number i of a seed is always the same. In each
 * block of requests a few belong together, because one repeats the other.
 */
import { Random } from "../../../src/simulator/answer/random.ts";
import type { Leaving, Plan } from "../plan.ts";
import { chatPlan, prose, type Sources, speechOf, withHeader } from "./chat-plan.ts";
import { type FaultyRoute, faultyRoutes, TAG } from "./routes.ts";
import { type Answer, rightAnswersOf } from "./right-answers.ts";

export interface Errand {
  readonly plan: Plan;
  readonly right: readonly Answer[];
  /** Who has to have answered; `null`: whoever can. */
  readonly provider: string | null;
  /** Requests of the same one may cause one execution together; `null`: it stands for itself. */
  readonly idempotencyKey: string | null;
  /** The number of a request that has to be over before; `null`: it goes out at once. */
  readonly after: number | null;
}

const KNUTH = 2_654_435_761;
const BLOCK = 50;
/** Places in a block: the first with its `Idempotency-Key`, then repetitions, which join it or come when it is over. */
const KEYED: readonly number[] = [10, 11, 12, 38];
/** The same key for another request, once there is an answer for it. */
const KEYED_OTHERWISE = 30;
const KEYED_BEFORE = 12;
/** Identical requests of a route that caches, nearly at once. */
const CACHED: readonly number[] = [20, 21, 22];
const QUESTIONS: readonly string[] = [
  "How do I open the gate at the river",
  "When does the water flow back into town",
  "Who counts all the boats below this weir",
];

export function errandAt(sources: Sources, index: number): Errand {
  const place = index % BLOCK;
  const block = Math.floor(index / BLOCK);
  if (KEYED.includes(place) || place === KEYED_OTHERWISE) return keyedErrand(sources, index, block, place);
  const random = randomOf(sources.seed, index);
  if (CACHED.includes(place)) return cachedErrand(sources, index, `block ${block}`);
  const draw = random.next();
  if (draw < 0.05) return cachedErrand(sources, index, `favourite ${random.below(8)}`);
  if (draw < 0.12) return narrowErrand(sources, random, index);
  if (draw < 0.16) return chatErrand(sources, random, index, "down");
  if (draw < 0.2) return chatErrand(sources, random, index, "steadfast");
  if (draw < 0.23) return longErrand(sources, random, index);
  if (draw < 0.28) return vectorsErrand(sources, random, index);
  if (draw < 0.32) return meaningErrand(sources, random, index);
  if (draw < 0.35) return taggedErrand(sources, random, index);
  return faultyErrand(sources, random, index);
}

/** It belongs to no other. */
function alone(plan: Plan, right: readonly Answer[]): Errand {
  return { plan, right, provider: null, idempotencyKey: null, after: null };
}

function randomOf(seed: number, index: number): Random {
  const random = new Random(seed ^ Math.imul(index + 1, KNUTH));
  // Neighbouring seeds give neighbouring first numbers.
  random.next();
  return random;
}

function chatErrand(sources: Sources, random: Random, index: number, alias: string): Errand {
  const options = { stream: random.next() < 0.6, text: prose(random), speech: speechOf(random) };
  return alone(chatPlan(sources, random, index, alias, options), ["complete"]);
}

/** Some callers leave, some are in a hurry, some read slowly, and some are SDKs that try once more. */
function faultyErrand(sources: Sources, random: Random, index: number): Errand {
  const route = random.pick(faultyRoutes);
  const { plan } = chatErrand(sources, random, index, route.alias);
  const usual = { ...plan, kind: `${route.manner} ${plan.stream ? "stream" : "whole"}`, fault: route.struck.fault };
  const right = rightAnswersOf(route, plan.stream);
  const draw = random.next();
  if (draw < 0.12) {
    return alone({ ...usual, leaving: planLeaving(random, plan.stream) }, [...right, "left"]);
  }
  if (draw < 0.16) return hurried(usual, answersOfOneCall(route), 20 + random.below(400));
  if (draw < 0.2) return alone({ ...usual, pauseMs: 1 + random.below(30) }, right);
  if (draw < 0.24) return alone(withHeader(usual, "x-stainless-retry-count", "1"), answersOfOneCall(route));
  return alone(usual, right);
}

/** An SDK's retry may be left with one call once the budget for retries is spent, and so may who has no time for more. */
function answersOfOneCall({ struck: { effect } }: FaultyRoute): readonly Answer[] {
  return effect.kind === "harmless"
    ? ["complete"]
    : ["complete", "broken", 400, 404, 408, 413, 422, 429, 502, 503, 504, 529];
}

function hurried(plan: Plan, right: readonly Answer[], deadlineMs: number): Errand {
  return alone(withHeader(plan, "x-headgate-deadline-ms", String(deadlineMs)), [...right, "broken", 504]);
}

/** Interactive callers and others in one queue, more at times than it takes. */
function narrowErrand(sources: Sources, random: Random, index: number): Errand {
  const errand = chatErrand(sources, random, index, "narrow");
  const { plan } = errand;
  const priority = random.next() < 0.4 ? "batch" : "interactive";
  return { ...errand, plan: withHeader(plan, "x-headgate-priority", priority), right: ["complete", 503] };
}

/** More than the buffers on the way hold, for callers who take their time or leave in the middle. */
function longErrand(sources: Sources, random: Random, index: number): Errand {
  const plan = chatPlan(sources, random, index, "long", {
    stream: true,
    text: prose(random),
    speech: speechOf(random),
  });
  if (random.next() < 0.3) {
    const leaving: Leaving = { when: "stalled", ms: 50 + random.below(200) };
    return alone({ ...plan, leaving }, ["left"]);
  }
  return alone({ ...plan, pauseMs: 5 + random.below(40) }, ["complete"]);
}

function vectorsErrand(sources: Sources, random: Random, index: number): Errand {
  const plan = chatPlan(sources, random, index, "vectors", { stream: false, text: "", speech: "chat" });
  const body = JSON.stringify({ model: "vectors", input: [prose(random), prose(random)], dimensions: 8 });
  return alone({ ...plan, path: "/v1/embeddings", body }, ["complete"]);
}

/** Equal for equal texts, some of them streams, some in Messages; with one key, because projects share nothing. */
function cachedErrand(sources: Sources, index: number, text: string): Errand {
  const random = randomOf(sources.seed, index);
  const [key = null] = sources.keys;
  const speech = /[23]$/.test(text) ? "messages" : "chat";
  const plan = chatPlan(sources, random, index, "cached", { stream: /[12]$/.test(text), text, speech });
  return alone({ ...plan, key }, ["complete"]);
}

/** One of a few questions, with a word more and in other letters; with one key, as above. */
function meaningErrand(sources: Sources, random: Random, index: number): Errand {
  const [key = null] = sources.keys;
  const words = `${random.pick(QUESTIONS)} ${random.pick(["please", "now", "again"])}`;
  const text = random.next() < 0.5 ? words : words.toUpperCase();
  const plan = chatPlan(sources, random, index, "meaning", {
    stream: random.next() < 0.5,
    text,
    speech: speechOf(random),
  });
  return alone({ ...plan, key }, ["complete"]);
}

function taggedErrand(sources: Sources, random: Random, index: number): Errand {
  const errand = chatErrand(sources, random, index, "tagged");
  if (random.next() < 0.3) return errand;
  return { ...errand, plan: withHeader(errand.plan, "x-headgate-require-tags", TAG), provider: "claude" };
}

/** In one of four blocks the first caller leaves, and another caller's request takes its place. */
function keyedErrand(sources: Sources, index: number, block: number, place: number): Errand {
  const random = randomOf(sources.seed, -1 - block);
  const idempotencyKey = `block-${block}`;
  const route = random.pick(faultyRoutes.filter(isAlwaysWhole));
  const options = { stream: random.next() < 0.5, text: prose(random), speech: speechOf(random) };
  const made = chatPlan(sources, random, index, route.alias, options);
  const plan = withHeader({ ...made, kind: "keyed", fault: route.struck.fault }, "idempotency-key", idempotencyKey);
  if (place === KEYED_OTHERWISE) {
    const { body } = chatPlan(sources, random, index, route.alias, { ...options, text: "Something else." });
    return {
      plan: { ...plan, kind: "keyed otherwise", body },
      right: [422],
      provider: null,
      idempotencyKey: null,
      after: index - place + KEYED_BEFORE,
    };
  }
  if (place === KEYED[0] && block % 4 === 0) {
    return alone({ ...plan, leaving: { when: "after", ms: 5 } }, ["complete", "left"]);
  }
  const shared = block % 4 === 0 ? null : idempotencyKey;
  return { plan, right: ["complete"], provider: null, idempotencyKey: shared, after: null };
}

function isAlwaysWhole({ manner, struck: { effect } }: FaultyRoute): boolean {
  return effect.kind !== "refused" && (manner === "complete" || manner === "window");
}

function planLeaving(random: Random, stream: boolean): Leaving {
  const draw = random.next();
  if (draw < 0.05) return { when: "upload" };
  if (draw < 0.1) return { when: "stalled", ms: 20 + random.below(60) };
  if (stream && draw < 0.6) return { when: "chunk", count: 1 + random.below(12) };
  return { when: "after", ms: random.below(60) };
}
