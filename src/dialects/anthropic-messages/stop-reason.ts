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

/** What of an answer decides how its end is told. */
export interface Told {
  readonly hasCalls: boolean;
  /** The text of its refusal; empty if there is none. */
  readonly refusal: string;
}

/**
 * The members of a message, or of the `delta` of `message_delta`, that say why it stopped. Here an answer that calls
 * tools always stops for them, and one that refuses for that: other dialects may say `stop` of both. What it refused
 * with stands in `stop_details`. A reason that the API has no word for goes through in the provider's own, so that an
 * answer that is not complete never reads as `end_turn`.
 */
export function encodeStop(finish: Finish, { hasCalls, refusal }: Told): object {
  const refused = refusal !== "";
  return {
    stop_reason: finish.reason === "stop" && refused ? "refusal" : toWireReason(finish, hasCalls),
    stop_sequence: finish.stopSequence,
    stop_details: refused ? { type: "refusal", category: null, explanation: refusal } : null,
  };
}

function toWireReason(finish: Finish, hasCalls: boolean): string {
  switch (finish.reason) {
    case "stop":
      return hasCalls ? "tool_use" : "end_turn";
    case "length":
      return "max_tokens";
    case "stop-sequence":
      return "stop_sequence";
    case "tool-calls":
      return "tool_use";
    case "pause":
      return "pause_turn";
    case "refusal":
    case "content-filter":
      return "refusal";
    case "context-length":
      return "model_context_window_exceeded";
    case "other":
      return finish.native;
  }
}
