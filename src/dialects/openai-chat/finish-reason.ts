import type { Finish, FinishReason } from "../canonical.ts";

/**
 * Wire facts: `stop`, `length`, `tool_calls`, `content_filter`, `function_call` (openai-node, `ChatCompletion.Choice`);
 * `model_length` is Mistral's word for a full context window, `eos` is Together's for a natural stop.
 */
const reasons: ReadonlyMap<string, FinishReason> = new Map<string, FinishReason>([
  ["stop", "stop"],
  ["eos", "stop"],
  ["length", "length"],
  ["model_length", "context-length"],
  ["tool_calls", "tool-calls"],
  ["function_call", "tool-calls"],
  ["content_filter", "content-filter"],
]);

/** Anything unknown is `other`: a word we do not know is never read as success. */
export function toFinishReason(native: string): FinishReason {
  return reasons.get(native) ?? "other";
}

/**
 * The word a caller is told. OpenAI's set has no word for a pause or for what it does not know: there the provider's
 * own word goes through, so that an answer that is not complete never reads as `stop`.
 */
export function toWireFinish(finish: Finish): string {
  switch (finish.reason) {
    case "stop":
    case "stop-sequence":
      return "stop";
    case "length":
    case "context-length":
      return "length";
    case "tool-calls":
      return "tool_calls";
    case "content-filter":
    case "refusal":
      return "content_filter";
    case "pause":
    case "other":
      return finish.native;
  }
}
