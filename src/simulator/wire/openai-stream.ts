/** The chunks of a chat completion stream: role first, one finish reason a choice, usage with empty `choices`, `[DONE]`. */
import type { Answer, Step } from "../answer/answer.ts";
import type { AnswerIds } from "../ids.ts";
import type { Tokens } from "../prices.ts";
import { callNumber, encodeChatUsage, systemFingerprint } from "./openai-shape.ts";
import type { Marks, Reading, StreamEncoder } from "./wire.ts";

const PADDING = "x3Kq9ZbT1mWvYc7L";

export function createChatStreamEncoder(
  marks: Marks,
  answer: Answer,
  tokens: Tokens | null,
  reading: Reading,
  ids: AnswerIds,
): StreamEncoder {
  return new ChatStreamEncoder(marks, answer, reading.streamUsage ? tokens : null, reading, ids);
}

class ChatStreamEncoder implements StreamEncoder {
  readonly #marks: Marks;
  readonly #answer: Answer;
  readonly #tokens: Tokens | null;
  readonly #ids: AnswerIds;
  readonly #showReasoning: boolean;
  readonly #padding: boolean;
  readonly #head: string;
  readonly #tail: string;

  constructor(marks: Marks, answer: Answer, tokens: Tokens | null, reading: Reading, ids: AnswerIds) {
    this.#marks = marks;
    this.#answer = answer;
    this.#tokens = tokens;
    this.#ids = ids;
    this.#showReasoning = reading.showReasoning;
    this.#padding = reading.padding;
    this.#head =
      `data: {"id":"${marks.id}","object":"chat.completion.chunk","created":${marks.created},"model":"${marks.model}",` +
      `"service_tier":"default","system_fingerprint":"${systemFingerprint}","choices":[`;
    // With usage asked for, every chunk before the usage chunk says that it has none.
    this.#tail = reading.streamUsage ? `],"usage":null` : "]";
  }

  open(): string {
    let events = "";
    for (let index = 0; index < this.#answer.choices.length; index++) {
      const content = this.#answer.choices[index]?.calls.length ? "null" : `""`;
      events += this.#chunk(index, `{"role":"assistant","content":${content},"refusal":null}`, "null");
    }
    return events;
  }

  step(step: Step): string {
    switch (step.kind) {
      case "text":
        return this.#chunk(step.choice, `{"content":"${step.escaped}"}`, "null");
      case "reasoning":
        return this.#showReasoning ? this.#chunk(step.choice, `{"reasoning_content":"${step.escaped}"}`, "null") : "";
      case "call": {
        const id = this.#ids.callIdOf(this.#marks.number, "chat", callNumber(step.choice, step.call));
        const start = `{"index":${step.call},"id":"${id}","type":"function","function":{"name":"${step.escaped}","arguments":""}}`;
        return this.#chunk(step.choice, `{"tool_calls":[${start}]}`, "null");
      }
      case "input":
        return this.#chunk(
          step.choice,
          `{"tool_calls":[{"index":${step.call},"function":{"arguments":"${step.escaped}"}}]}`,
          "null",
        );
    }
  }

  finish(): string {
    let events = "";
    this.#answer.choices.forEach((choice, index) => (events += this.#chunk(index, "{}", `"${choice.finish}"`)));
    return events;
  }

  usage(): string {
    if (!this.#tokens) return "";
    return `${this.#head}],"usage":${encodeChatUsage(this.#tokens)}${this.#pad(2)}}\n\n`;
  }

  close(): string {
    return "data: [DONE]\n\n";
  }

  error(): string {
    return `data: {"error":{"message":"The server had an error while processing your request. Sorry about that!","type":"server_error","param":null,"code":null}}\n\n`;
  }

  idle(): string {
    return ": keep-alive\n\n";
  }

  #chunk(choice: number, delta: string, finish: string): string {
    return `${this.#head}{"index":${choice},"delta":${delta},"logprobs":null,"finish_reason":${finish}}${this.#tail}${this.#pad(delta.length)}}\n\n`;
  }

  #pad(length: number): string {
    return this.#padding ? `,"obfuscation":"${PADDING.slice(length % PADDING.length)}"` : "";
  }
}
