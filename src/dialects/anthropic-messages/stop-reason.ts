import type { Finish, FinishReason } from "../canonical.ts";
import type { WireObject } from "../wire-values.ts";
import { asText } from "../wire-values.ts";

/** `StopReason` in anthropic-sdk-typescript, resources/messages/messages.ts. Any other word is `other`, never success. */
const reasons: ReadonlyMap<string, FinishReason> = new Map([
  ["end_turn", "stop"],
  ["max_tokens", "length"],
  ["stop_sequence", "stop-sequence"],
  ["tool_use", "tool-calls"],
  ["pause_turn", "pause"],
  ["refusal", "refusal"],
  ["model_context_window_exceeded", "context-length"],
]);

export function toFinishReason(native: string): FinishReason {
  return reasons.get(native) ?? "other";
}

/** `holder` is a whole message or the `delta` of `message_delta`: both carry `stop_reason` and `stop_sequence`. */
export function readFinish(holder: WireObject): Finish | null {
  const native = asText(holder["stop_reason"]);
  if (native === null) return null;
  return { reason: toFinishReason(native), native, stopSequence: asText(holder["stop_sequence"]) };
}
