/** What callers of Anthropic's Messages API send, most of it good. */
import { fc } from "../support/properties.ts";
import { anything, mostly, text } from "./bodies.ts";

const models = ["simulator-anthropic/sim-claude:tokens=3", "simulator/sim-chat:tokens=3", "sim-mini"] as const;

const cache = mostly(fc.constantFrom({ type: "ephemeral" }, { type: "ephemeral", ttl: "1h" }));
const textBlock = fc.record(
  { type: fc.constant("text"), text: mostly(text), cache_control: cache },
  { requiredKeys: ["type", "text"] },
);
const source = fc.oneof(
  fc.record({ type: fc.constant("base64"), media_type: mostly(fc.constant("image/png")), data: mostly(text) }),
  fc.record({ type: fc.constant("url"), url: mostly(fc.constant("https://example.com/a")) }),
  fc.record({ type: fc.constant("text"), media_type: mostly(fc.constant("text/plain")), data: mostly(text) }),
  fc.record({ type: fc.constant("file"), file_id: mostly(text) }),
);
const media = fc.record({ type: fc.constantFrom("image", "document"), source: mostly(source) });
const id = mostly(fc.constantFrom("toolu_1", "toolu_2", "functions.look:0"));
const result = fc.record({
  type: fc.constant("tool_result"),
  tool_use_id: id,
  content: mostly(fc.oneof(text, fc.array(fc.oneof(textBlock, media), { maxLength: 2 }))),
  is_error: mostly(fc.boolean()),
});
const use = fc.record({
  type: fc.constant("tool_use"),
  id,
  name: mostly(fc.constant("look")),
  input: mostly(fc.constantFrom({}, { a: 1 }, { a: 2 ** 60 })),
});
const thought = fc.oneof(
  fc.record({ type: fc.constant("thinking"), thinking: mostly(text), signature: mostly(text) }),
  fc.record({ type: fc.constant("redacted_thinking"), data: mostly(text) }),
);
const other = fc.record({
  type: fc.constantFrom("search_result", "server_tool_use", "container_upload", "new"),
  content: anything,
});

function blocks(...kinds: { weight: number; arbitrary: fc.Arbitrary<unknown> }[]): fc.Arbitrary<unknown> {
  return mostly(fc.oneof(text, fc.array(mostly(fc.oneof(...kinds)), { minLength: 1, maxLength: 3 })));
}

const said = { weight: 12, arbitrary: textBlock };
const strange = { weight: 1, arbitrary: other };
const asked = blocks(said, { weight: 2, arbitrary: media }, { weight: 2, arbitrary: result }, strange);
const answered = blocks(said, { weight: 3, arbitrary: use }, { weight: 3, arbitrary: thought }, strange);
const message = fc.oneof(
  { weight: 6, arbitrary: fc.record({ role: mostly(fc.constant("user")), content: asked }) },
  { weight: 3, arbitrary: fc.record({ role: fc.constant("assistant"), content: answered }) },
  { weight: 1, arbitrary: fc.record({ role: fc.constant("system"), content: blocks(said) }) },
);
const schema = fc.constant({ type: "object", properties: { a: { type: "string" } }, additionalProperties: false });
const tool = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record(
      {
        name: mostly(fc.constant("look")),
        description: mostly(text),
        input_schema: mostly(schema),
        cache_control: cache,
      },
      { requiredKeys: ["name", "input_schema"] },
    ),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("web_search_20250305"), name: fc.constant("web_search") }) },
);
const thinking = fc.oneof(
  fc.record({ type: fc.constantFrom("adaptive", "disabled", "between_tools") }),
  fc.record({ type: fc.constant("enabled"), budget_tokens: mostly(fc.constant(1024)) }),
);

/** The optional fields come and go; one in some is of no right kind, or known to nobody. */
export const messagesBodies: fc.Arbitrary<object> = fc.record(
  {
    model: mostly(fc.constantFrom(...models)),
    max_tokens: mostly(fc.constantFrom(5, 100, 2_000)),
    messages: mostly(fc.array(mostly(message), { minLength: 1, maxLength: 4 })),
    system: blocks(said),
    stream: mostly(fc.boolean()),
    temperature: mostly(fc.constantFrom(0, 0.5, 1)),
    top_p: mostly(fc.constantFrom(0.1, 1)),
    top_k: mostly(fc.constantFrom(1, 40)),
    stop_sequences: mostly(fc.array(text, { maxLength: 4 })),
    tools: mostly(fc.array(mostly(tool), { maxLength: 2 })),
    tool_choice: mostly(fc.record({ type: fc.constantFrom("auto", "none") })),
    thinking: mostly(thinking),
    output_config: mostly(fc.record({ effort: mostly(fc.constantFrom("low", "max")) })),
    metadata: mostly(fc.record({ user_id: mostly(text) })),
    service_tier: mostly(fc.constantFrom("auto", "standard_only")),
    cache_control: cache,
    container: fc.constantFrom(null, "c"),
  },
  { requiredKeys: ["model", "max_tokens", "messages"] },
);
