/** Whole answers in canonical form, made at random, as every dialect can say them. */
import { emptyUsage } from "../../src/kernel/usage.ts";
import type { CanonicalResponse, Item } from "../../src/dialects/canonical.ts";
import { fc } from "./properties.ts";

const text = fc.string({ unit: "grapheme", minLength: 1, maxLength: 12 });

const message: fc.Arbitrary<Item> = text.map((said) => ({
  type: "message",
  role: "assistant",
  name: null,
  parts: [{ type: "text", text: said }],
}));

const toolCalls: fc.Arbitrary<Item[]> = fc
  .array(fc.record({ name: fc.constantFrom("look", "count"), city: text }), { maxLength: 3 })
  .map((calls) =>
    calls.map(({ name, city }, at) => {
      return { type: "tool-call", callId: `call_${at}`, name, arguments: JSON.stringify({ city, at }) };
    }),
  );

const reasoning: fc.Arbitrary<Item> = text.map((said) => ({ type: "reasoning", text: said, opaque: [] }));

/** Reasoning or none, text or none, tool calls or none, but not nothing at all. */
export const canonicalAnswers: fc.Arbitrary<CanonicalResponse> = fc
  .record({
    thought: fc.option(reasoning, { nil: null }),
    said: fc.option(message, { nil: null }),
    calls: toolCalls,
    inputTokens: fc.integer({ min: 1, max: 900 }),
    outputTokens: fc.integer({ min: 1, max: 900 }),
  })
  .filter(({ said, calls }) => said !== null || calls.length > 0)
  .map(({ thought, said, calls, inputTokens, outputTokens }) => ({
    id: "chatcmpl-1",
    model: "m",
    createdMs: 1_790_000_000_000,
    items: [...(thought === null ? [] : [thought]), ...(said === null ? [] : [said]), ...calls],
    finish:
      calls.length > 0
        ? { reason: "tool-calls", native: "tool_calls", stopSequence: null }
        : { reason: "stop", native: "stop", stopSequence: null },
    usage: { ...emptyUsage(), inputTokens, outputTokens },
  }));
