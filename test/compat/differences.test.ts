/**
 * What OpenAI's API takes and Anthropic's has no counterpart for. Nothing of it is dropped in silence: what changes the
 * answer is refused by name, what does not is left out and named in a header. A provider that speaks the caller's own
 * dialect gets all of it.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { BadRequestError } from "openai";
import type { ChatCompletionCreateParamsNonStreaming } from "openai/resources/chat/completions";
import { openSuite, testBooks } from "./suite.ts";
import { upstreams } from "./upstreams.ts";

type Change = Partial<ChatCompletionCreateParamsNonStreaming>;

const messages = [{ role: "user" as const, content: "hi" }];
const tool = { type: "function" as const, function: { name: "look_up" } };

const refused: readonly (readonly [string, Change])[] = [
  ["n", { n: 3 }],
  ["logprobs", { logprobs: true, top_logprobs: 2 }],
  ["logit_bias", { logit_bias: { "50256": -100 } }],
  ["presence_penalty", { presence_penalty: 0.5 }],
  ["frequency_penalty", { frequency_penalty: -0.5 }],
  ["temperature", { temperature: 1.5 }],
  ["stop", { stop: "\n" }],
  ["service_tier", { service_tier: "flex" }],
  ["verbosity", { verbosity: "low" }],
  ["response_format", { response_format: { type: "json_object" } }],
  ["web_search_options", { web_search_options: { search_context_size: "low" } }],
  ["tools[1]", { tools: [tool, { type: "custom", custom: { name: "free" } }] }],
  ["tool_choice", { tools: [tool], tool_choice: "required", reasoning_effort: "high" }],
  ["functions", { functions: [{ name: "old" }] }],
  ["messages[0].mood", { messages: [{ role: "user", content: "hi", mood: "good" } as (typeof messages)[number]] }],
  ["new_next_year", { new_next_year: true } as Change],
];

const reported: readonly (readonly [string, Change])[] = [
  ["seed", { seed: 7 }],
  ["metadata", { metadata: { team: "a" } }],
  ["store", { store: true }],
  ["prompt_cache_key", { prompt_cache_key: "k" }],
  ["prediction", { prediction: { type: "content", content: "hi" } }],
  ["messages.name", { messages: [{ role: "user", name: "ada", content: "hi" }] }],
];

describe("what only OpenAI's API has", () => {
  const suite = openSuite();
  const [native, translated] = upstreams.map(({ model }) => model) as [string, string];

  for (const [param, change] of refused) {
    test(`${param} is passed on where it means something, and refused by name elsewhere`, async () => {
      const completion = await suite.client.chat.completions.create({ messages, ...change, model: native });
      assert.ok(completion.choices.length > 0);
      await assert.rejects(
        suite.client.chat.completions.create({ messages, ...change, model: translated }),
        (error) => {
          assert.ok(error instanceof BadRequestError, String(error));
          assert.deepEqual([error.param, error.code], [param, "unsupported_parameter"]);
          return true;
        },
      );
    });
  }

  for (const [name, change] of reported) {
    test(`${name} is passed on where it means something, and named in x-headgate-dropped elsewhere`, async () => {
      for (const [model, dropped] of [
        [native, null],
        [translated, name],
      ] as const) {
        for (const stream of [false, true]) {
          const request = { messages, ...change, model, stream };
          const response = await suite.client.chat.completions.create(request).asResponse();
          assert.equal(response.headers.get("x-headgate-dropped"), dropped);
          assert.match(await response.text(), /"finish_reason":"stop"/);
        }
      }
    });
  }

  test("what is asked for in vain, as its own default, is neither refused nor reported", async () => {
    const { response } = await suite.client.chat.completions
      .create({ messages, model: translated, n: 1, logprobs: false, presence_penalty: 0, store: false, logit_bias: {} })
      .withResponse();
    assert.equal(response.headers.get("x-headgate-dropped"), null);
  });

  testBooks(suite);
});
