import type { CanonicalRequest, ReasoningEffort } from "../../canonical.ts";
import { asCount } from "../../wire-values.ts";
import { readFlag, readObject, readText, type Fields } from "../../request-fields/fields.ts";
import { invalid } from "../../request-fields/refusals.ts";

/** openai-node, `ReasoningEffort`. */
const efforts: ReadonlyMap<string, ReasoningEffort> = new Map(
  (["none", "minimal", "low", "medium", "high", "xhigh", "max"] as const).map((effort) => [effort, effort]),
);

/**
 * `reasoning_effort`, or a vendor's extension of it: `reasoning: {effort, max_tokens, enabled}` (OpenRouter) or
 * `thinking: {type, budget_tokens}` (Anthropic, DeepSeek and others), which may ask for thinking without a word on how
 * much. An extension that says more than that is foreign.
 */
export function decodeReasoning(root: Fields, foreign: Map<string, unknown>): CanonicalRequest["reasoning"] {
  const reasoning = readObject(root, "reasoning");
  const thinking = readObject(root, "thinking");
  let effort = readEffort(root, "reasoning_effort", "");
  let budgetTokens: number | null = null;
  let isAsked = false;
  if (reasoning !== null) {
    effort ??= readEffort(reasoning, "effort", "reasoning.");
    budgetTokens = readBudget(reasoning, "max_tokens", "reasoning.");
    const enabled = readFlag(reasoning, "enabled", "reasoning.");
    if (enabled === false) effort ??= "none";
    isAsked = enabled === true;
    if (!hasOnly(reasoning, "effort", "max_tokens", "enabled")) foreign.set("reasoning", reasoning);
  }
  if (thinking !== null) {
    budgetTokens ??= readBudget(thinking, "budget_tokens", "thinking.");
    if (thinking["type"] === "disabled") effort ??= "none";
    else if (thinking["type"] === "enabled" || thinking["type"] === "adaptive") isAsked = true;
    else foreign.set("thinking", thinking);
    if (!hasOnly(thinking, "type", "budget_tokens")) foreign.set("thinking", thinking);
  }
  return isAsked || effort !== null || budgetTokens !== null ? { effort, budgetTokens } : null;
}

function readEffort(fields: Fields, name: string, prefix: string): ReasoningEffort | null {
  const text = readText(fields, name, prefix);
  if (text === null) return null;
  const effort = efforts.get(text);
  if (effort === undefined) throw invalid(prefix + name, `one of ${[...efforts.keys()].join(", ")}`);
  return effort;
}

function readBudget(fields: Fields, name: string, prefix: string): number | null {
  const value = fields[name];
  if (value === undefined || value === null) return null;
  const budget = asCount(value);
  if (budget === null || budget === 0) throw invalid(prefix + name, "a whole number of at least 1");
  return budget;
}

function hasOnly(fields: Fields, ...names: readonly string[]): boolean {
  return Object.keys(fields).every((name) => names.includes(name));
}
