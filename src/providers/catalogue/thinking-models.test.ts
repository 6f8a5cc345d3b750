import assert from "node:assert/strict";
import { test } from "node:test";
import { thinksUnasked } from "./thinking-models.ts";

test("models that think unasked are known by their names, wherever they are served", () => {
  const thinking = ["o1", "o3-mini", "gpt-5", "gpt-5-mini-2025-08-07", "openai/gpt-oss-120b", "gemini-2.5-pro"];
  for (const model of [...thinking, "grok-4-0709", "deepseek-reasoner", "deepseek-ai/DeepSeek-R1", "kimi-k2-thinking"])
    assert.ok(thinksUnasked(model), model);
  const others = [
    "gpt-4o",
    "gpt-5-chat-latest",
    "gemini-2.5-flash-lite",
    "claude-opus-4-6",
    "grok-4-fast-non-reasoning",
  ];
  for (const model of [...others, "deepseek-chat", "o365", "llama-3.3-70b"]) assert.ok(!thinksUnasked(model), model);
});
