import type { Caller } from "../speech.ts";
import type { Upstream } from "../table.ts";

/**
 * Who asks, where not every way to ask is tested: of caller's dialect, provider's dialect and form of the answer, any two
 * meet in one of the four ways.
 */
export function callerFor(upstream: Upstream, stream: boolean): Caller {
  return (upstream === "openai-chat") === stream ? "anthropic-messages" : "openai-chat";
}
