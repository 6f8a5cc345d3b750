import assert from "node:assert/strict";
import { test } from "node:test";
import { HeadgateError } from "../../../kernel/errors.ts";
import { refuseForeignFields } from "./foreign.ts";

function judge(foreign: Record<string, unknown>): string[] {
  const losses = new Set<string>();
  refuseForeignFields(foreign, losses);
  return [...losses];
}

test("refuses by name each field that changes the answer", () => {
  const fields: Record<string, unknown> = {
    n: 2,
    logit_bias: { "50256": -100 },
    logprobs: true,
    top_logprobs: 5,
    presence_penalty: 0.5,
    frequency_penalty: -1,
    verbosity: "low",
    modalities: ["text", "audio"],
    audio: { voice: "alloy", format: "wav" },
    web_search_options: {},
    functions: [{ name: "f" }],
    function_call: { name: "f" },
    a_field_of_tomorrow: 1,
    "tools[0]": { type: "custom" },
    "messages[3].weight": 0,
    "messages[3].refusal": "No.",
    constructor: 1,
  };
  for (const [name, value] of Object.entries(fields)) {
    assert.throws(
      () => judge({ [name]: value }),
      (thrown) =>
        thrown instanceof HeadgateError &&
        thrown.code === "unsupported_parameter" &&
        thrown.param === name &&
        thrown.message.includes(`\`${name}\``),
      name,
    );
  }
});

test("reports each field that leaves the answer as it is", () => {
  const fields: Record<string, unknown> = {
    seed: 7,
    prediction: { type: "content", content: "x" },
    store: true,
    metadata: { team: "a" },
    prompt_cache_key: "k",
    prompt_cache_retention: "24h",
    safety_identifier: "u",
  };
  assert.deepEqual(judge(fields), Object.keys(fields));
});

test("reports a field inside messages and tools once, wherever it stands", () => {
  const fields: Record<string, unknown> = {};
  for (let index = 0; index < 1000; index++) fields[`tools[${index}].cache_control`] = { type: "ephemeral" };
  fields["messages[3].content[0].cache_control"] = { type: "ephemeral" };
  fields["messages[5].name"] = "look_up";
  assert.deepEqual(judge(fields), ["tools[].cache_control", "messages[].content[].cache_control", "messages[].name"]);
});

test("lets pass what asks for nothing", () => {
  const neutral = {
    n: 1,
    logit_bias: {},
    logprobs: false,
    top_logprobs: 0,
    presence_penalty: 0,
    frequency_penalty: 0,
    verbosity: "medium",
    modalities: ["text"],
    seed: null,
    audio: null,
    store: false,
    metadata: {},
    a_field_of_tomorrow: null,
    "messages[0].tool_calls": [],
    "messages[0].refusal": "",
    "messages[0].reasoning_content": "",
  };
  assert.deepEqual(judge(neutral), []);
});
