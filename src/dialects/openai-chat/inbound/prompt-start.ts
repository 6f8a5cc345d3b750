import type { RequestView } from "../../dialect.ts";

/**
 * A prompt's beginning, so far as it can be in a provider's prompt cache and stays the same from turn to turn: its
 * instructions and the first message after them, of that at most so many bytes. What OpenAI and Anthropic cache begins at
 * 1,024 tokens (their pages on prompt caching), which is about as much text: prompts that differ earlier share no cache,
 * and those that differ only later are told apart by nothing.
 */
const START_BYTES_MAX = 4096;

const instructing: ReadonlySet<unknown> = new Set(["system", "developer"]);
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;

/** openai-node, `ChatCompletionCreateParams.prompt_cache_key`: the caller's own word for prompts that begin alike. */
export function promptStart({ document }: RequestView): Uint8Array | null {
  const { prompt_cache_key: key, messages } = document.root;
  if (typeof key === "string" && key !== "") return Buffer.from(key);
  const member = document.members.find(({ name }) => name === "messages");
  if (member === undefined || !Array.isArray(messages)) return null;
  const end = Math.min(member.valueEnd, member.valueStart + START_BYTES_MAX);
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

/** Where so many objects of the array end whose text this is, or begins with. */
function endOfElements(text: Uint8Array, elements: number): number {
  let left = elements;
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const byte = text[at];
    if (byte === QUOTE) {
      at = closingQuote(text, at);
    } else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
      depth++;
    } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
      depth--;
      if (depth === 1 && --left === 0) return at + 1;
    }
  }
  return text.length;
}

function closingQuote(text: Uint8Array, opening: number): number {
  let at = opening;
  for (;;) {
    at = text.indexOf(QUOTE, at + 1);
    if (at === -1) return text.length;
    let backslashes = 0;
    while (text[at - 1 - backslashes] === BACKSLASH) backslashes++;
    if (backslashes % 2 === 0) return at;
  }
}
