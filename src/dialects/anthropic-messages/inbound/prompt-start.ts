import type { RequestView } from "../../dialect.ts";
import { PROMPT_START_BYTES_MAX } from "../../prompt-text.ts";
import { asArray, asObject, asText } from "../../wire-values.ts";

/**
 * A prompt's beginning, so far as it can be in a provider's prompt cache and stays the same from turn to turn: the system
 * text and what the first message says, of both together at most so many bytes. Of the message only its words count,
 * because callers move their `cache_control` from message to message as a conversation grows.
 */
export function promptStart({ document: { bytes, members, root } }: RequestView): Uint8Array | null {
  const system = members.find(({ name }) => name === "system");
  const start = system?.valueStart ?? 0;
  const end = Math.min(system?.valueEnd ?? 0, start + PROMPT_START_BYTES_MAX);
  const instructions = bytes.subarray(start, end);
  const left = PROMPT_START_BYTES_MAX - instructions.length;
  const question = Buffer.from(wordsOf(asArray(root["messages"])?.[0], left)).subarray(0, left);
  if (question.length === 0) return instructions.length === 0 ? null : instructions;
  return instructions.length === 0 ? question : Buffer.concat([instructions, question]);
}

function wordsOf(message: unknown, charsMax: number): string {
  const content = asObject(message)?.["content"];
  if (typeof content === "string") return content.slice(0, charsMax);
  let words = "";
  for (const block of asArray(content) ?? []) {
    if (words.length >= charsMax) break;
    words += (asText(asObject(block)?.["text"]) ?? "").slice(0, charsMax);
  }
  return words;
}
