import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { HeadgateError } from "../../../kernel/errors.ts";
import { parseJsonDocument, type JsonDocument } from "../../../kernel/json-document.ts";
import type { Needs } from "../../dialect.ts";
import { viewPrompt, viewRequest } from "./view.ts";

const base = { model: "m", max_tokens: 100, messages: [{ role: "user", content: "hi" }] };

function documentOf(body: object): JsonDocument {
  return parseJsonDocument(Buffer.from(JSON.stringify(body)), { depth: 32 });
}

function view(fields: object): ReturnType<typeof viewRequest> {
  return viewRequest(documentOf({ ...base, ...fields }));
}

function refuses(fields: object, param: string, code = "invalid_value"): void {
  assert.throws(
    () => view(fields),
    (thrown) =>
      thrown instanceof HeadgateError &&
      thrown.code === code &&
      thrown.param === param &&
      thrown.message.startsWith(param),
    param,
  );
}

function needed(fields: object): (keyof Needs)[] {
  const { needs } = view(fields);
  return (Object.keys(needs) as (keyof Needs)[]).filter((name) => needs[name]);
}

describe("the view of a Messages request", () => {
  test("says that fast mode is asked for as the tier that it is priced by", () => {
    assert.equal(view({ speed: "fast" }).serviceTier, "fast");
    refuses({ service_tier: 5, speed: "fast" }, "service_tier");
    assert.equal(view({ speed: "standard", service_tier: "auto" }).serviceTier, "auto");
  });

  test("says how much output the thinking that is asked for takes at the least", () => {
    assert.equal(view({ thinking: { type: "enabled", budget_tokens: 1024 } }).leastOutputTokens, 1025);
    assert.equal(view({ thinking: { type: "adaptive" } }).leastOutputTokens, undefined);
  });

  test("takes no conversation that a provider keeps", () => {
    refuses({ thread: { type: "create" } }, "thread", "unsupported_parameter");
    assert.equal(view({ thread: null }).model, "m");
  });

  test("says what admission and planning read", () => {
    const {
      document: _document,
      needs: _needs,
      ...rest
    } = view({
      stream: true,
      metadata: { user_id: "u-1" },
      service_tier: "standard_only",
    });
    assert.deepEqual(rest, {
      model: "m",
      stream: true,
      endUser: "u-1",
      maxOutputTokens: 100,
      choices: 1,
      wantsStreamUsage: true,
      serviceTier: "standard_only",
    });
    assert.deepEqual(needed({}), []);
  });

  test("takes a bound of zero, which only warms the prompt cache", () => {
    assert.equal(view({ max_tokens: 0 }).maxOutputTokens, 0);
  });

  test("needs no bound where only the prompt is counted", () => {
    const { max_tokens: _bound, ...prompt } = base;
    assert.equal(viewPrompt(documentOf(prompt)).maxOutputTokens, null);
    assert.throws(
      () => viewRequest(documentOf(prompt)),
      (thrown) => thrown instanceof HeadgateError && thrown.code === "missing_field" && thrown.param === "max_tokens",
    );
  });

  test("tells from the request what a target must be able to do", () => {
    const image = { type: "image", source: { type: "url", url: "https://example.com/a.png" } };
    const document = { type: "document", source: { type: "url", url: "https://example.com/a.pdf" } };
    const result = { type: "tool_result", tool_use_id: "t", content: [image, document] };
    const use = { type: "tool_use", id: "t", name: "f", input: {} };
    const says = (role: string, block: object): object => ({ messages: [{ role, content: [block] }] });
    assert.deepEqual(needed({ tools: [{ name: "f", input_schema: {} }] }), ["tools"]);
    assert.deepEqual(needed({ tools: [] }), []);
    assert.deepEqual(needed(says("assistant", use)), ["tools"]);
    assert.deepEqual(needed(says("user", result)), ["tools", "images", "documents"]);
    assert.deepEqual(needed(says("user", image)), ["images"]);
    assert.deepEqual(needed(says("user", document)), ["documents"]);
    assert.deepEqual(needed({ tool_choice: { type: "auto", disable_parallel_tool_use: true } }), ["parallelTools"]);
    assert.deepEqual(needed({ tool_choice: { type: "auto", disable_parallel_tool_use: false } }), []);
    assert.deepEqual(needed({ thinking: { type: "adaptive" } }), ["reasoning"]);
    assert.deepEqual(needed({ thinking: { type: "enabled", budget_tokens: 1024 } }), ["reasoning"]);
    assert.deepEqual(needed({ output_config: { effort: "low" } }), ["reasoning"]);
    assert.deepEqual(needed({ thinking: { type: "disabled" }, output_config: { effort: "low" } }), []);
    assert.deepEqual(needed({ output_config: { format: { type: "json_schema", schema: {} } } }), ["jsonSchema"]);
    assert.deepEqual(needed({ output_format: { type: "json_schema", schema: {} } }), ["jsonSchema"]);
  });

  test("lets pass what is new to it", () => {
    assert.deepEqual(
      needed({
        tomorrow: 1,
        tools: [{ type: "web_search_20990101", name: "web_search" }],
        messages: [{ role: "critic", content: [{ type: "hologram", frames: 3 }] }],
        thinking: { type: "between_tools" },
      }),
      ["tools", "reasoning"],
    );
  });

  test("refuses each field of the wrong form by its path", () => {
    refuses({ model: undefined }, "model", "missing_field");
    refuses({ model: "" }, "model");
    refuses({ max_tokens: undefined }, "max_tokens", "missing_field");
    for (const bound of [-1, 1.5, "10", 1e9]) refuses({ max_tokens: bound }, "max_tokens");
    refuses({ messages: undefined }, "messages", "missing_field");
    refuses({ messages: [] }, "messages");
    refuses({ messages: "hi" }, "messages");
    refuses({ messages: ["hi"] }, "messages[0]");
    refuses({ messages: [{ content: "hi" }] }, "messages[0].role", "missing_field");
    refuses({ messages: [{ role: 1, content: "hi" }] }, "messages[0].role");
    refuses({ messages: [{ role: "user" }] }, "messages[0].content", "missing_field");
    refuses({ messages: [{ role: "user", content: null }] }, "messages[0].content");
    refuses({ messages: [{ role: "user", content: ["hi"] }] }, "messages[0].content[0]");
    refuses({ messages: [{ role: "user", content: [{ text: "hi" }] }] }, "messages[0].content[0]");
    const result = { type: "tool_result", tool_use_id: "t" };
    const told = (content: unknown): object => ({ messages: [{ role: "user", content: [{ ...result, content }] }] });
    refuses(told(5), "messages[0].content[0].content");
    refuses(told([{ type: "text", text: "a" }, "b"]), "messages[0].content[0].content[1]");
    refuses({ system: 5 }, "system");
    refuses({ system: ["a"] }, "system[0]");
    refuses({ stream: "yes" }, "stream");
    refuses({ stop_sequences: "END" }, "stop_sequences");
    refuses({ stop_sequences: ["a", 1] }, "stop_sequences");
    for (const name of ["temperature", "top_p", "top_k"]) refuses({ [name]: "0.5" }, name);
    refuses({ tools: {} }, "tools");
    refuses({ tools: [null] }, "tools[0]");
    refuses({ tool_choice: "auto" }, "tool_choice");
    refuses({ tool_choice: { disable_parallel_tool_use: 1 } }, "tool_choice.disable_parallel_tool_use");
    refuses({ thinking: "yes" }, "thinking");
    refuses({ output_config: [] }, "output_config");
    refuses({ output_config: { format: "json" } }, "output_config.format");
    refuses({ metadata: "me" }, "metadata");
    refuses({ metadata: { user_id: 5 } }, "metadata.user_id");
    refuses({ metadata: { user_id: "x".repeat(513) } }, "metadata.user_id");
    refuses({ service_tier: 1 }, "service_tier");
  });
});
