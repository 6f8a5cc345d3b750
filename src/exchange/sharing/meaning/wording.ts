/**
 * Which requests are compared by what they mean, and which of their words are. Only the last message is: what comes
 * before it (instructions, earlier turns) has to be equal to the letter, since it would drown the question in its vector.
 */
import type { RequestView } from "../../../dialects/dialect.ts";

/** Longer conversations are hardly ever met again, and each would cost a vector. */
const MESSAGES_MAX = 10;
/** Embeddings models take about 8,000 tokens, and say ever less of a longer text. */
const CHARS_MAX = 8_000;

/** A message with any other field says more than words. */
const fieldsOfWords: ReadonlySet<string> = new Set(["role", "content", "name"]);
const rolesOfWords: ReadonlySet<unknown> = new Set(["system", "developer", "user", "assistant"]);

/**
 * The words of the last message; `null` for a request that gets answers to equal requests only: one with tools, searches,
 * media or several choices, a conversation of more than 10 messages, or a last message of more than 8,000 characters.
 */
export function wordsToCompare({ needs, choices, document }: RequestView): string | null {
  if (needs.tools || needs.images || needs.audio || needs.documents || choices > 1) return null;
  const { messages, web_search_options: search, mcp_servers: servers } = document.root;
  if ((search ?? servers ?? null) !== null) return null;
  if (!Array.isArray(messages) || messages.length > MESSAGES_MAX) return null;
  let last: { readonly role: unknown; readonly words: string } | null = null;
  for (const message of messages as readonly unknown[]) {
    last = readMessage(message);
    if (last === null) return null;
  }
  if (last === null || last.role !== "user" || last.words.length > CHARS_MAX) return null;
  return last.words.trim() === "" ? null : last.words;
}

/** Numbers in the order in which they stand: vectors hardly tell `17 + 25` from `17 + 26`. */
export function numbersIn(words: string): readonly string[] {
  return words.match(/\p{Nd}+/gu) ?? [];
}

function readMessage(message: unknown): { readonly role: unknown; readonly words: string } | null {
  if (typeof message !== "object" || message === null) return null;
  if (!Object.keys(message).every((name) => fieldsOfWords.has(name))) return null;
  const { role, content } = message as { readonly role?: unknown; readonly content?: unknown };
  const words = readContent(content);
  return words === null || !rolesOfWords.has(role) ? null : { role, words };
}

function readContent(content: unknown): string | null {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return null;
  const texts: string[] = [];
  for (const part of content as readonly unknown[]) {
    if (typeof part !== "object" || part === null) return null;
    const { type, text } = part as { readonly type?: unknown; readonly text?: unknown };
    if (type !== "text" || typeof text !== "string") return null;
    texts.push(text);
  }
  return texts.join("\n");
}
