/**
 * The OpenAI wire. Shapes from the API reference and the official SDK's types (`ChatCompletion`, `CompletionUsage`
 * with `cache_write_tokens`); `prompt_tokens` includes cached tokens, `completion_tokens` includes reasoning.
 */
import type { Answer, Choice } from "../answer/answer.ts";
import type { AnswerIds } from "../ids.ts";
import { callNumber, encodeChatUsage, systemFingerprint } from "./openai-shape.ts";
import { readChatRequest } from "./openai-request.ts";
import { createChatStreamEncoder } from "./openai-stream.ts";
import type { Marks, Refusal, Wire } from "./wire.ts";

export function createOpenAiWire(ids: AnswerIds): Wire {
  const wholes = new WeakMap<Answer, string>();
  return {
    endpoint: "chat",
    read: readChatRequest,
    encodeWhole(marks, answer, tokens, { showReasoning }) {
      let choices = answer.steps.some((step) => step.kind === "call") ? undefined : wholes.get(answer);
      if (choices === undefined) {
        choices = JSON.stringify(
          answer.choices.map((choice, index) => encodeChoice(choice, index, marks, ids, showReasoning)),
        );
        wholes.set(answer, choices);
      }
      const usage = tokens === null ? "" : `,"usage":${encodeChatUsage(tokens)}`;
      return `{"id":"${marks.id}","object":"chat.completion","created":${marks.created},"model":"${marks.model}","choices":${choices}${usage},"service_tier":"default","system_fingerprint":"${systemFingerprint}"}\n`;
    },
    createStreamEncoder: (marks, answer, tokens, reading) =>
      createChatStreamEncoder(marks, answer, tokens, reading, ids),
    encodeRefusal: (refusal) => encodeOpenAiError(refusal),
    responseHeaders: (requestId) => [
      "openai-organization",
      "org-simulator",
      "openai-processing-ms",
      "1",
      "openai-version",
      "2020-10-01",
      "x-request-id",
      requestId,
    ],
  };
}

/** `{error:{message,type,param,code}}`; the types that OpenAI uses per status. */
export function encodeOpenAiError(refusal: Refusal): string {
  const type = errorType(refusal.status);
  return JSON.stringify({
    error: { message: refusal.message, type, param: refusal.param, code: refusal.code ?? errorCode(refusal.status) },
  });
}

function errorType(status: number): string {
  if (status === 429) return "requests";
  if (status === 403) return "request_forbidden";
  return status >= 500 ? "server_error" : "invalid_request_error";
}

function errorCode(status: number): string | null {
  if (status === 401) return "invalid_api_key";
  if (status === 404) return "model_not_found";
  return status === 429 ? "rate_limit_exceeded" : null;
}

function encodeChoice(choice: Choice, index: number, marks: Marks, ids: AnswerIds, showReasoning: boolean): unknown {
  const calls = choice.calls.map((call, which) => ({
    id: ids.callIdOf(marks.number, "chat", callNumber(index, which)),
    type: "function",
    function: { name: call.name, arguments: call.input },
  }));
  const content = choice.text === "" && calls.length > 0 ? null : choice.text;
  return {
    index,
    message: {
      role: "assistant",
      content,
      refusal: null,
      annotations: [],
      ...(showReasoning && choice.reasoning !== "" ? { reasoning_content: choice.reasoning } : {}),
      ...(calls.length > 0 ? { tool_calls: calls } : {}),
    },
    logprobs: null,
    finish_reason: choice.finish,
  };
}
