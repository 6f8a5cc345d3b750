/**
 * What simulated providers say on the wire, in both upstream dialects: whole answers, the events of streams, refusals.
 * Shapes are those of OpenAI's chat completions and Anthropic's Messages, as in `src/simulator/wire`.
 */
import type { Tokens } from "../../../src/simulator/prices.ts";

export type WireDialect = "openai" | "anthropic";

/** An answer as its provider means it. */
export interface Answer {
  readonly dialect: WireDialect;
  readonly id: string;
  readonly model: string;
  /** The beginning of the text, where the request gave it; it is not said again. */
  readonly given: string;
  /** Pieces of the text after it, one for each token. */
  readonly words: readonly string[];
  /** What the text means, where that is what was asked for: then there are no words, and no reason for the end. */
  readonly vector: readonly number[] | null;
  readonly finish: "stop" | "length" | null;
  readonly tokens: Tokens;
  /** Whether the answer says what it used. */
  readonly reportsUsage: boolean;
}

/** One event of a stream. */
export interface WireEvent {
  readonly text: string;
  /** `aside`: nothing that a caller waits for. */
  readonly says: "aside" | "output" | "finish" | "usage" | "marker";
}

/** All of its text; of a vector its numbers. */
export function textOf({ given, words, vector }: Answer): string {
  return vector === null ? given + words.join("") : JSON.stringify(vector);
}

export function wholeAnswer(answer: Answer): string {
  const { id, model, words, finish } = answer;
  if (answer.vector !== null) return embeddings(answer.vector, answer);
  const text = words.join("");
  if (answer.dialect === "openai") {
    const message = { role: "assistant", content: text, refusal: null };
    const choices = [{ index: 0, message, logprobs: null, finish_reason: finish }];
    const usage = answer.reportsUsage ? { usage: chatUsage(answer.tokens) } : {};
    return JSON.stringify({ id, object: "chat.completion", created: 1, model, choices, ...usage });
  }
  const usage = answer.reportsUsage ? { usage: messageUsage(answer.tokens) } : {};
  const content = [{ type: "text", text }];
  const stop = { stop_reason: stopReason(finish), stop_sequence: null };
  return JSON.stringify({ id, type: "message", role: "assistant", model, content, ...stop, ...usage });
}

function embeddings(embedding: readonly number[], { model, tokens: { input }, reportsUsage }: Answer): string {
  const usage = reportsUsage ? { usage: { prompt_tokens: input, total_tokens: input } } : {};
  return JSON.stringify({ object: "list", data: [{ object: "embedding", index: 0, embedding }], model, ...usage });
}

export function streamEvents(answer: Answer): readonly WireEvent[] {
  return answer.dialect === "openai" ? chatEvents(answer) : messageEvents(answer);
}

/** An error in the middle of a stream. */
export function errorEvent(dialect: WireDialect): string {
  if (dialect === "anthropic") return event("error", { type: "error", error: overloaded });
  return `data: ${JSON.stringify({ error: { message: "It broke.", type: "server_error", code: null } })}\n\n`;
}

/** An event that is no output, such as providers send while they think. */
export function idleEvent(dialect: WireDialect): string {
  return dialect === "anthropic" ? event("ping", { type: "ping" }) : ": keep-alive\n\n";
}

export function refusalBody(dialect: WireDialect, status: number): string {
  const message = `Status ${status}.`;
  if (dialect === "openai") return JSON.stringify({ error: { message, type: "refusal", param: null, code: null } });
  const type = status === 529 ? "overloaded_error" : "api_error";
  return JSON.stringify({ type: "error", error: { type, message } });
}

const overloaded = { type: "overloaded_error", message: "Overloaded" };

function chatEvents({ id, model, words, finish, tokens, reportsUsage }: Answer): readonly WireEvent[] {
  const chunk = (choices: readonly object[], more: object = {}): string =>
    `data: ${JSON.stringify({ id, object: "chat.completion.chunk", created: 1, model, choices, ...more })}\n\n`;
  const choice = (delta: object, reason: string | null): string =>
    chunk([{ index: 0, delta, logprobs: null, finish_reason: reason }]);
  const events: WireEvent[] = [{ text: choice({ role: "assistant", content: "" }, null), says: "aside" }];
  for (const word of words) events.push({ text: choice({ content: word }, null), says: "output" });
  events.push({ text: choice({}, finish), says: "finish" });
  if (reportsUsage) events.push({ text: chunk([], { usage: chatUsage(tokens) }), says: "usage" });
  events.push({ text: "data: [DONE]\n\n", says: "marker" });
  return events;
}

function messageEvents({ id, model, words, finish, tokens, reportsUsage }: Answer): readonly WireEvent[] {
  const { output_tokens: _, ...input } = messageUsage(tokens);
  const begun = reportsUsage ? { usage: { ...input, output_tokens: 1 } } : {};
  const message = { id, type: "message", role: "assistant", model, content: [], stop_reason: null, ...begun };
  const block = { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } };
  const events: WireEvent[] = [
    { text: event("message_start", { type: "message_start", message }), says: "aside" },
    { text: event("content_block_start", block), says: "aside" },
  ];
  for (const text of words) {
    const delta = { type: "content_block_delta", index: 0, delta: { type: "text_delta", text } };
    events.push({ text: event("content_block_delta", delta), says: "output" });
  }
  const usage = reportsUsage ? { usage: messageUsage(tokens) } : {};
  const delta = { stop_reason: stopReason(finish), stop_sequence: null };
  events.push(
    { text: event("content_block_stop", { type: "content_block_stop", index: 0 }), says: "aside" },
    { text: event("message_delta", { type: "message_delta", delta, ...usage }), says: "finish" },
    { text: event("message_stop", { type: "message_stop" }), says: "marker" },
  );
  return events;
}

function chatUsage({ input, cacheRead, output, reasoning }: Tokens): object {
  const prompt = input + cacheRead;
  const completion = output + reasoning;
  return {
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
    prompt_tokens_details: { cached_tokens: cacheRead },
    completion_tokens_details: { reasoning_tokens: reasoning },
  };
}

function messageUsage({ input, cacheRead, output, reasoning }: Tokens): Readonly<Record<string, unknown>> {
  return {
    input_tokens: input,
    cache_read_input_tokens: cacheRead,
    output_tokens: output + reasoning,
    output_tokens_details: { thinking_tokens: reasoning },
  };
}

function stopReason(finish: Answer["finish"]): string {
  return finish === "length" ? "max_tokens" : "end_turn";
}

function event(name: string, data: object): string {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}
