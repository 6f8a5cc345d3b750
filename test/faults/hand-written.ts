/** Answers that a test writes by hand, in what a provider speaks. */
import type { ServerResponse } from "node:http";
import type { Upstream } from "./table.ts";

interface Writing {
  /** Up to its first output. */
  readonly beginning: readonly object[];
  /** That it has finished, and perhaps what was used: 3 tokens and 1. */
  finished(usage: boolean): readonly object[];
  /** The same as a whole answer. */
  readonly whole: object;
}

const chunk = (delta: object, rest: object = {}): object => ({
  id: "a",
  model: "m",
  choices: [{ index: 0, delta, finish_reason: null, ...rest }],
});

const chatUsage = { prompt_tokens: 3, completion_tokens: 1, total_tokens: 4 };
const messagesUsage = { input_tokens: 3, output_tokens: 1 };

const writings: Readonly<Record<Upstream, Writing>> = {
  "openai-chat": {
    beginning: [chunk({ content: "Hi" })],
    finished: (usage) => [
      {
        ...chunk({}, { finish_reason: "stop" }),
        usage: usage ? chatUsage : null,
      },
    ],
    whole: {
      id: "a",
      object: "chat.completion",
      model: "m",
      choices: [{ index: 0, message: { role: "assistant", content: "Hi" }, finish_reason: "stop" }],
      usage: chatUsage,
    },
  },
  "anthropic-messages": {
    beginning: [
      { type: "message_start", message: { id: "a", type: "message", role: "assistant", model: "m", content: [] } },
      { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } },
      { type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "Hi" } },
    ],
    finished: (usage) => [
      { type: "content_block_stop", index: 0 },
      {
        type: "message_delta",
        delta: { stop_reason: "end_turn", stop_sequence: null },
        ...(usage ? { usage: messagesUsage } : {}),
      },
    ],
    whole: {
      id: "a",
      type: "message",
      role: "assistant",
      model: "m",
      content: [{ type: "text", text: "Hi" }],
      stop_reason: "end_turn",
      stop_sequence: null,
      usage: messagesUsage,
    },
  },
};

/** Begins a stream and leaves it open. */
export function beginStream(response: ServerResponse, upstream: Upstream): void {
  response.writeHead(200, { "content-type": "text/event-stream" });
  write(response, upstream, writings[upstream].beginning);
}

/** Says that it has finished, without a terminal marker. */
export function finishStream(response: ServerResponse, upstream: Upstream, usage: boolean): void {
  write(response, upstream, writings[upstream].finished(usage));
}

/** Sends the head of a whole answer, which is still to come. */
export function beginWhole(response: ServerResponse): void {
  response.writeHead(200, { "content-type": "application/json" });
  response.flushHeaders();
}

/** So many pieces that are the whole answer together. */
export function wholeInPieces(upstream: Upstream, count: number): readonly string[] {
  const text = JSON.stringify(writings[upstream].whole);
  const size = Math.ceil(text.length / count);
  return Array.from({ length: count }, (_, at) => text.slice(at * size, (at + 1) * size));
}

function write(response: ServerResponse, upstream: Upstream, events: readonly object[]): void {
  for (const event of events) {
    const name = upstream === "openai-chat" ? "" : `event: ${(event as { readonly type: string }).type}\n`;
    response.write(`${name}data: ${JSON.stringify(event)}\n\n`);
  }
}
