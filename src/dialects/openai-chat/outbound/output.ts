/**
 * What of a message or delta is output: text, reasoning, tool calls, refusals, audio, images.
 *
 * Wire facts: openai-node (`ChatCompletionChunk.Choice.Delta`); reasoning is `reasoning_content` (DeepSeek, xAI, vLLM)
 * or `reasoning` (OpenRouter, Groq), some providers send both with the same text; OpenRouter adds `reasoning_details`
 * and `images`; Mistral's `content` can be a list of parts, with `thinking` parts that hold parts themselves.
 */
import { asArray, asObject, type WireObject } from "../../wire-values.ts";

/** Bytes of generated text in a `message` or `delta`; -1 if it carries no output at all. */
export function measureOutput(message: WireObject): number {
  let found = false;
  let bytes = 0;
  const content = message["content"];
  if (typeof content === "string") {
    if (content !== "") {
      found = true;
      bytes = Buffer.byteLength(content);
    }
  } else if (Array.isArray(content) && content.length > 0) {
    found = true;
    bytes = measureParts(content);
  }
  const other = measureReasoning(message);
  if (other > 0) {
    found = true;
    bytes += other;
  }
  const refusal = message["refusal"];
  if (typeof refusal === "string" && refusal !== "") {
    found = true;
    bytes += Buffer.byteLength(refusal);
  }
  const calls = message["tool_calls"];
  if (Array.isArray(calls) && calls.length > 0) {
    found = true;
    for (const call of calls) bytes += measureCall(asObject(call));
  }
  if (typeof message["function_call"] === "object" && message["function_call"] !== null) {
    found = true;
    bytes += measureFunction(asObject(message["function_call"]));
  }
  if (hasMedia(message)) {
    found = true;
    bytes += measureText(asObject(message["audio"])?.["transcript"]);
  }
  return found ? bytes : -1;
}

function measureReasoning(message: WireObject): number {
  const text = message["reasoning_content"] ?? message["reasoning"];
  if (typeof text === "string" && text !== "") return Buffer.byteLength(text);
  const details = asArray(message["reasoning_details"]);
  if (details === null) return 0;
  let bytes = 0;
  for (const detail of details) {
    const fields = asObject(detail);
    bytes += measureText(fields?.["text"]) + measureText(fields?.["summary"]) + measureText(fields?.["data"]);
  }
  return bytes;
}

function measureCall(call: WireObject | null): number {
  const custom = asObject(call?.["custom"]);
  return measureFunction(asObject(call?.["function"])) + measureText(custom?.["name"]) + measureText(custom?.["input"]);
}

function measureFunction(fields: WireObject | null): number {
  if (fields === null) return 0;
  const given = fields["arguments"];
  const wholeObject = typeof given === "object" && given !== null ? JSON.stringify(given) : given;
  return measureText(fields["name"]) + measureText(wholeObject);
}

function measureParts(parts: readonly unknown[]): number {
  let bytes = 0;
  for (const part of parts) {
    const fields = asObject(part);
    if (fields === null) continue;
    const thinking = fields["thinking"];
    bytes += measureText(fields["text"]) + measureText(fields["refusal"]) + measureText(thinking);
    if (Array.isArray(thinking)) for (const inner of thinking) bytes += measureText(asObject(inner)?.["text"]);
  }
  return bytes;
}

function hasMedia(message: WireObject): boolean {
  const audio = message["audio"];
  const images = message["images"];
  return (typeof audio === "object" && audio !== null) || (Array.isArray(images) && images.length > 0);
}

function measureText(value: unknown): number {
  return typeof value === "string" ? Buffer.byteLength(value) : 0;
}
