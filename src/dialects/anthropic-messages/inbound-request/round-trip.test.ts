import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../../../../test/support/properties.ts";
import { parseJsonDocument } from "../../../kernel/json-document.ts";
import type { CanonicalRequest, Item, Part, ReasoningEffort, Tool } from "../../canonical.ts";
import { viewRequest } from "../inbound/view.ts";
import { encodeRequest } from "../request/request.ts";
import { decodeRequest } from "./request.ts";

/** Takes turns of the system between the others, and thinks by effort. */
const MODEL = "claude-opus-4-8";
const CACHE_BREAKPOINTS_MAX = 4;

const words = fc.string({ minLength: 1, unit: "grapheme" });
const name = fc.stringMatching(/^[a-zA-Z0-9_-]{1,20}$/);
const base64 = fc.base64String({ minLength: 4 });
const origin = "anthropic-messages";

const textPart: fc.Arbitrary<Part> = fc.oneof(
  words.map((text): Part => ({ type: "text", text })),
  fc.tuple(words, fc.constantFrom("5m", "1h")).map(([text, ttl]): Part => ({ type: "text", text, cache: { ttl } })),
);
const url = fc.webUrl().map((address) => ({ from: "url", url: address }) as const);
const file = name.map((fileId) => ({ from: "file", fileId, origin }) as const);
const picture = fc
  .tuple(fc.constantFrom("image/png", "image/jpeg", "image/gif", "image/webp"), base64)
  .map(([mediaType, data]) => ({ from: "base64", mediaType, data }) as const);
const paper = fc.oneof(
  base64.map((data) => ({ from: "base64", mediaType: "application/pdf", data }) as const),
  words.map(
    (text) => ({ from: "base64", mediaType: "text/plain", data: Buffer.from(text).toString("base64") }) as const,
  ),
);
const mediaPart: fc.Arbitrary<Part> = fc.oneof(
  fc.oneof(url, file, picture).map((source): Part => ({ type: "image", source, detail: null })),
  fc.tuple(fc.oneof(url, file, paper), fc.option(words)).map(([source, title]): Part => ({
    type: "document",
    source,
    name: title,
  })),
);
const parts = fc.array(fc.oneof(textPart, mediaPart), { minLength: 1, maxLength: 3 });

function message(role: "system" | "user" | "assistant", said: fc.Arbitrary<readonly Part[]>): fc.Arbitrary<Item> {
  return said.map((each): Item => ({ type: "message", role, name: null, parts: each }));
}

const texts = fc.array(textPart, { minLength: 1, maxLength: 3 });
const reasoning = fc
  .oneof(
    fc.tuple(fc.string(), fc.constant("signature"), base64),
    fc.tuple(fc.constant(""), fc.constant("redacted_thinking"), base64),
  )
  .map(([text, kind, value]): Item => ({ type: "reasoning", text, opaque: [{ origin, kind, value }] }));
const argumentsText = fc.oneof(
  fc.dictionary(fc.string(), fc.jsonValue()).map((value) => JSON.stringify(value)),
  fc.constant('{"id":9223372036854775807}'),
);
const call = fc
  .record({ callId: words, name, arguments: argumentsText })
  .map((fields): Item => ({ type: "tool-call", ...fields }));
const result = fc
  .record({ callId: words, parts: fc.oneof(parts, fc.constant([])), isError: fc.boolean() })
  .map((fields): Item => ({ type: "tool-result", ...fields }));

const userTurn = fc
  .tuple(fc.array(result, { maxLength: 2 }), message("user", parts))
  .map(([results, spoken]) => [...results, spoken]);
const assistantTurn = fc
  .tuple(
    fc.array(reasoning, { maxLength: 2 }),
    message("assistant", texts),
    fc.array(fc.oneof(call, reasoning), { maxLength: 3 }),
  )
  .map(([thought, spoken, more]) => [...thought, spoken, ...more]);
const exchange = fc
  .tuple(userTurn, fc.option(message("system", texts)), assistantTurn)
  .map(([asked, reminder, answered]) => [...asked, ...(reminder === null ? [] : [reminder]), ...answered]);
const items = fc
  .tuple(fc.option(message("system", texts)), fc.array(exchange, { maxLength: 3 }), userTurn)
  .map(([system, exchanges, last]) => [...(system === null ? [] : [system]), ...exchanges.flat(), ...last])
  .filter((all) => JSON.stringify(all).split('"cache":').length <= CACHE_BREAKPOINTS_MAX + 1);

const tool = fc
  .record({
    name,
    description: fc.option(words),
    parameters: fc.constantFrom({ type: "object" }, { type: "object", properties: { a: { maximum: 5 } } }),
    strict: fc.constantFrom(null, true),
  })
  .map((fields): Tool => ({ ...fields }));
const efforts: readonly ReasoningEffort[] = ["low", "medium", "high", "xhigh", "max"];
const choice = fc.constantFrom(
  { toolChoice: null, parallelToolCalls: null },
  { toolChoice: { mode: "auto" }, parallelToolCalls: false },
  { toolChoice: { mode: "none" }, parallelToolCalls: null },
) satisfies fc.Arbitrary<Partial<CanonicalRequest>>;
const forced = fc.constantFrom(
  { toolChoice: { mode: "required" }, parallelToolCalls: false },
  { toolChoice: { mode: "required" }, parallelToolCalls: null },
) satisfies fc.Arbitrary<Partial<CanonicalRequest>>;
const sampling = fc.record({
  temperature: fc.option(fc.double({ min: 0, max: 1, noNaN: true }).map((value) => value + 0)),
  topK: fc.option(fc.integer({ min: 1, max: 500 })),
});
const thinking = fc.oneof(
  fc.constant({ effort: null, budgetTokens: null }),
  fc
    .tuple(fc.constantFrom(null, ...efforts), fc.integer({ min: 1024, max: 1999 }))
    .map(([effort, budgetTokens]) => ({ effort, budgetTokens })),
  fc.constantFrom(...efforts).map((effort) => ({ effort, budgetTokens: null })),
);
/** Who thinks is not forced to call a tool and takes the model's own sampling. */
const mood = fc.oneof(
  fc.tuple(fc.oneof(choice, forced), sampling).map(([first, second]) => ({ ...first, ...second, reasoning: null })),
  fc.tuple(choice, thinking).map(([first, second]) => ({ ...first, reasoning: second, temperature: null, topK: null })),
  fc.tuple(fc.oneof(choice, forced), sampling).map(([first, second]) => ({
    ...first,
    ...second,
    reasoning: { effort: "none", budgetTokens: null } as const,
  })),
);

const request: fc.Arbitrary<CanonicalRequest> = fc
  .record({
    model: fc.constant(MODEL),
    stream: fc.boolean(),
    items,
    tools: fc.uniqueArray(tool, { selector: (each) => each.name, minLength: 1, maxLength: 3 }),
    maxOutputTokens: fc.integer({ min: 2000, max: 1e6 }),
    topP: fc.option(fc.double({ min: 0, max: 1, noNaN: true }).map((value) => value + 0)),
    stop: fc.array(
      words.filter((text) => text.trim() !== ""),
      { maxLength: 3 },
    ),
    outputFormat: fc.constantFrom(null, {
      type: "json-schema",
      name: "output",
      description: null,
      schema: { type: "object", additionalProperties: false },
      strict: true,
    } as const),
    endUser: fc.option(fc.string({ maxLength: 100 })),
    serviceTier: fc.constantFrom(null, "auto", "default"),
    foreign: fc.constant({}),
  })
  .chain((fields) => mood.map((more) => ({ ...fields, ...more })));

test("what the Messages API can say is read from its wire as it was written there", () => {
  fc.assert(
    fc.property(request, (asked) => {
      const { body, losses } = encodeRequest(asked, { model: asked.model, maxOutputTokens: null, quirks: {} });
      const read = decodeRequest(viewRequest(parseJsonDocument(body, { depth: 64 })));
      assert.deepEqual(read, asked);
      assert.deepEqual(losses, asked.outputFormat === null ? [] : ["response_format.json_schema.name"]);
    }),
  );
});
