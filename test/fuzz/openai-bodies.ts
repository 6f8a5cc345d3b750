/** What callers of OpenAI's API send, most of it good. */
import { fc } from "../support/properties.ts";
import { anything, mostly, text } from "./bodies.ts";

const models = ["simulator/sim-chat:tokens=3", "simulator-anthropic/sim-claude:tokens=3", "sim-mini"] as const;

const image = "data:image/png;base64,iVBORw0KGgo=";
const part = fc.oneof(
  { weight: 6, arbitrary: fc.record({ type: fc.constant("text"), text: mostly(text) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant("image_url"),
      image_url: mostly(fc.record({ url: mostly(fc.constant(image)) })),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ type: fc.constantFrom("file", "input_audio", "refusal", "new"), file: anything }),
  },
);
const call = fc.record({
  id: mostly(fc.constantFrom("call_1", "call_2")),
  type: fc.constant("function"),
  function: fc.record({
    name: mostly(fc.constant("look")),
    arguments: mostly(fc.constantFrom("{}", '{"a":1}', "not json")),
  }),
});
const content = mostly(fc.oneof(text, fc.array(part, { minLength: 1, maxLength: 3 })));
const message = fc.oneof(
  { weight: 6, arbitrary: fc.record({ role: mostly(fc.constant("user")), content }) },
  { weight: 2, arbitrary: fc.record({ role: fc.constantFrom("system", "developer"), content: mostly(text) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      role: fc.constant("assistant"),
      content: mostly(text),
      tool_calls: mostly(fc.array(mostly(call), { minLength: 1, maxLength: 2 })),
      reasoning_details: mostly(fc.constant([])),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      role: fc.constant("tool"),
      tool_call_id: mostly(fc.constant("call_1")),
      content: mostly(text),
    }),
  },
);
const schema = fc.constant({ type: "object", properties: { a: { type: "string" } }, required: ["a"] });
const tool = fc.record({
  type: mostly(fc.constant("function")),
  function: mostly(
    fc.record({ name: mostly(fc.constant("look")), description: mostly(text), parameters: mostly(schema) }),
  ),
});
const format = fc.oneof(
  fc.record({ type: fc.constantFrom("text", "json_object") }),
  fc.record({
    type: fc.constant("json_schema"),
    json_schema: mostly(fc.record({ name: mostly(fc.constant("a")), schema: mostly(schema) })),
  }),
);

/** Chat completions. The optional fields come and go; one in some is of no right kind, or known to nobody. */
export const chatBodies: fc.Arbitrary<object> = fc.record(
  {
    model: mostly(fc.constantFrom(...models)),
    messages: mostly(fc.array(message, { minLength: 1, maxLength: 4 })),
    stream: mostly(fc.boolean()),
    stream_options: mostly(fc.record({ include_usage: mostly(fc.boolean()) })),
    max_tokens: mostly(fc.integer({ min: 1, max: 100 })),
    max_completion_tokens: mostly(fc.integer({ min: 1, max: 100 })),
    temperature: mostly(fc.constantFrom(0, 0.5, 1)),
    top_p: mostly(fc.constantFrom(0.1, 1)),
    n: mostly(fc.constant(1)),
    stop: mostly(fc.oneof(text, fc.array(text, { maxLength: 4 }))),
    tools: mostly(fc.array(mostly(tool), { maxLength: 3 })),
    tool_choice: mostly(fc.constantFrom("auto", "none")),
    parallel_tool_calls: mostly(fc.boolean()),
    response_format: mostly(format),
    reasoning_effort: mostly(fc.constantFrom("low", "high", "none")),
    user: mostly(text),
    seed: mostly(fc.nat()),
    metadata: mostly(fc.constant({})),
    service_tier: mostly(fc.constant("auto")),
    logprobs: mostly(fc.constant(false)),
  },
  { requiredKeys: ["model", "messages"] },
);

export const embeddingBodies: fc.Arbitrary<object> = fc.record(
  {
    model: mostly(fc.constantFrom("simulator/sim-embed", "sim-embed")),
    input: mostly(
      fc.oneof(
        fc.constant("Hi"),
        fc.array(fc.constantFrom("a", "b"), { minLength: 1, maxLength: 3 }),
        fc.array(fc.nat(), { minLength: 1 }),
      ),
    ),
    encoding_format: mostly(fc.constantFrom("float", "base64")),
    dimensions: mostly(fc.integer({ min: 1, max: 64 })),
    user: mostly(text),
  },
  { requiredKeys: ["model", "input"] },
);
