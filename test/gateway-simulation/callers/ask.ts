/** What a caller asks for, and how it behaves until it has its answer. */
import type { Random } from "../../simulation/world/random.ts";
import type { Reading } from "./inbox.ts";

export interface Ask {
  readonly number: number;
  /** How often it was asked before. */
  readonly retryCount: number;
  readonly key: string;
  readonly model: string;
  readonly stream: boolean;
  readonly wantsUsage: boolean;
  /** That a provider would answer with; and the most that the caller wants, if it says so. */
  readonly words: number;
  readonly wordsMax: number | null;
  /** Every provider answers it with the same text. */
  readonly repeatable: boolean;
  /** `x-headgate-deadline-ms`, or `x-stainless-timeout` in whole seconds. */
  readonly deadline: { readonly header: "own" | "sdk"; readonly ms: number } | null;
  readonly clamps: boolean;
  readonly batch: boolean;
  readonly bodyAfterMs: number;
  readonly reading: Reading;
  /** Since the head of the request; `null`: stays to the end. */
  readonly leavesAfterMs: number | null;
  /** As an SDK retries. */
  readonly retriesMax: number;
  /** `Idempotency-Key`; the same for whoever asks the same again. */
  readonly idempotencyKey: string | null;
  /** Others who ask the same, so long after it, in milliseconds. */
  readonly twinsAfterMs: readonly number[];
}

export interface AskSources {
  readonly keys: readonly string[];
  readonly models: readonly string[];
  /** How long a long answer takes. */
  readonly spanMs: number;
}

const NOT_A_KEY = "no-such-key";
const NOT_A_MODEL = "nowhere/none";

export function drawAsk(random: Random, number: number, { keys, models, spanMs }: AskSources): Ask {
  const words = random.skewed(1, 160);
  return {
    number,
    retryCount: 0,
    key: random.chance(0.01) ? NOT_A_KEY : random.pick(keys),
    model: random.chance(0.01) ? NOT_A_MODEL : random.pick(models),
    stream: random.chance(0.65),
    wantsUsage: random.chance(0.3),
    words,
    wordsMax: random.chance(0.3) ? random.between(1, 200) : null,
    repeatable: random.chance(0.3),
    deadline: random.chance(0.3) ? drawDeadline(random, spanMs) : null,
    clamps: random.chance(0.1),
    batch: random.chance(0.2),
    bodyAfterMs: random.chance(0.02) ? Infinity : random.chance(0.8) ? 0 : random.skewed(1, 4_000),
    reading: drawReading(random),
    leavesAfterMs: random.chance(0.2) ? random.skewed(1, spanMs) : null,
    retriesMax: random.chance(0.4) ? 2 : 0,
    idempotencyKey: random.chance(0.25) ? `once-${number}` : null,
    twinsAfterMs: Array.from({ length: random.chance(0.25) ? random.between(1, 4) : 0 }, () =>
      random.skewed(1, spanMs),
    ),
  };
}

/** The same request of somebody else, who behaves otherwise. */
export function twinOf(ask: Ask, random: Random, spanMs: number): Ask {
  return {
    ...ask,
    deadline: random.chance(0.3) ? drawDeadline(random, spanMs) : null,
    reading: drawReading(random),
    leavesAfterMs: random.chance(0.2) ? random.skewed(1, spanMs) : null,
    twinsAfterMs: [],
  };
}

export function bodyOf({ number, model, stream, wantsUsage, words, wordsMax, repeatable }: Ask): Uint8Array {
  const content = `ask ${number} words ${words}${repeatable ? " repeatable" : ""}`;
  return Buffer.from(
    JSON.stringify({
      model,
      messages: [{ role: "user", content }],
      ...(stream ? { stream } : {}),
      ...(stream && wantsUsage ? { stream_options: { include_usage: true } } : {}),
      ...(wordsMax === null ? {} : { max_tokens: wordsMax }),
    }),
  );
}

export function headersOf({
  key,
  deadline,
  clamps,
  batch,
  retryCount,
  idempotencyKey,
}: Ask): Readonly<Record<string, string>> {
  return {
    authorization: `Bearer ${key}`,
    ...(deadline?.header === "own" ? { "x-headgate-deadline-ms": String(deadline.ms) } : {}),
    ...(deadline?.header === "sdk" ? { "x-stainless-timeout": String(deadline.ms / 1_000) } : {}),
    ...(clamps ? { "x-headgate-clamp": "output" } : {}),
    ...(batch ? { "x-headgate-priority": "batch" } : {}),
    ...(idempotencyKey === null ? {} : { "idempotency-key": idempotencyKey }),
    "x-stainless-retry-count": String(retryCount),
  };
}

function drawDeadline(random: Random, spanMs: number): Ask["deadline"] {
  if (random.chance(0.5)) return { header: "own", ms: random.skewed(20, spanMs * 2) };
  return { header: "sdk", ms: random.skewed(1, 30) * 1_000 };
}

function drawReading(random: Random): Reading {
  if (random.chance(0.8)) return { kind: "at once" };
  const everyMs = random.chance(0.3) ? Infinity : random.skewed(1, 500);
  return { kind: "slowly", bytes: random.skewed(50, 5_000), everyMs };
}
