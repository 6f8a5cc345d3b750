/** What becomes of other dialects' fields in a body of the Messages API: see foreign-rules.ts. */
import type { Loss } from "../../dialect.ts";
import { judgeForeignFields, refuse, report, type ForeignRule } from "../../request-fields/foreign-rules.ts";
import { unsupported } from "./refusal.ts";

/** OpenAI's Chat Completions reference says what each does and which value is its default. */
const rules: ReadonlyMap<string, ForeignRule> = new Map([
  // Change the answer, or promise a part of it that this dialect does not have.
  ["n", refuse("1")],
  ["logit_bias", refuse("{}")],
  ["logprobs", refuse("false")],
  ["top_logprobs", refuse("0")],
  ["presence_penalty", refuse("0")],
  ["frequency_penalty", refuse("0")],
  ["verbosity", refuse('"medium"')],
  ["modalities", refuse('["text"]')],
  ["audio", refuse()],
  ["web_search_options", refuse()],
  ["functions", refuse("[]")],
  ["messages[].tool_calls", refuse("[]")],
  ["messages[].refusal", refuse('""')],
  ["function_call", refuse('"auto"', '"none"')],
  // Best effort, bookkeeping or speed: the answer means the same without them.
  ["seed", report()],
  ["prediction", report()],
  ["store", report("false")],
  ["metadata", report("{}")],
  ["prompt_cache_key", report()],
  ["prompt_cache_retention", report()],
  ["prompt_cache_options", report()],
  ["safety_identifier", report()],
  ["stream_options", report()],
  ["messages[].name", report()],
  ["messages[].cache_control", report()],
  ["messages[].content[].cache_control", report()],
  ["messages[].content[].annotations", report("[]")],
  // Of the model's turns only, or of another provider's model.
  ["messages[].reasoning", report('""')],
  ["messages[].reasoning_content", report('""')],
  ["messages[].reasoning_details", report("[]")],
  ["messages[].tool_calls[].extra_content", report()],
  ["tools[].cache_control", report()],
  ["tools[].function.cache_control", report()],
]);

/** Throws `unsupported_parameter` for the first field that must not be left out. */
export function refuseForeignFields(foreign: Readonly<Record<string, unknown>>, losses: Set<Loss>): void {
  judgeForeignFields(foreign, rules, losses, (name) =>
    unsupported(
      name,
      `\`${name}\` cannot be translated to the Anthropic Messages API, through which the model is served, and the answer could be another without it. Leave the field out, or ask for a model whose provider takes it.`,
    ),
  );
}
