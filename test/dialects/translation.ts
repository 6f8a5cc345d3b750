/** Runs a caller's bytes through both dialects, as an exchange does, without a network. */
import assert from "node:assert/strict";
import type { ChatCompletion, ChatCompletionChunk, CompletionUsage } from "openai/resources";
import { anthropicMessages } from "../../src/dialects/anthropic-messages/anthropic-messages.ts";
import type { RequestView } from "../../src/dialects/dialect.ts";
import { openaiChat } from "../../src/dialects/openai-chat/openai-chat.ts";
import { SseParser, type SseEvent } from "../../src/dialects/sse.ts";
import { parseJsonDocument } from "../../src/kernel/json-document.ts";

const inbound = openaiChat.inbound!;
const outbound = anthropicMessages.outbound!;
const CREATED_MS = Date.UTC(2026, 10, 21);

export interface TranslatedRequest {
  readonly view: RequestView;
  readonly body: Record<string, unknown>;
  /** The body as it is on the wire. */
  readonly text: string;
  readonly losses: readonly string[];
}

/** `request`: an object, or the JSON text of one. */
export function translateRequest(request: unknown, model = "claude-opus-4-8"): TranslatedRequest {
  const wire = typeof request === "string" ? request : JSON.stringify(request);
  const view = inbound.view(parseJsonDocument(Buffer.from(wire), { depth: 64 }));
  const target = { model, maxOutputTokens: 64_000, quirks: {} };
  const encoded = outbound.translation!.encodeRequest(inbound.translation!.decodeRequest(view), target);
  const text = Buffer.from(encoded.body).toString("utf8");
  return { view, body: JSON.parse(text), text, losses: encoded.losses };
}

/** OpenAI's shape, with the extensions that carry reasoning. */
interface Reasoned {
  readonly reasoning_content?: string;
  readonly reasoning_details?: readonly unknown[];
}

export interface Answer extends Omit<ChatCompletion, "choices"> {
  readonly choices: (ChatCompletion.Choice & { readonly message: Reasoned })[];
}

type Delta = ChatCompletionChunk.Choice.Delta & Reasoned;

export function translateAnswer(answer: unknown, view: RequestView): Answer {
  const canonical = outbound.translation!.decodeResponse(answer, {});
  const bytes = inbound.translation!.encodeResponse(canonical, view, CREATED_MS);
  return JSON.parse(Buffer.from(bytes).toString("utf8")) as Answer;
}

/** The caller's stream, and how it ended: `end` is the provider's terminal marker. */
export interface TranslatedStream {
  readonly bytes: string;
  readonly last: string;
}

/** `chunkBytes`: how the provider's bytes are cut on the way. */
export function translateStream(
  wire: Uint8Array,
  view: RequestView,
  chunkBytes: number = wire.length,
): TranslatedStream {
  const reader = outbound.createStreamReader({}, view.choices);
  const decoder = outbound.translation!.createStreamDecoder({});
  const encoder = inbound.translation!.createStreamEncoder(view, CREATED_MS);
  const parser = new SseParser({ eventBytes: 1 << 20 });
  let bytes = "";
  let last = "";
  const sink = (event: SseEvent): void => {
    last = reader.read(event);
    if (last === "end") bytes += encoder.end();
    else if (last === "error")
      bytes += Buffer.from(inbound.encodeStreamError(reader.failure!, "req_1")).toString("utf8");
    else for (const said of decoder.decode(reader.json)) bytes += encoder.encode(said);
  };
  for (let start = 0; start < wire.length; start += chunkBytes)
    parser.push(wire.subarray(start, start + chunkBytes), sink);
  parser.end(sink);
  return { bytes, last };
}

/** The assistant's message that a caller collects from the chunks of a stream, as OpenAI's SDKs do. */
export interface Collected {
  readonly message: {
    role: string;
    content: string | null;
    refusal?: string;
    reasoning_content?: string;
    reasoning_details?: unknown[];
    tool_calls?: { id: string; type: string; function: { name: string; arguments: string } }[];
  };
  readonly finish: string | null;
  readonly usage: CompletionUsage | null;
  readonly done: boolean;
}

export function collect(stream: string): Collected {
  const message: Collected["message"] = { role: "", content: null };
  let finish: string | null = null;
  let usage: Collected["usage"] = null;
  const blocks = stream.split("\n\n");
  assert.equal(blocks.pop(), "", "the stream ends with a blank line");
  const done = blocks.at(-1) === "data: [DONE]";
  for (const block of done ? blocks.slice(0, -1) : blocks) {
    const chunk = JSON.parse(block.replace(/^data: /, "")) as ChatCompletionChunk;
    usage = chunk.usage ?? usage;
    const choice = chunk.choices[0];
    if (choice === undefined) continue;
    finish = choice.finish_reason ?? finish;
    const { role, content, refusal, reasoning_content, reasoning_details, tool_calls }: Delta = choice.delta;
    if (role) message.role = role;
    if (typeof content === "string") message.content = (message.content ?? "") + content;
    if (refusal) message.refusal = (message.refusal ?? "") + refusal;
    if (reasoning_content) message.reasoning_content = (message.reasoning_content ?? "") + reasoning_content;
    if (reasoning_details) (message.reasoning_details ??= []).push(...reasoning_details);
    for (const { index, id, function: called } of tool_calls ?? []) {
      const calls = (message.tool_calls ??= []);
      const call = (calls[index] ??= { id: id!, type: "function", function: { name: called!.name!, arguments: "" } });
      call.function.arguments += called?.arguments ?? "";
    }
  }
  return { message, finish, usage, done };
}
