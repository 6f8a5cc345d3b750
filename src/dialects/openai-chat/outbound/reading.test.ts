import assert from "node:assert/strict";
import { test } from "node:test";
import { HeadgateError } from "../../../kernel/errors.ts";
import { readResponse } from "./reading.ts";

function choice(fields: object): object {
  return { index: 0, message: { role: "assistant", content: "hé" }, finish_reason: "stop", ...fields };
}

test("reads what accounting needs of a whole answer", () => {
  const usage = { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 };
  const reading = readResponse({ id: "c", model: "m", choices: [choice({})], usage }, {});
  assert.deepEqual(
    [reading.id, reading.model, reading.finish, reading.outputBytes, reading.usage?.inputTokens],
    ["c", "m", "stop", 3, 3],
  );
});

test("adds up several choices, and is finished only if all are", () => {
  assert.equal(readResponse({ choices: [choice({}), choice({ index: 1 })] }, {}).outputBytes, 6);
  assert.equal(readResponse({ choices: [choice({ finish_reason: null }), choice({})] }, {}).finish, null);
});

test("refuses what is not a chat completion", () => {
  for (const json of [null, [], {}, { choices: [] }, { choices: [1] }, { choices: {} }, { object: "list", data: [] }]) {
    assert.throws(
      () => readResponse(json, {}),
      (thrown) => thrown instanceof HeadgateError && thrown.code === "upstream_malformed",
      JSON.stringify(json),
    );
  }
});

test("reports a choice that ended in an error as the provider's failure", () => {
  const failed = choice({ finish_reason: "error", error: { code: 503, message: "no capacity" } });
  assert.throws(
    () => readResponse({ choices: [failed] }, {}),
    (thrown) => thrown instanceof HeadgateError && thrown.code === "upstream_overloaded",
  );
});
