import assert from "node:assert/strict";
import { test } from "node:test";
import { goesOnFromAssistantTurn } from "./model-name.ts";

test("models before Claude 4.6 go on from a final turn of the assistant's, later and unknown ones do not", () => {
  for (const model of ["claude-sonnet-4-5", "claude-3-7-sonnet-20250219", "anthropic.claude-haiku-4-5-20251001-v1:0"])
    assert.equal(goesOnFromAssistantTurn(model), true, model);
  for (const model of ["claude-opus-4-6", "claude-sonnet-4.6", "claude-sonnet-5", "claude-opus-5-1", "my-model"])
    assert.equal(goesOnFromAssistantTurn(model), false, model);
});
