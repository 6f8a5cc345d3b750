/**
 * The events of a Messages stream: `message_start`, then blocks with a contiguous index (start, deltas, stop), a `ping`
 * early on, `message_delta` with the stop reason and cumulative usage, `message_stop`.
 */
import type { Answer, Step } from "../answer/answer.ts";
import type { AnswerIds } from "../ids.ts";
import type { Tokens } from "../prices.ts";
import { inputUsage, outputUsage, stopReason } from "./anthropic-shape.ts";
import { signThinking } from "./signature.ts";
import type { Marks, StreamEncoder } from "./wire.ts";

/** What the first event says of output: a provisional figure that the last event replaces. */
const PROVISIONAL_OUTPUT_TOKENS = 1;

export function createMessageStreamEncoder(
  marks: Marks,
  answer: Answer,
  tokens: Tokens | null,
  ids: AnswerIds,
  seed: number,
): StreamEncoder {
  return new MessageStreamEncoder(marks, answer, tokens, ids, seed);
}

class MessageStreamEncoder implements StreamEncoder {
  readonly #marks: Marks;
  readonly #answer: Answer;
  readonly #tokens: Tokens | null;
  readonly #ids: AnswerIds;
  readonly #seed: number;
  /** Index of the open block, or of the last one; -1 before the first. */
  #block = -1;
  #open: "thinking" | "text" | "tool_use" | null = null;
  #thought = "";

  constructor(marks: Marks, answer: Answer, tokens: Tokens | null, ids: AnswerIds, seed: number) {
    this.#marks = marks;
    this.#answer = answer;
    this.#tokens = tokens;
    this.#ids = ids;
    this.#seed = seed;
  }

  open(): string {
    const usage = this.#tokens
      ? { usage: { ...inputUsage(this.#tokens), output_tokens: PROVISIONAL_OUTPUT_TOKENS, service_tier: "standard" } }
      : {};
    const message = {
      model: this.#marks.model,
      id: this.#marks.id,
      type: "message",
      role: "assistant",
      content: [],
      stop_reason: null,
      stop_sequence: null,
      ...usage,
    };
    return event("message_start", JSON.stringify({ type: "message_start", message }));
  }

  step(step: Step): string {
    switch (step.kind) {
      case "reasoning":
        this.#thought += step.text;
        return (
          this.#ensure("thinking", `{"type":"thinking","thinking":"","signature":""}`) +
          this.#delta(`{"type":"thinking_delta","thinking":"${step.escaped}"}`)
        );
      case "text":
        return (
          this.#ensure("text", `{"type":"text","text":""}`) +
          this.#delta(`{"type":"text_delta","text":"${step.escaped}"}`)
        );
      case "call": {
        const closed = this.#stopBlock();
        const id = this.#ids.callIdOf(this.#marks.number, "messages", step.call);
        return (
          closed +
          this.#startBlock("tool_use", `{"type":"tool_use","id":"${id}","name":"${step.escaped}","input":{}}`) +
          this.#delta(`{"type":"input_json_delta","partial_json":""}`)
        );
      }
      case "input":
        return this.#delta(`{"type":"input_json_delta","partial_json":"${step.escaped}"}`);
    }
  }

  finish(): string {
    const finish = this.#answer.choices[0]?.finish ?? "stop";
    const { cache_creation: _, ...input } = this.#tokens ? inputUsage(this.#tokens) : {};
    const usage = this.#tokens ? { usage: { ...input, ...outputUsage(this.#tokens) } } : {};
    const data = { type: "message_delta", delta: { stop_reason: stopReason(finish), stop_sequence: null }, ...usage };
    return this.#stopBlock() + event("message_delta", JSON.stringify(data));
  }

  usage(): string {
    return "";
  }

  close(): string {
    return event("message_stop", `{"type":"message_stop"}`);
  }

  error(): string {
    return event("error", `{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}`);
  }

  idle(): string {
    return event("ping", `{"type": "ping"}`);
  }

  #ensure(kind: "thinking" | "text", block: string): string {
    return this.#open === kind ? "" : this.#stopBlock() + this.#startBlock(kind, block);
  }

  #startBlock(kind: "thinking" | "text" | "tool_use", block: string): string {
    this.#open = kind;
    this.#block++;
    const start = event(
      "content_block_start",
      `{"type":"content_block_start","index":${this.#block},"content_block":${block}}`,
    );
    return this.#block === 0 ? start + this.idle() : start;
  }

  #stopBlock(): string {
    if (this.#open === null) return "";
    const signature =
      this.#open === "thinking"
        ? this.#delta(`{"type":"signature_delta","signature":"${signThinking(this.#thought, this.#seed)}"}`)
        : "";
    this.#open = null;
    return signature + event("content_block_stop", `{"type":"content_block_stop","index":${this.#block}}`);
  }

  #delta(delta: string): string {
    return event("content_block_delta", `{"type":"content_block_delta","index":${this.#block},"delta":${delta}}`);
  }
}

function event(name: string, data: string): string {
  return `event: ${name}\ndata: ${data}\n\n`;
}
