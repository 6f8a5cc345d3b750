/** What a caller asks for, and how it behaves until it has its answer. */
import type { DialectName } from "../../../src/dialects/dialect.ts";
import type { Random } from "../../simulation/world/random.ts";
import type { Reading } from "./inbox.ts";
import { phrases, type Phrase } from "./wording.ts";

export interface Ask {
  readonly number: number;
  /** How often it was asked before. */
  readonly retryCount: number;
  readonly key: string;
  readonly speaks: DialectName;
  readonly model: string;
  readonly stream: boolean;
  readonly wantsUsage: boolean;
  /** That a provider would answer with; and the most that the caller wants, if it says so. */
  readonly words: number;
  readonly wordsMax: number | null;
  /** Every provider answers it with the same text. */
  readonly repeatable: boolean;
  /** In which words it is asked. */
  readonly phrase: Phrase;
  /** `x-headgate-deadline-ms`, or `x-stainless-timeout` in whole seconds. */
  readonly deadline: { readonly header: "own" | "sdk"; readonly ms: number } | null;
  readonly clamps: boolean;
  readonly batch: boolean;
  /** That a target must have. */
  readonly tags: readonly string[];
  readonly cacheWish: CacheWish | null;
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

/** Whether a kept answer will do; said in `x-headgate-cache`, or as HTTP has it. */
export interface CacheWish {
  readonly mode: "use" | "refresh" | "bypass";
  readonly header: "x-headgate-cache" | "cache-control";
  /** Only of `cache-control`, in seconds. */
  readonly maxAgeS: number | null;
}

export interface AskSources {
  readonly keys: readonly string[];
  /** For chats, and for embeddings. */
  readonly models: readonly string[];
  readonly embeddingModels: readonly string[];
  readonly tags: readonly string[];
  /** How long a long answer takes. */
  readonly spanMs: number;
}

const NOT_A_KEY = "no-such-key";
const NOT_A_MODEL = "nowhere/none";
/** Most callers speak the first. */
const dialects: readonly DialectName[] = [
  ...Array.from({ length: 6 }, (): DialectName => "openai-chat"),
  ...Array.from({ length: 3 }, (): DialectName => "anthropic-messages"),
  "openai-embeddings",
];
/** A key that is used for different requests. */
const WORN_KEY = "once-more";

export function drawAsk(random: Random, number: number, sources: AskSources): Ask {
  const { keys, spanMs } = sources;
  const speaks = random.pick(dialects);
  const isChat = speaks !== "openai-embeddings";
  const idempotencyKey = drawKey(random, number);
  return {
    number,
    retryCount: 0,
    key: random.chance(0.01) ? NOT_A_KEY : random.pick(keys),
    speaks,
    model: random.chance(0.01) ? NOT_A_MODEL : random.pick(isChat ? sources.models : sources.embeddingModels),
    stream: isChat && random.chance(0.65),
    wantsUsage: random.chance(0.3),
    words: random.skewed(1, 160),
    wordsMax: random.chance(0.3) ? random.between(1, 200) : null,
    repeatable: random.chance(0.3),
    phrase: "plain",
    deadline: random.chance(0.3) ? drawDeadline(random, spanMs) : null,
    clamps: random.chance(0.1),
    batch: random.chance(0.2),
    tags: random.chance(0.1) ? [random.pick(sources.tags)] : [],
    cacheWish: random.chance(0.25) ? drawCacheWish(random) : null,
    bodyAfterMs: random.chance(0.02) ? Infinity : random.chance(0.8) ? 0 : random.skewed(1, 4_000),
    reading: drawReading(random),
    leavesAfterMs: random.chance(0.2) ? random.skewed(1, spanMs) : null,
    retriesMax: random.chance(0.4) ? 2 : 0,
    idempotencyKey,
    twinsAfterMs: Array.from(
      { length: random.chance(idempotencyKey === null ? 0.25 : 0.5) ? random.between(1, 4) : 0 },
      () =>
        // While it is under way, or once it is answered.
        random.chance(0.5) ? random.skewed(1, spanMs) : random.unit() * spanMs,
    ),
  };
}

/** The same request again, perhaps of somebody else and in other words, who behaves otherwise. */
export function twinOf(ask: Ask, random: Random, { keys, spanMs }: AskSources): Ask {
  // Under the same key it would be another request.
  const isFree = ask.idempotencyKey === null;
  return {
    ...ask,
    key: random.chance(0.3) ? random.pick(keys) : ask.key,
    phrase: isFree && random.chance(0.5) ? random.pick(phrases) : ask.phrase,
    stream: isFree && ask.speaks !== "openai-embeddings" && random.chance(0.3) ? !ask.stream : ask.stream,
    deadline: random.chance(0.3) ? drawDeadline(random, spanMs) : null,
    cacheWish: random.chance(0.2) ? drawCacheWish(random) : ask.cacheWish,
    reading: drawReading(random),
    leavesAfterMs: random.chance(0.2) ? random.skewed(1, spanMs) : null,
    twinsAfterMs: [],
  };
}

function drawKey(random: Random, number: number): string | null {
  if (random.chance(0.02)) return WORN_KEY;
  return random.chance(0.25) ? `once-${number}` : null;
}

function drawCacheWish(random: Random): CacheWish {
  const mode = random.pick(["use", "use", "refresh", "bypass"] as const);
  const header = random.pick(["x-headgate-cache", "x-headgate-cache", "cache-control"] as const);
  const hasAge = header === "cache-control" && mode === "use";
  return { mode, header, maxAgeS: hasAge ? random.between(0, 3) : null };
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
