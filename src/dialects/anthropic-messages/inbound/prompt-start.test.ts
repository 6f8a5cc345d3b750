import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../../../../test/support/properties.ts";
import { parseJsonDocument } from "../../../kernel/json-document.ts";
import { promptStart } from "./prompt-start.ts";
import { viewRequest } from "./view.ts";

function startOf(fields: object): string | null {
  const body = Buffer.from(JSON.stringify({ model: "m", max_tokens: 1, ...fields }));
  const start = promptStart(viewRequest(parseJsonDocument(body, { depth: 16 })));
  return start === null ? null : Buffer.from(start).toString("utf8");
}

const user = (content: unknown): object => ({ role: "user", content });

test("a prompt begins with its system text and what the first message says", () => {
  const messages = [user("Why?"), { role: "assistant", content: "Because." }, user("And?")];
  assert.equal(startOf({ system: "Be brief.", messages }), "Be brief.Why?");
  const blocks = [
    { type: "text", text: "Be brief." },
    { type: "text", text: "Be kind." },
  ];
  assert.equal(startOf({ system: blocks, messages }), "Be brief.Be kind.Why?");
  assert.equal(startOf({ messages }), "Why?");
});

test("the line for Anthropic's billing, another for every request, is no part of the prompt", () => {
  const line = (nonce: string): string => `x-anthropic-billing-header: cc_version=2.1; cch=${nonce};`;
  const messages = [user("Why?")];
  assert.equal(startOf({ system: `${line("eb6c6")}\nBe brief.`, messages }), "Be brief.Why?");
  const system = [
    { type: "text", text: line("36ee5") },
    { type: "text", text: "Be brief." },
  ];
  assert.equal(startOf({ system, messages }), "Be brief.Why?");
});

test("the next turn of a conversation begins like the one before, wherever its cache breakpoint stands by then", () => {
  const cache = { cache_control: { type: "ephemeral" } };
  fc.assert(
    fc.property(
      fc.array(fc.string({ unit: "grapheme", minLength: 1 }), { minLength: 1, maxLength: 4 }),
      fc.string({ unit: "grapheme" }),
      (turns, system) => {
        const say = (text: string, index: number, marked: number): object => ({
          role: index % 2 === 0 ? "user" : "assistant",
          content: [{ type: "text", text, ...(index === marked ? cache : {}) }],
        });
        const first = startOf({ system, messages: turns.slice(0, 1).map((text, index) => say(text, index, 0)) });
        const later = turns.map((text, index) => say(text, index, turns.length - 1));
        assert.equal(startOf({ system, messages: later }), first);
        assert.equal(startOf({ system, messages: [user(turns[0]), ...later.slice(1)] }), first);
      },
    ),
  );
});

test("prompts that share as much as a cache needs begin alike, whatever comes later", () => {
  const system = "ä".repeat(3000);
  assert.equal(startOf({ system, messages: [user("Why?")] }), startOf({ system, messages: [user("How?")] }));
  assert.notEqual(
    startOf({ system: "s", messages: [user("Why?")] }),
    startOf({ system: "s", messages: [user("How?")] }),
  );
  const long = "x".repeat(5000);
  assert.equal(startOf({ messages: [user(`${long}a`)] })?.length, 4096);
});

test("a prompt without words has no beginning to tell by", () => {
  const image = { type: "image", source: { type: "url", url: "https://example.com/a.png" } };
  assert.equal(startOf({ messages: [user([image])] }), null);
  assert.equal(startOf({ system: "s", messages: [user([image])] }), "s");
});
