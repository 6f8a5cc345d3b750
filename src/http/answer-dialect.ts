import type { Dialect } from "../dialects/dialect.ts";
import { findDialect } from "../dialects/registry.ts";
import type { Incoming } from "../exchange/exchange.ts";
import { HeadgateError } from "../kernel/errors.ts";
import type { Route } from "./routes.ts";

/**
 * The dialect in which a request is answered, errors included: that of its path; elsewhere Anthropic's for callers who
 * send `anthropic-version`, which their SDKs do with every request, else OpenAI's.
 */
export function answerDialect(route: Route | HeadgateError, headers: Incoming["headers"]): Dialect {
  if (!(route instanceof HeadgateError) && "dialect" in route) return findDialect(route.dialect);
  return findDialect(headers["anthropic-version"] === undefined ? "openai-chat" : "anthropic-messages");
}
