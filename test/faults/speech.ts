/**
 * What callers speak: where each dialect is asked, and what its answers, errors and terminal markers look like on the
 * wire. Requests are so plain that both say them in the same words.
 */
import { eventData, type Reply } from "../support/simulator-client.ts";

export type Caller = "openai-chat" | "anthropic-messages";

export const callers: readonly Caller[] = ["openai-chat", "anthropic-messages"];

interface WireError {
  readonly code?: string;
  readonly request_id?: string;
}

export interface Speech {
  readonly path: string;
  /** The terminal marker of a stream, with the blank line after it. */
  readonly terminal: string;
  /** What the first output of a stream brings. */
  readonly begun: string;
  /** Of an error's body, or of an event's; `undefined` where it is none. */
  errorOf(json: unknown): WireError | undefined;
  wholeText(json: unknown): string;
  /** Of one event of a stream. */
  textOf(json: unknown): string;
}

interface ChatJson {
  readonly error?: WireError;
  readonly choices: readonly { readonly message: { content: string }; readonly delta: { content?: string } }[];
}

interface MessagesJson {
  readonly type: string;
  readonly error?: WireError;
  readonly request_id?: string;
  readonly content: readonly { readonly text: string }[];
  readonly delta?: { readonly text?: string };
}

export const speeches: Readonly<Record<Caller, Speech>> = {
  "openai-chat": {
    path: "/v1/chat/completions",
    terminal: "data: [DONE]\n\n",
    begun: '"content":"',
    errorOf: (json) => (json as ChatJson).error,
    wholeText: (json) => (json as ChatJson).choices[0]?.message.content ?? "",
    textOf: (json) => (json as ChatJson).choices[0]?.delta.content ?? "",
  },
  "anthropic-messages": {
    path: "/v1/messages",
    terminal: 'event: message_stop\ndata: {"type":"message_stop"}\n\n',
    begun: '"text_delta"',
    errorOf(json) {
      const { type, error, request_id } = json as MessagesJson;
      return type === "error" && error !== undefined ? { request_id: request_id ?? "", ...error } : undefined;
    },
    wholeText: (json) => (json as MessagesJson).content.map(({ text }) => text).join(""),
    textOf: (json) => (json as MessagesJson).delta?.text ?? "",
  },
};

/** The events of a stream as JSON, markers that are none left out. */
export function eventsOf(text: string): readonly unknown[] {
  const data = eventData(text.replace(/^\ufeff/, "")).filter((line) => line !== "[DONE]");
  return data.map((line) => JSON.parse(line));
}

/** How many terminal markers a body has, whatever ends its lines. */
export function terminalsIn(text: string, caller: Caller): number {
  const [first = ""] = speeches[caller].terminal.split("\n");
  return text.split(/\r?\n/).filter((line) => line === first).length;
}

/** The text of an answer, whole or streamed. */
export function answerText({ text }: Reply, stream: boolean, caller: Caller = "openai-chat"): string {
  const { wholeText, textOf } = speeches[caller];
  return stream ? eventsOf(text).map(textOf).join("") : wholeText(JSON.parse(text.replace(/^\ufeff/, "")));
}
