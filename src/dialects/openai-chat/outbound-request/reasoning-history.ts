/**
 * Earlier reasoning, as a provider of this dialect takes it back. State in `reasoning_details` goes back only where the
 * quirk `reasoningHistory` says that the provider reads the field. State of any other origin is left out, and
 * reported: it would mean nothing there.
 */
import type { Loss, Quirks } from "../../dialect.ts";
import { asObject } from "../../wire-values.ts";
import { type ReasoningItem, wireState } from "../reasoning-details.ts";

export function encodeReasoningHistory(
  items: readonly ReasoningItem[],
  history: NonNullable<Quirks["reasoningHistory"]>,
  losses: Set<Loss>,
): object {
  if (items.length === 0) return {};
  const hasForeignState = items.some((item) => item.opaque.some((opaque) => opaque.origin !== wireState.origin));
  if (history === "none" || hasForeignState) losses.add("reasoning");
  if (history === "none") return {};
  const details = history === "reasoning_details" ? items.flatMap(encodeDetails) : [];
  if (details.length > 0) return { reasoning_details: details };
  const text = items.map((item) => item.text).join("");
  return text === "" ? {} : { reasoning_content: text };
}

function encodeDetails(item: ReasoningItem): object[] {
  const details: object[] = [];
  let text = item.text;
  for (const opaque of item.opaque) {
    if (opaque.origin !== wireState.origin || opaque.kind !== wireState.kind) continue;
    const state = asObject(JSON.parse(opaque.value)) ?? {};
    if (state["type"] === "reasoning.text") {
      details.push({ ...state, text });
      text = "";
    } else {
      details.push(state);
    }
  }
  return details;
}
