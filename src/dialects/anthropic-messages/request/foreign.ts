/**
 * The fields of other dialects that the canonical form has no place for, each with its rule: `refuse` what changes the
 * answer, `report` what does not. A value that asks for nothing (`null`, or the field's own default) is neither. A
 * field that is not in the table is refused by name, because nobody can say what leaving it out would do. Fields
 * inside messages and tools come with their path, `tools[1].cache_control`, and are reported once for all places, so that
 * the report does not grow with the request.
 */
import type { Loss } from "../../dialect.ts";
import { unsupported } from "./refusal.ts";

interface Rule {
  readonly action: "refuse" | "report";
  /** Values, as JSON, that ask for nothing. */
  readonly neutral: readonly string[];
}

function refuse(...neutral: readonly string[]): Rule {
  return { action: "refuse", neutral };
}

function report(...neutral: readonly string[]): Rule {
  return { action: "report", neutral };
}

/** OpenAI's Chat Completions reference says what each does and which value is its default. */
const rules: ReadonlyMap<string, Rule> = new Map([
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
export function judgeForeignFields(foreign: Readonly<Record<string, unknown>>, losses: Set<Loss>): void {
  for (const name of Object.keys(foreign)) {
    const value = foreign[name];
    if (value === null || value === undefined) continue;
    const kind = name.replaceAll(/\[\d+\]/g, "[]");
    const rule = rules.get(kind);
    if (rule?.neutral.includes(JSON.stringify(value)) === true) continue;
    if (rule?.action === "report") {
      losses.add(kind);
      continue;
    }
    throw unsupported(
      name,
      `\`${name}\` cannot be translated to the Anthropic Messages API, through which the model is served, and the answer could be another without it. Leave the field out, or ask for a model whose provider takes it.`,
    );
  }
}
