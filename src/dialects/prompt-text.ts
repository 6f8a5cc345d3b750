/**
 * The text of a prompt's beginning. What OpenAI and Anthropic cache begins at 1,024 tokens (their pages on prompt
 * caching), which is about as much text as `PROMPT_START_BYTES_MAX`: prompts that differ earlier share no cache, and those
 * that differ only later are told apart by nothing.
 */
export const PROMPT_START_BYTES_MAX = 4096;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;

/** Where so many objects of the array end whose JSON this is, or begins with; its length where it has fewer. */
export function endOfElements(text: Uint8Array, elements: number): number {
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
