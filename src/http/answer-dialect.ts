import type { Dialect } from "../dialects/dialect.ts";
import { findDialect } from "../dialects/registry.ts";
import type { Incoming } from "../exchange/exchange.ts";
import { dialectAt } from "./routes.ts";

/**
 * The dialect in which a request is answered, errors included: that of the API that its path belongs to; elsewhere
 * Anthropic's for callers who send `anthropic-version`, which their SDKs do with every request, else OpenAI's.
 */
export function answerDialect(path: string, headers: Incoming["headers"]): Dialect {
  const byHeaders = headers["anthropic-version"] === undefined ? "openai-chat" : "anthropic-messages";
  return findDialect(dialectAt(path) ?? byHeaders);
}
