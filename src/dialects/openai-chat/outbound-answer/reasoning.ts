/**
 * Reasoning as providers of this dialect give it. State in `reasoning_details` is kept as the wire object without its
 * text, under this dialect's own origin, so that it can go back as it came.
 */
import type { OpaqueState } from "../../canonical.ts";
import { asArray, asObject, asText, type WireObject } from "../../wire-values.ts";
import { wireState } from "../reasoning-details.ts";

/** The text of a `message` or `delta`: `reasoning_content`, `reasoning`, or what its details say. */
export function readReasoningText(message: WireObject): string {
  const text = asText(message["reasoning_content"]) ?? asText(message["reasoning"]);
  if (text !== null && text !== "") return text;
  let joined = "";
  for (const detail of asArray(message["reasoning_details"]) ?? []) {
    const fields = asObject(detail);
    joined += asText(fields?.["text"]) ?? asText(fields?.["summary"]) ?? "";
  }
  return joined;
}

/** The details that hold state: a signature or encrypted data. */
export function readReasoningState(message: WireObject): OpaqueState[] {
  const states: OpaqueState[] = [];
  for (const detail of asArray(message["reasoning_details"]) ?? []) {
    const fields = asObject(detail);
    if (fields === null || (asText(fields["signature"]) === null && asText(fields["data"]) === null)) continue;
    const { text: _text, summary: _summary, ...state } = fields;
    states.push({ ...wireState, value: JSON.stringify(state) });
  }
  return states;
}
