import type { CanonicalRequest, ReasoningEffort } from "../../canonical.ts";
import { readObject, readPositive, readText, type Fields } from "../../request-fields/fields.ts";
import { collectForeign } from "../../request-fields/foreign.ts";
import { invalid, missing, unsupported } from "../../request-fields/refusals.ts";

/** `OutputConfig` in anthropic-sdk-typescript. */
const efforts: ReadonlyMap<string, ReasoningEffort> = new Map(
  (["low", "medium", "high", "xhigh", "max"] as const).map((effort) => [effort, effort]),
);

/**
 * `thinking` and `output_config.effort`. An effort without `thinking` asks as much as one beside `adaptive`. Beside
 * `disabled` it is about the length of the answer, for which there is no other word: it goes to `foreign`, and so does
 * how the thinking is to be displayed.
 */
export function decodeReasoning(root: Fields, foreign: Map<string, unknown>): CanonicalRequest["reasoning"] {
  const thinking = readObject(root, "thinking");
  const effort = readEffort(root);
  if (thinking === null) return effort === null ? null : { effort, budgetTokens: null };
  switch (thinking["type"]) {
    case "enabled":
      collectForeign(thinking, ["type", "budget_tokens"], "thinking.", foreign);
      return { effort, budgetTokens: readBudget(thinking) };
    case "adaptive":
      collectForeign(thinking, ["type"], "thinking.", foreign);
      return { effort, budgetTokens: null };
    case "disabled":
      collectForeign(thinking, ["type"], "thinking.", foreign);
      if (effort !== null) foreign.set("output_config.effort", effort);
      return { effort: "none", budgetTokens: null };
    default:
      throw unsupported("thinking.type", "Only adaptive, enabled and disabled can be translated.");
  }
}

function readEffort(root: Fields): ReasoningEffort | null {
  const config = readObject(root, "output_config");
  const text = config === null ? null : readText(config, "effort", "output_config.");
  if (text === null) return null;
  const effort = efforts.get(text);
  if (effort === undefined) throw invalid("output_config.effort", `one of ${[...efforts.keys()].join(", ")}`);
  return effort;
}

function readBudget(thinking: Fields): number {
  const budget = readPositive(thinking, "budget_tokens", Number.MAX_SAFE_INTEGER, "thinking.");
  if (budget === null) throw missing("thinking.budget_tokens");
  return budget;
}
