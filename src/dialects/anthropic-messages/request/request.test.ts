import assert from "node:assert/strict";
import { test } from "node:test";
import type { CanonicalRequest, Item } from "../../canonical.ts";
import type { TargetFacts } from "../../dialect.ts";
import { HeadgateError } from "../../../kernel/errors.ts";
import { ASSUMED_OUTPUT_TOKENS_MAX, encodeRequest } from "./request.ts";

const hello: Item = { type: "message", role: "user", name: null, parts: [{ type: "text", text: "Hello" }] };

const plain: CanonicalRequest = {
  model: "asked",
  stream: false,
  items: [hello],
  tools: [],
  toolChoice: null,
  parallelToolCalls: null,
  maxOutputTokens: null,
  temperature: null,
  topP: null,
  topK: null,
  stop: [],
  outputFormat: null,
  reasoning: null,
  endUser: null,
  serviceTier: null,
  foreign: {},
};

const target: TargetFacts = { model: "claude-opus-4-8", maxOutputTokens: 128_000, quirks: {} };

function encode(
  change: Partial<CanonicalRequest>,
  facts: Partial<TargetFacts> = {},
): { body: Record<string, unknown>; losses: readonly string[] } {
  const { body, losses } = encodeRequest({ ...plain, ...change }, { ...target, ...facts });
  return { body: JSON.parse(Buffer.from(body).toString("utf8")) as Record<string, unknown>, losses };
}

function refuses(change: Partial<CanonicalRequest>, code: string, param: string): void {
  assert.throws(
    () => encode(change),
    (thrown) => thrown instanceof HeadgateError && thrown.code === code && thrown.param === param,
  );
}

test("encodes the least a request can say, in the target's own name for the model", () => {
  assert.deepEqual(encode({}), {
    body: {
      model: "claude-opus-4-8",
      max_tokens: 128_000,
      messages: [{ role: "user", content: [{ type: "text", text: "Hello" }] }],
    },
    losses: [],
  });
});

test("carries every field that has a counterpart", () => {
  const { body, losses } = encode({
    stream: true,
    maxOutputTokens: 100,
    temperature: 0.5,
    topP: 0.9,
    topK: 40,
    stop: ["END", " stop"],
    endUser: "user-7",
    serviceTier: "default",
  });
  assert.deepEqual(losses, []);
  assert.deepEqual(
    { ...body, messages: null },
    {
      model: "claude-opus-4-8",
      max_tokens: 100,
      messages: null,
      temperature: 0.5,
      top_p: 0.9,
      top_k: 40,
      stop_sequences: ["END", " stop"],
      metadata: { user_id: "user-7" },
      service_tier: "standard_only",
      stream: true,
    },
  );
});

test("bounds the output by the caller's figure, else the model's own maximum, else an assumption that it reports", () => {
  assert.equal(encode({ maxOutputTokens: 7 }).body["max_tokens"], 7);
  assert.equal(encode({}, { maxOutputTokens: 64_000 }).body["max_tokens"], 64_000);
  const unknown = encode({}, { model: "claude-of-tomorrow", maxOutputTokens: null });
  assert.equal(unknown.body["max_tokens"], ASSUMED_OUTPUT_TOKENS_MAX);
  assert.deepEqual(unknown.losses, [`max_tokens=${ASSUMED_OUTPUT_TOKENS_MAX}`]);
});

test("maps the service tiers that exist on both sides", () => {
  assert.equal(encode({ serviceTier: "auto" }).body["service_tier"], "auto");
  assert.equal(encode({ serviceTier: "default" }).body["service_tier"], "standard_only");
});

test("keeps zero apart from absent", () => {
  const { body } = encode({ temperature: 0, topP: 0 });
  assert.equal(body["temperature"], 0);
  assert.equal(body["top_p"], 0);
});

test("refuses what the API cannot take, naming the field", () => {
  refuses({ temperature: 1.2 }, "unsupported_parameter", "temperature");
  refuses({ stop: ["END", " \n"] }, "unsupported_parameter", "stop");
  refuses({ stop: [""] }, "unsupported_parameter", "stop");
  refuses({ serviceTier: "flex" }, "unsupported_parameter", "service_tier");
  refuses({ serviceTier: "priority" }, "unsupported_parameter", "service_tier");
  refuses({ outputFormat: { type: "json-object" } }, "unsupported_parameter", "response_format");
});

test("carries a JSON schema as the output format, with its description, and reports the name", () => {
  const schema = { type: "object", properties: {}, additionalProperties: false };
  const format = { type: "json-schema", name: "answer", description: "What to say.", schema, strict: true } as const;
  const { body, losses } = encode({ outputFormat: format });
  assert.deepEqual(body["output_config"], {
    format: { type: "json_schema", schema: { ...schema, description: "What to say." } },
  });
  assert.deepEqual(losses, ["response_format.json_schema.name"]);
  assert.deepEqual(encode({ outputFormat: { ...format, strict: false } }).losses, [
    "response_format.json_schema.name",
    "response_format.json_schema.strict",
  ]);
  assert.equal(encode({ outputFormat: { type: "text" } }).body["output_config"], undefined);
});

test("puts effort and format side by side in output_config", () => {
  const format = {
    type: "json-schema",
    name: "a",
    description: null,
    schema: { type: "object" },
    strict: null,
  } as const;
  const { body } = encode({ outputFormat: format, reasoning: { effort: "high", budgetTokens: null } });
  assert.deepEqual(body["output_config"], {
    effort: "high",
    format: { type: "json_schema", schema: { type: "object" } },
  });
});
