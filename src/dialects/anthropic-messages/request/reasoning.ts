/**
 * How much the model should think, in the two ways the API knows.
 *
 * | asked for | models that think by effort (all since Opus 4.6) | models that think by budget (the older ones)  |
 * | --------- | ------------------------------------------------ | --------------------------------------------- |
 * | nothing   | nothing: the model's own default                 | nothing: no thinking                          |
 * | thinking  | `adaptive`                                       | `enabled`, 50 % of max_tokens                 |
 * | a budget  | `enabled` with that budget; newer ones refuse it | `enabled` with that budget                    |
 * | none      | `disabled`; those that always think refuse it    | `disabled`                                    |
 * | minimal   | `adaptive`, effort low                           | `enabled`, 1,024 tokens                       |
 * | low       | `adaptive`, effort low                           | `enabled`, 20 %                               |
 * | medium    | `adaptive`, effort medium                        | `enabled`, 50 %                               |
 * | high      | `adaptive`, effort high                          | `enabled`, 80 %                               |
 * | xhigh     | `adaptive`, effort xhigh                         | `enabled`, 90 %                               |
 * | max       | `adaptive`, effort max                           | `enabled`, 95 %                               |
 *
 * Wire facts (`ThinkingConfigParam`, `OutputConfig` in anthropic-sdk-typescript): a budget is at least 1,024 and less than
 * `max_tokens`, of which thinking is a part, as it is of OpenAI's max_completion_tokens. Thinking excludes a forced tool
 * call and any temperature but 1.
 */
import type { CanonicalRequest, ReasoningEffort } from "../../canonical.ts";
import type { Loss } from "../../dialect.ts";
import { thinksByBudget } from "./model-name.ts";
import { invalid, unsupported } from "./refusal.ts";
import { resumesWithoutThinking } from "./turns.ts";
import type { Thinking, Turn } from "./wire.ts";

type WireEffort = "low" | "medium" | "high" | "xhigh" | "max";

export interface ReasoningPlan {
  readonly thinking: Thinking | null;
  readonly effort: WireEffort | null;
}

const BUDGET_TOKENS_MIN = 1_024;

/** What thinking is without a word on how much. */
const DEFAULT_EFFORT = "medium";

/** Percent of `max_tokens`. */
const budgetShares: Readonly<Record<Exclude<ReasoningEffort, "none">, number>> = {
  minimal: 0,
  low: 20,
  medium: 50,
  high: 80,
  xhigh: 90,
  max: 95,
};

export interface ReasoningContext {
  readonly model: string;
  readonly maxTokens: number;
  readonly turns: readonly Turn[];
  readonly toolForced: boolean;
  readonly losses: Set<Loss>;
}

export function planReasoning(request: CanonicalRequest, context: ReasoningContext): ReasoningPlan {
  const plan = choosePlan(request, context);
  if (plan.thinking === null || plan.thinking.type === "disabled") return plan;
  if (context.toolForced) {
    throw unsupported(
      "tool_choice",
      "The model cannot think and be forced to call a tool in one request. Set tool_choice to auto, or reasoning_effort to none.",
    );
  }
  if (request.temperature !== null && request.temperature !== 1) {
    throw unsupported(
      "temperature",
      "The model takes no temperature but 1 while it thinks. Leave it out, or set reasoning_effort to none.",
    );
  }
  if (request.topK !== null) {
    throw unsupported(
      "top_k",
      "The model takes no top_k while it thinks. Leave it out, or set reasoning_effort to none.",
    );
  }
  return plan;
}

function choosePlan(request: CanonicalRequest, context: ReasoningContext): ReasoningPlan {
  const effort = request.reasoning?.effort ?? null;
  const budget = request.reasoning?.budgetTokens ?? null;
  const byBudget = thinksByBudget(context.model);
  if (budget !== null) {
    if (byBudget && effort !== null) context.losses.add("reasoning_effort");
    return { thinking: enabled(budget, context.maxTokens), effort: byBudget ? null : toWireEffort(effort) };
  }
  if (request.reasoning === null) return { thinking: null, effort: null };
  if (effort === "none") return { thinking: { type: "disabled" }, effort: null };
  if (!byBudget) return { thinking: { type: "adaptive" }, effort: toWireEffort(effort) };
  // These models refuse to begin thinking between a call made without it and the call's result.
  if (resumesWithoutThinking(context.turns)) {
    context.losses.add("reasoning_effort");
    return { thinking: null, effort: null };
  }
  const share = Math.floor((context.maxTokens * budgetShares[effort ?? DEFAULT_EFFORT]) / 100);
  return { thinking: enabled(Math.max(share, BUDGET_TOKENS_MIN), context.maxTokens), effort: null };
}

function toWireEffort(effort: ReasoningEffort | null): WireEffort | null {
  if (effort === null || effort === "none") return null;
  return effort === "minimal" ? "low" : effort;
}

function enabled(budgetTokens: number, maxTokens: number): Thinking {
  if (budgetTokens < BUDGET_TOKENS_MIN) {
    throw invalid(
      "reasoning_effort",
      `A thinking budget is at least ${BUDGET_TOKENS_MIN} tokens, not ${budgetTokens}.`,
    );
  }
  if (budgetTokens >= maxTokens) {
    throw invalid(
      "reasoning_effort",
      `Thinking needs a budget of ${budgetTokens} tokens and a part of max_tokens (${maxTokens}) for the answer. Raise max_tokens, or ask for less reasoning.`,
    );
  }
  return { type: "enabled", budget_tokens: budgetTokens };
}
