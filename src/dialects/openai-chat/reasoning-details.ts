/**
 * `reasoning_details`: how reasoning, with the state only its maker can read, travels through chat completions.
 *
 * The field is OpenRouter's: an array of `{type: "reasoning.text", text, signature}`, `{type: "reasoning.summary",
 * summary}` and `{type: "reasoning.encrypted", data}`, each with `format`, `id` and `index` (OpenRouter's reasoning
 * guide; OpenRouterTeam/ai-sdk-provider, src/schemas/reasoning-details.ts). It comes on messages and deltas, and a
 * caller sends it back on the assistant's message, unchanged, to continue a tool loop with the reasoning kept.
 *
 * `format` says whose state it is. `anthropic-claude-v1` is OpenRouter's word for a thinking block; state of any other
 * dialect is written as `headgate/<dialect>/<kind>`. State in a format unknown to us keeps that format as its origin,
 * so that it is sent to nobody.
 */
import type { Item, OpaqueState } from "../canonical.ts";
import { asArray, asCount, asObject, asText, type WireObject } from "../wire-values.ts";

export type ReasoningItem = Extract<Item, { readonly type: "reasoning" }>;

/** How `OpaqueState` names what a provider of this dialect gave: a detail as JSON, without its text. */
export const wireState: Readonly<Pick<OpaqueState, "origin" | "kind">> = {
  origin: "openai-chat",
  kind: "reasoning_details",
};

const ANTHROPIC_DIALECT = "anthropic-messages";
const ANTHROPIC_FORMAT = "anthropic-claude-v1";
const OWN_FORMAT = /^headgate\/([^/]+)\/(.+)$/;

export interface ReasoningDetail {
  readonly type: "reasoning.text" | "reasoning.encrypted";
  readonly text?: string;
  readonly signature?: string;
  readonly data?: string;
  readonly format: string;
  readonly index: number;
}

/**
 * One piece of state as a detail that stands for itself: a signature comes with the whole text it signs, so that a
 * caller need not put pieces together. `index` numbers the reasoning items of an answer.
 */
export function encodeDetail(opaque: OpaqueState, text: string, index: number): ReasoningDetail {
  if (opaque.origin !== ANTHROPIC_DIALECT) {
    const format = `headgate/${opaque.origin}/${opaque.kind}`;
    return { type: "reasoning.encrypted", data: opaque.value, format, index };
  }
  return opaque.kind === "signature"
    ? { type: "reasoning.text", text, signature: opaque.value, format: ANTHROPIC_FORMAT, index }
    : { type: "reasoning.encrypted", data: opaque.value, format: ANTHROPIC_FORMAT, index };
}

/** The reasoning items that a caller sends back; `null` if `value` is not an array of objects. */
export function decodeDetails(value: unknown): ReasoningItem[] | null {
  const details = asArray(value)?.map(asObject);
  if (details === undefined || details.includes(null)) return null;
  return mergeFragments(details.filter((detail) => detail !== null)).map(decodeDetail);
}

/** Callers that only collect a stream's deltas send a block in pieces of the same type and index. */
function mergeFragments(details: readonly WireObject[]): WireObject[] {
  const merged: WireObject[] = [];
  for (const detail of details) {
    const last = merged.at(-1);
    const samePlace = asCount(detail["index"]) !== null && detail["index"] === last?.["index"];
    if (last === undefined || !samePlace || last["type"] !== detail["type"] || isComplete(last)) {
      merged.push(detail);
      continue;
    }
    const joined: Record<string, unknown> = { ...last, ...detail };
    for (const name of ["text", "summary", "data"]) {
      const pieces = [asText(last[name]), asText(detail[name])].filter((piece) => piece !== null);
      if (pieces.length > 0) joined[name] = pieces.join("");
    }
    merged[merged.length - 1] = joined;
  }
  return merged;
}

function isComplete(detail: WireObject): boolean {
  return asText(detail["signature"]) !== null || detail["type"] === "reasoning.encrypted";
}

function decodeDetail(detail: WireObject): ReasoningItem {
  const text = asText(detail["text"]) ?? asText(detail["summary"]) ?? "";
  const signature = asText(detail["signature"]);
  const data = asText(detail["data"]);
  const format = asText(detail["format"]) ?? "unknown";
  const opaque: OpaqueState[] = [];
  if (signature !== null) opaque.push(decodeState(format, "signature", signature));
  if (data !== null) opaque.push(decodeState(format, "encrypted", data));
  return { type: "reasoning", text, opaque };
}

function decodeState(format: string, kind: "signature" | "encrypted", value: string): OpaqueState {
  if (format === ANTHROPIC_FORMAT) {
    return { origin: ANTHROPIC_DIALECT, kind: kind === "encrypted" ? "redacted_thinking" : kind, value };
  }
  const own = OWN_FORMAT.exec(format);
  if (own !== null) return { origin: own[1] ?? "", kind: own[2] ?? "", value };
  return { origin: format, kind, value };
}
