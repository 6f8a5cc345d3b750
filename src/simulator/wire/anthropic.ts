/**
 * The Anthropic Messages wire. Shapes from the API reference and recorded answers; `input_tokens` excludes both cache
 * classes, `output_tokens` includes thinking, which `output_tokens_details.thinking_tokens` tells apart.
 */
import type { Choice } from "../answer/answer.ts";
import type { AnswerIds } from "../ids.ts";
import { readMessagesRequest } from "./anthropic-request.ts";
import { inputUsage, outputUsage, stopReason } from "./anthropic-shape.ts";
import { createMessageStreamEncoder } from "./anthropic-stream.ts";
import { signThinking } from "./signature.ts";
import type { Marks, Refusal, Wire } from "./wire.ts";

export function createAnthropicWire(ids: AnswerIds, seed: number): Wire {
  return {
    endpoint: "messages",
    read: (json, headers) => readMessagesRequest(json, headers, seed),
    encodeWhole(marks, answer, tokens) {
      const choice = answer.choices[0];
      return JSON.stringify({
        model: marks.model,
        id: marks.id,
        type: "message",
        role: "assistant",
        content: choice ? encodeBlocks(choice, marks, ids, seed) : [],
        stop_reason: choice ? stopReason(choice.finish) : null,
        stop_sequence: null,
        ...(tokens ? { usage: { ...inputUsage(tokens), ...outputUsage(tokens), service_tier: "standard" } } : {}),
      });
    },
    createStreamEncoder: (marks, answer, tokens) => createMessageStreamEncoder(marks, answer, tokens, ids, seed),
    encodeRefusal: encodeAnthropicError,
    responseHeaders: (requestId) => ["request-id", requestId, "anthropic-organization-id", "simulator"],
  };
}

function encodeBlocks(choice: Choice, marks: Marks, ids: AnswerIds, seed: number): unknown[] {
  const blocks: unknown[] = [];
  if (choice.reasoning !== "")
    blocks.push({ type: "thinking", thinking: choice.reasoning, signature: signThinking(choice.reasoning, seed) });
  if (choice.text !== "") blocks.push({ type: "text", text: choice.text });
  choice.calls.forEach((call, index) => {
    blocks.push({
      type: "tool_use",
      id: ids.callIdOf(marks.number, "messages", index),
      name: call.name,
      input: parseCut(call.input),
    });
  });
  return blocks;
}

/** Tool input that the token limit cut is not JSON; Anthropic then gives an empty object. */
function parseCut(input: string): unknown {
  try {
    return JSON.parse(input) as unknown;
  } catch {
    return {};
  }
}

const ERROR_TYPES: Readonly<Record<number, string>> = {
  400: "invalid_request_error",
  401: "authentication_error",
  402: "billing_error",
  403: "permission_error",
  404: "not_found_error",
  413: "request_too_large",
  429: "rate_limit_error",
  504: "timeout_error",
  529: "overloaded_error",
};

/** `{type:"error",error:{type,message},request_id}` */
function encodeAnthropicError(refusal: Refusal, requestId: string): string {
  const type = ERROR_TYPES[refusal.status] ?? (refusal.status >= 500 ? "api_error" : "invalid_request_error");
  return JSON.stringify({ type: "error", error: { type, message: refusal.message }, request_id: requestId });
}
