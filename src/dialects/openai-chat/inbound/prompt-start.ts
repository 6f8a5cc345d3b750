import type { RequestView } from "../../dialect.ts";
import { endOfElements, PROMPT_START_BYTES_MAX } from "../../prompt-text.ts";

const instructing: ReadonlySet<unknown> = new Set(["system", "developer"]);

/**
 * A prompt's beginning, so far as it can be in a provider's prompt cache and stays the same from turn to turn: its
 * instructions and the first message after them, of that at most so many bytes; or the caller's own word for prompts that
 * begin alike (openai-node, `ChatCompletionCreateParams.prompt_cache_key`).
 */
export function promptStart({ document }: RequestView): Uint8Array | null {
  const { prompt_cache_key: key, messages } = document.root;
  if (typeof key === "string" && key !== "") return Buffer.from(key);
  const member = document.members.find(({ name }) => name === "messages");
  if (member === undefined || !Array.isArray(messages)) return null;
  const end = Math.min(member.valueEnd, member.valueStart + PROMPT_START_BYTES_MAX);
  const beginning = document.bytes.subarray(member.valueStart, end);
  return beginning.subarray(0, endOfElements(beginning, countOpening(messages)));
}

/** The instructions and one message more. */
function countOpening(messages: readonly unknown[]): number {
  const index = messages.findIndex(
    (message) => !instructing.has((message as { readonly role?: unknown } | null)?.role),
  );
  return index === -1 ? messages.length : index + 1;
}
