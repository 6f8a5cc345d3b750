import { anthropicMessages } from "./anthropic-messages/anthropic-messages.ts";
import type { Dialect, DialectName } from "./dialect.ts";
import { openaiChat } from "./openai-chat/openai-chat.ts";
import { openaiEmbeddings } from "./openai-embeddings/openai-embeddings.ts";

/** Every dialect the gateway speaks. Adding one adds a folder and a line here. */
const dialects: Readonly<Record<DialectName, Dialect>> = {
  "openai-chat": openaiChat,
  "openai-embeddings": openaiEmbeddings,
  "anthropic-messages": anthropicMessages,
};

export function findDialect(name: DialectName): Dialect {
  return dialects[name];
}
