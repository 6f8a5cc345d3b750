import { after, before, describe, test } from "node:test";
import { Scene } from "./scene.ts";

let scene: Scene;
before(async () => {
  scene = await Scene.open();
});
after(async () => {
  await scene.assertNoSecrets();
  await scene[Symbol.asyncDispose]();
});

type Fields = Readonly<Record<string, unknown>>;

interface BadField {
  readonly fields: Fields;
  readonly param: string;
  /** Default `invalid_value`. */
  readonly code?: string;
}

const hi = { role: "user", content: "Hi" };
const model = "simulator/sim-chat:tokens=3";
const message = (fields: Fields): Fields => ({ messages: [hi, { role: "user", content: "x", ...fields }] });
/** One more than the largest number that is exact. */
const tooLarge = 2 ** 53;

/** A chat completion with one thing wrong; `undefined` takes a field away. */
const chat: readonly BadField[] = [
  { fields: { model: undefined }, param: "model", code: "missing_field" },
  { fields: { model: null }, param: "model", code: "missing_field" },
  { fields: { model: "" }, param: "model" },
  { fields: { model: 7 }, param: "model" },
  { fields: { model: ["sim-chat"] }, param: "model" },
  { fields: { messages: undefined }, param: "messages", code: "missing_field" },
  { fields: { messages: [] }, param: "messages" },
  { fields: { messages: "Hi" }, param: "messages" },
  { fields: { messages: hi }, param: "messages" },
  { fields: { messages: ["Hi"] }, param: "messages[0]" },
  { fields: { messages: [null] }, param: "messages[0]" },
  { fields: { messages: [[hi]] }, param: "messages[0]" },
  { fields: message({ role: undefined }), param: "messages[1].role", code: "missing_field" },
  { fields: message({ role: 1 }), param: "messages[1].role" },
  { fields: message({ content: undefined }), param: "messages[1].content", code: "missing_field" },
  { fields: message({ content: null }), param: "messages[1].content" },
  { fields: message({ content: 5 }), param: "messages[1].content" },
  { fields: message({ content: { type: "text" } }), param: "messages[1].content" },
  { fields: message({ content: ["text"] }), param: "messages[1].content[0]" },
  { fields: message({ content: [{ type: "text", text: "a" }, { text: "b" }] }), param: "messages[1].content[1]" },
  { fields: message({ content: [{ type: 3 }] }), param: "messages[1].content[0]" },
  { fields: message({ role: "tool" }), param: "messages[1].tool_call_id" },
  { fields: message({ role: "tool", tool_call_id: 1 }), param: "messages[1].tool_call_id" },
  { fields: message({ role: "assistant", tool_calls: {} }), param: "messages[1].tool_calls" },
  { fields: { stream: "true" }, param: "stream" },
  { fields: { stream: 1 }, param: "stream" },
  { fields: { stream_options: [] }, param: "stream_options" },
  { fields: { stream_options: { include_usage: "yes" } }, param: "stream_options.include_usage" },
  { fields: { max_tokens: 0 }, param: "max_tokens" },
  { fields: { max_tokens: -5 }, param: "max_tokens" },
  { fields: { max_tokens: 1.5 }, param: "max_tokens" },
  { fields: { max_tokens: "100" }, param: "max_tokens" },
  { fields: { max_completion_tokens: tooLarge }, param: "max_completion_tokens" },
  { fields: { max_completion_tokens: {} }, param: "max_completion_tokens" },
  { fields: { n: 0 }, param: "n" },
  { fields: { n: 129 }, param: "n" },
  { fields: { n: "2" }, param: "n" },
  { fields: { temperature: "1" }, param: "temperature" },
  { fields: { top_p: true }, param: "top_p" },
  { fields: { stop: 5 }, param: "stop" },
  { fields: { stop: ["a", 1] }, param: "stop" },
  { fields: { tools: {} }, param: "tools" },
  { fields: { tools: ["search"] }, param: "tools[0]" },
  { fields: { tools: [{ function: { name: "f" } }] }, param: "tools[0].type" },
  { fields: { tool_choice: 1 }, param: "tool_choice" },
  { fields: { tool_choice: [] }, param: "tool_choice" },
  { fields: { parallel_tool_calls: "no" }, param: "parallel_tool_calls" },
  { fields: { functions: "f" }, param: "functions" },
  { fields: { response_format: "json" }, param: "response_format" },
  { fields: { logprobs: 1 }, param: "logprobs" },
  { fields: { modalities: "audio" }, param: "modalities" },
  { fields: { user: 42 }, param: "user" },
  { fields: { user: { id: 1 } }, param: "user" },
  { fields: { safety_identifier: [] }, param: "safety_identifier" },
];

const embeddings: readonly BadField[] = [
  { fields: { model: undefined }, param: "model", code: "missing_field" },
  { fields: { model: "" }, param: "model" },
  { fields: { input: undefined }, param: "input", code: "missing_field" },
  { fields: { input: "" }, param: "input" },
  { fields: { input: [] }, param: "input" },
  { fields: { input: 5 }, param: "input" },
  { fields: { input: ["a", ""] }, param: "input[1]" },
  { fields: { input: ["a", 1] }, param: "input[1]" },
  { fields: { input: [[1, 2], [-1]] }, param: "input[1]" },
  { fields: { input: [1.5] }, param: "input[0]" },
  { fields: { encoding_format: "hex" }, param: "encoding_format" },
  { fields: { encoding_format: 1 }, param: "encoding_format" },
  { fields: { dimensions: 0 }, param: "dimensions" },
  { fields: { dimensions: "3" }, param: "dimensions" },
  { fields: { user: 1 }, param: "user" },
];

function describeFields(fields: Fields): string {
  const text = JSON.stringify(fields, (_, value: unknown) => (value === undefined ? "absent" : value));
  return text.length > 90 ? `${text.slice(0, 90)}…` : text;
}

function check(path: string, base: Fields, cases: readonly BadField[]): void {
  for (const { fields, param, code = "invalid_value" } of cases) {
    test(`${describeFields(fields)} names ${param}`, () => {
      const body = JSON.stringify({ ...base, ...fields });
      const field = new RegExp(param.replaceAll(/[[\].]/g, String.raw`\$&`));
      const bytes = scene.post(body, "content-type: application/json\r\n", path);
      return scene.refuses(bytes, { status: 400, code, param, message: field });
    });
  }
}

describe("a chat completion with a field of the wrong type or range is refused by the field's name:", () => {
  check("/v1/chat/completions", { model, messages: [hi] }, chat);
});

describe("an embedding request with a field of the wrong type or range is refused by the field's name:", () => {
  check("/v1/embeddings", { model: "simulator/sim-embed", input: "Hi" }, embeddings);
});
