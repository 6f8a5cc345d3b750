import { HeadgateError } from "../../../kernel/errors.ts";
import type { CanonicalResponse, Item, Part } from "../../canonical.ts";
import type { Quirks } from "../../dialect.ts";
import { asArray, asCount, asObject, asText, type WireObject } from "../../wire-values.ts";
import { toFinishReason } from "../finish-reason.ts";
import { readUsage } from "../usage.ts";
import { requireChoices } from "../outbound/reading.ts";
import { readReasoningState, readReasoningText } from "./reasoning.ts";
import { readArguments, readContentText } from "./wire-content.ts";

/** A whole answer of one choice, in the order reasoning, text, tool calls. Throws `upstream_malformed`. */
export function decodeResponse(json: unknown, quirks: Quirks): CanonicalResponse {
  const { answer, choices } = requireChoices(json);
  const choice = choices[0];
  const message = asObject(choice?.["message"]);
  if (choices.length !== 1 || choice === undefined || message === null) {
    throw new HeadgateError("upstream_malformed", "The provider's answer does not hold exactly one message.");
  }
  const id = asText(answer["id"]) ?? "";
  const created = asCount(answer["created"]);
  const native = asText(choice["finish_reason"]) ?? "";
  return {
    id,
    model: asText(answer["model"]) ?? "",
    createdMs: created === null ? null : created * 1000,
    items: decodeMessage(message, id),
    finish: { reason: toFinishReason(native), native, stopSequence: null },
    usage: readUsage(answer["usage"], quirks),
  };
}

function decodeMessage(message: WireObject, id: string): Item[] {
  const items: Item[] = [];
  const content = readContentText(message["content"]);
  const reasoning = readReasoningText(message) + content.reasoning;
  const opaque = readReasoningState(message);
  if (reasoning !== "" || opaque.length > 0) items.push({ type: "reasoning", text: reasoning, opaque });
  const parts: Part[] = [];
  if (content.text !== "") parts.push({ type: "text", text: content.text });
  const refusal = asText(message["refusal"]);
  if (refusal !== null && refusal !== "") parts.push({ type: "refusal", text: refusal });
  if (parts.length > 0) items.push({ type: "message", role: "assistant", name: null, parts });
  for (const [index, call] of (asArray(message["tool_calls"]) ?? []).entries()) {
    items.push(decodeCall(asObject(call), id, index));
  }
  return items;
}

function decodeCall(call: WireObject | null, id: string, index: number): Item {
  const wire = asObject(call?.["function"]);
  const name = asText(wire?.["name"]);
  if (wire === null || name === null || name === "") {
    throw new HeadgateError("upstream_malformed", "The provider's answer holds a tool call without a function name.");
  }
  const callId = asText(call?.["id"]) ?? "";
  const args = readArguments(wire["arguments"]);
  return {
    type: "tool-call",
    callId: callId === "" ? `call_${id}_${index}` : callId,
    name,
    arguments: args === "" ? "{}" : args,
  };
}
