import assert from "node:assert/strict";
import { test } from "node:test";
import { HeadgateError } from "../../../kernel/errors.ts";
import type { CanonicalRequest, ReasoningEffort } from "../../canonical.ts";
import { takesSystemTurns, thinksByBudget } from "./model-name.ts";
import { planReasoning, type ReasoningContext, type ReasoningPlan } from "./reasoning.ts";

const BY_EFFORT = "claude-opus-4-8";
const BY_BUDGET = "claude-haiku-4-5-20251001";

interface Case {
  readonly effort?: ReasoningEffort;
  readonly budgetTokens?: number;
  readonly request?: Partial<CanonicalRequest>;
  readonly context?: Partial<ReasoningContext>;
}

function plan(
  model: string,
  { effort, budgetTokens, request, context }: Case,
): { plan: ReasoningPlan; losses: string[] } {
  const losses = new Set<string>();
  const asked = effort === undefined && budgetTokens === undefined;
  const reasoning = asked ? null : { effort: effort ?? null, budgetTokens: budgetTokens ?? null };
  const whole = { temperature: null, topK: null, reasoning, ...request } as unknown as CanonicalRequest;
  const planned = planReasoning(whole, { model, maxTokens: 10_000, turns: [], toolForced: false, losses, ...context });
  return { plan: planned, losses: [...losses] };
}

function refuses(model: string, asked: Case, param: string): void {
  assert.throws(
    () => plan(model, asked),
    (thrown) => thrown instanceof HeadgateError && thrown.param === param,
  );
}

test("leaves the model's own default where nothing is asked for", () => {
  for (const model of [BY_EFFORT, BY_BUDGET]) assert.deepEqual(plan(model, {}).plan, { thinking: null, effort: null });
});

test("leaves to the model how much it thinks where that is asked for", () => {
  const request: Partial<CanonicalRequest> = { reasoning: { effort: null, budgetTokens: null } };
  assert.deepEqual(plan(BY_EFFORT, { request }).plan, { thinking: { type: "adaptive" }, effort: null });
  assert.deepEqual(plan(BY_BUDGET, { request }).plan, {
    thinking: { type: "enabled", budget_tokens: 5_000 },
    effort: null,
  });
});

test("maps each effort to adaptive thinking on current models", () => {
  const table: [ReasoningEffort, unknown, unknown][] = [
    ["none", { type: "disabled" }, null],
    ["minimal", { type: "adaptive" }, "low"],
    ["low", { type: "adaptive" }, "low"],
    ["medium", { type: "adaptive" }, "medium"],
    ["high", { type: "adaptive" }, "high"],
    ["xhigh", { type: "adaptive" }, "xhigh"],
    ["max", { type: "adaptive" }, "max"],
  ];
  for (const [effort, thinking, wire] of table) {
    for (const model of [BY_EFFORT, "a-model-new-to-us"]) {
      assert.deepEqual(plan(model, { effort }).plan, { thinking, effort: wire });
    }
  }
});

test("maps each effort to a share of max_tokens on models that think by budget", () => {
  const table: [ReasoningEffort, number][] = [
    ["minimal", 1_024],
    ["low", 2_000],
    ["medium", 5_000],
    ["high", 8_000],
    ["xhigh", 9_000],
    ["max", 9_500],
  ];
  for (const [effort, budget_tokens] of table) {
    assert.deepEqual(plan(BY_BUDGET, { effort }).plan, { thinking: { type: "enabled", budget_tokens }, effort: null });
  }
  assert.deepEqual(plan(BY_BUDGET, { effort: "none" }).plan.thinking, { type: "disabled" });
});

test("refuses thinking for which max_tokens leaves no room, and budgets below the API's least", () => {
  refuses(BY_BUDGET, { effort: "low", context: { maxTokens: 1_024 } }, "reasoning_effort");
  assert.equal(plan(BY_BUDGET, { effort: "low", context: { maxTokens: 1_025 } }).plan.thinking?.type, "enabled");
  refuses(BY_BUDGET, { budgetTokens: 10_000 }, "reasoning_effort");
  refuses(BY_EFFORT, { budgetTokens: 1_023 }, "reasoning_effort");
});

test("carries a stated budget as it is, with the effort where the model knows efforts", () => {
  assert.deepEqual(plan(BY_EFFORT, { budgetTokens: 4_096, effort: "high" }), {
    plan: { thinking: { type: "enabled", budget_tokens: 4_096 }, effort: "high" },
    losses: [],
  });
  assert.deepEqual(plan(BY_BUDGET, { budgetTokens: 4_096, effort: "high" }), {
    plan: { thinking: { type: "enabled", budget_tokens: 4_096 }, effort: null },
    losses: ["reasoning_effort"],
  });
});

test("refuses a forced tool call, a temperature and top_k together with thinking, but not without", () => {
  for (const model of [BY_EFFORT, BY_BUDGET]) {
    refuses(model, { effort: "high", context: { toolForced: true } }, "tool_choice");
    refuses(model, { effort: "high", request: { temperature: 0.2 } }, "temperature");
    refuses(model, { effort: "high", request: { topK: 5 } }, "top_k");
    assert.equal(plan(model, { effort: "none", context: { toolForced: true } }).plan.thinking?.type, "disabled");
    assert.equal(plan(model, { context: { toolForced: true }, request: { temperature: 0.2 } }).plan.thinking, null);
    assert.notEqual(plan(model, { effort: "high", request: { temperature: 1 } }).plan.thinking, null);
  }
});

test("does not begin to think between a call and its result on models that refuse it, and reports that", () => {
  const turns: ReasoningContext["turns"] = [
    { role: "user", content: [{ type: "text", text: "go" }] },
    { role: "assistant", content: [{ type: "tool_use", id: "a", name: "n", input: {} }] },
    { role: "user", content: [{ type: "tool_result", tool_use_id: "a" }] },
  ];
  assert.deepEqual(plan(BY_BUDGET, { effort: "high", context: { turns } }), {
    plan: { thinking: null, effort: null },
    losses: ["reasoning_effort"],
  });
  assert.equal(plan(BY_EFFORT, { effort: "high", context: { turns } }).plan.thinking?.type, "adaptive");
});

test("knows the generation of a model by its name, as each platform writes it", () => {
  const budget = [
    "claude-3-haiku-20240307",
    "claude-3-7-sonnet@20250219",
    "claude-sonnet-4-20250514",
    "claude-opus-4-1",
    "us.anthropic.claude-haiku-4-5-20251001-v1:0",
    "anthropic/claude-sonnet-4.5",
  ];
  const effort = [
    "claude-opus-4-6",
    "anthropic.claude-sonnet-4-6",
    "anthropic/claude-opus-4.8",
    "claude-sonnet-5",
    "claude-fable-5-1",
    "claude-opus-10",
    "claude-mythos-preview",
    "deepseek-chat",
  ];
  for (const model of budget) assert.equal(thinksByBudget(model), true, model);
  for (const model of effort) assert.equal(thinksByBudget(model), false, model);
  const system = [
    "claude-opus-4-8",
    "claude-opus-5",
    "claude-sonnet-5-5",
    "claude-haiku-5-5-20261001",
    "claude-fable-5",
    "claude-opus-6",
  ];
  const noSystem = [
    "claude-opus-4-7",
    "claude-sonnet-5",
    "claude-sonnet-5-20260630",
    "claude-haiku-4-5",
    "claude-mythos-preview",
    "kimi-k3",
  ];
  for (const model of system) assert.equal(takesSystemTurns(model), true, model);
  for (const model of noSystem) assert.equal(takesSystemTurns(model), false, model);
});
