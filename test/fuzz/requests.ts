/** Bodies that a careless or hostile caller might send: most of each is good, since such bodies get furthest. */
import fc from "fast-check";

const models = ["simulator/sim-chat:tokens=3", "simulator-anthropic/sim-claude:tokens=3", "sim-mini"] as const;

const text = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom("Hi", "water", "Grüße 🌍") },
  { weight: 2, arbitrary: fc.string({ unit: "binary", maxLength: 20 }) },
  { weight: 1, arbitrary: fc.constant("\ud800") },
);
const scalar: fc.Arbitrary<unknown> = fc.oneof(
  text,
  fc.integer(),
  fc.double(),
  fc.boolean(),
  fc.constantFrom(null, 0, -1, 1, 2 ** 53, 1e308),
);
const anything: fc.Arbitrary<unknown> = fc.oneof(
  scalar,
  fc.jsonValue({ maxDepth: 3 }),
  fc.array(scalar, { maxLength: 3 }),
);

/** Now and then anything at all in place of what is good. */
function mostly<Good>(good: fc.Arbitrary<Good>): fc.Arbitrary<unknown> {
  return fc.oneof({ weight: 40, arbitrary: good }, { weight: 1, arbitrary: anything });
}

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

/** One change to the bytes of a good body. */
interface Mutation {
  readonly at: number;
  readonly remove: number;
  readonly insert: Uint8Array;
}

const tokens = ["{", "}", "[", "]", ",", ":", '"', "\\", "\\u", "null", "1", " ", "\u0000", "\ufeff", "é"];
const mutation: fc.Arbitrary<Mutation> = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  remove: fc.nat({ max: 4 }),
  insert: fc.oneof(
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 3 }) },
    { weight: 4, arbitrary: fc.constantFrom(...tokens.map((token) => Buffer.from(token))) },
  ),
});

/** Good bodies with some bytes taken away and others put in. */
export const brokenBodies: fc.Arbitrary<Buffer> = fc
  .tuple(chatBodies, fc.array(mutation, { minLength: 1, maxLength: 2 }))
  .map(([body, changes]) => {
    let bytes = Buffer.from(JSON.stringify(body));
    for (const { at, remove, insert } of changes) {
      const start = Math.floor(at * bytes.length);
      bytes = Buffer.concat([bytes.subarray(0, start), insert, bytes.subarray(start + remove)]);
    }
    return bytes;
  });

export const randomBodies: fc.Arbitrary<Buffer> = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes));
