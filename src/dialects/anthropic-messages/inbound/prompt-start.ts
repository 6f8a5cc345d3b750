import type { RequestView } from "../../dialect.ts";
import { PROMPT_START_BYTES_MAX } from "../../prompt-text.ts";
import { asArray, asObject, asText } from "../../wire-values.ts";
import { withoutBillingLine } from "../billing-line.ts";

/**
 * A prompt's beginning, so far as it can be in a provider's prompt cache and stays the same from turn to turn: the words
 * of the system text and of the first message, of both together at most so many bytes. Only words count, because
 * callers move their `cache_control` from message to message as a conversation grows.
 */
export function promptStart({ document: { root } }: RequestView): Uint8Array | null {
  let words = wordsOf(root["system"], PROMPT_START_BYTES_MAX);
  if (words.length < PROMPT_START_BYTES_MAX) {
    words += wordsOf(asObject(asArray(root["messages"])?.[0])?.["content"], PROMPT_START_BYTES_MAX);
  }
  return words === "" ? null : Buffer.from(words).subarray(0, PROMPT_START_BYTES_MAX);
}

function wordsOf(content: unknown, charsMax: number): string {
  if (typeof content === "string") return withoutBillingLine(content).slice(0, charsMax);
  let words = "";
  for (const block of asArray(content) ?? []) {
    if (words.length >= charsMax) break;
    words += withoutBillingLine(asText(asObject(block)?.["text"]) ?? "").slice(0, charsMax);
  }
  return words;
}
