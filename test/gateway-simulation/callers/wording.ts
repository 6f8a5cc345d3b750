/** How what is asked for is said on the wire. */
import type { DialectName } from "../../../src/dialects/dialect.ts";
import type { Ask, CacheWish } from "./ask.ts";

/** Politely asked, it means the same; asked otherwise, it means something else. */
export const phrases = ["plain", "politely", "otherwise"] as const;

const PLENTY = 1_000;

export type Phrase = (typeof phrases)[number];

const paths: Readonly<Partial<Record<DialectName, string>>> = {
  "openai-chat": "/v1/chat/completions",
  "openai-embeddings": "/v1/embeddings",
  "anthropic-messages": "/v1/messages",
};

export function pathOf({ speaks }: Ask): string {
  const path = paths[speaks];
  if (path === undefined) throw new RangeError(`Nobody speaks ${speaks}.`);
  return path;
}

export function bodyOf(ask: Ask): Uint8Array {
  return Buffer.from(JSON.stringify(composeBody(ask)));
}

function composeBody(ask: Ask): object {
  switch (ask.speaks) {
    case "openai-embeddings":
      return embeddingsBody(ask);
    case "anthropic-messages":
      return messagesBody(ask);
    case "openai-chat":
      return chatBody(ask);
  }
}

function textOf({ number, words, repeatable, phrase }: Ask): string {
  return `ask ${number} words ${words}${repeatable ? " repeatable" : ""}${phrase === "plain" ? "" : ` ${phrase}`}`;
}

function embeddingsBody(ask: Ask): object {
  return { model: ask.model, input: textOf(ask) };
}

/** Who speaks it has to say how many words it wants at the most: more than there will be, where it does not care. */
function messagesBody(ask: Ask): object {
  const { model, stream, wordsMax } = ask;
  const messages = [{ role: "user", content: textOf(ask) }];
  return { model, max_tokens: wordsMax ?? PLENTY, messages, ...(stream ? { stream } : {}) };
}

function chatBody(ask: Ask): object {
  const { model, stream, wantsUsage, wordsMax } = ask;
  return {
    model,
    messages: [{ role: "user", content: textOf(ask) }],
    ...(stream ? { stream } : {}),
    ...(stream && wantsUsage ? { stream_options: { include_usage: true } } : {}),
    ...(wordsMax === null ? {} : { max_tokens: wordsMax }),
  };
}

export function headersOf(ask: Ask): Readonly<Record<string, string>> {
  const { key, deadline, clamps, batch, retryCount, idempotencyKey, tags, cacheWish } = ask;
  return {
    authorization: `Bearer ${key}`,
    ...(deadline?.header === "own" ? { "x-headgate-deadline-ms": String(deadline.ms) } : {}),
    ...(deadline?.header === "sdk" ? { "x-stainless-timeout": String(deadline.ms / 1_000) } : {}),
    ...(clamps ? { "x-headgate-clamp": "output" } : {}),
    ...(batch ? { "x-headgate-priority": "batch" } : {}),
    ...(tags.length > 0 ? { "x-headgate-require-tags": tags.join(",") } : {}),
    ...(cacheWish === null ? {} : { [cacheWish.header]: directiveOf(cacheWish) }),
    ...(idempotencyKey === null ? {} : { "idempotency-key": idempotencyKey }),
    "x-stainless-retry-count": String(retryCount),
  };
}

function directiveOf({ header, mode, maxAgeS }: CacheWish): string {
  if (header === "x-headgate-cache") return mode;
  if (maxAgeS !== null) return `max-age=${maxAgeS}`;
  return mode === "refresh" ? "no-cache" : mode === "bypass" ? "no-store" : "max-stale";
}
