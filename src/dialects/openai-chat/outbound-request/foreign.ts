/** What becomes of other dialects' fields in a chat completion request: see foreign-rules.ts. */
import type { Loss } from "../../dialect.ts";
import { carry, judgeForeignFields, refuse, report, type ForeignRule } from "../../request-fields/foreign-rules.ts";
import { unsupported } from "./refusal.ts";

const rules: ReadonlyMap<string, ForeignRule> = new Map([
  // What other dialects of OpenAI's family share with this one (openai-node, `ChatCompletionCreateParams`).
  ["audio", carry()],
  ["frequency_penalty", carry()],
  ["logit_bias", carry()],
  ["logprobs", carry()],
  ["metadata", carry()],
  ["modalities", carry()],
  ["moderation", carry()],
  ["prediction", carry()],
  ["presence_penalty", carry()],
  ["prompt_cache_key", carry()],
  ["prompt_cache_options", carry()],
  ["prompt_cache_retention", carry()],
  ["seed", carry()],
  ["store", carry()],
  ["top_logprobs", carry()],
  ["verbosity", carry()],
  ["web_search_options", carry()],
  // Of the Messages API (anthropic-sdk-typescript, `MessageCreateParams`), first what only moves cost, speed or display.
  ["x-anthropic-billing-header", report()],
  ["cache_control", report()],
  ["tools[].cache_control", report()],
  ["messages[].content[].cache_control", report()],
  ["context_management", report()],
  ["diagnostics", report()],
  ["speed", report('"standard"')],
  ["thinking.display", report()],
  ["output_config.effort", report()],
  ["tools[].eager_input_streaming", report()],
  ["tools[].defer_loading", report("false")],
  // On an answer sent back, where they say nothing new to a model.
  ["messages[].content[].citations", report("[]")],
  ["mcp_servers", refuse("[]")],
  ["tools[].allowed_callers", refuse('["direct"]')],
  ["tools[].input_examples", refuse("[]")],
  ["messages[].content[].caller", refuse('{"type":"direct"}')],
  ["messages[].content[].context", refuse('""')],
  ["messages[].content[].transformations", refuse("{}", '{"oversized_image":"downsize"}')],
  ["messages[].content[].content[].transformations", refuse("{}", '{"oversized_image":"downsize"}')],
]);

/** Returns the fields that are carried as they are. Throws `unsupported_parameter` for one that must not be left out. */
export function carryForeignFields(
  foreign: Readonly<Record<string, unknown>>,
  losses: Set<Loss>,
): Readonly<Record<string, unknown>> {
  return judgeForeignFields(foreign, rules, losses, (name, value) => {
    const type = (value as { readonly type?: unknown }).type;
    const what = typeof type === "string" ? `\`${name}\` of the type \`${type}\`` : `\`${name}\``;
    return unsupported(
      name,
      `The model is served through the chat completions API, which has no counterpart of ${what}. Leave it out, or ask for a model whose provider has it.`,
    );
  });
}
