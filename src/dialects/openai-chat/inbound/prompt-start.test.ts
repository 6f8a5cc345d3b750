import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../../../../test/support/properties.ts";
import { parseJsonDocument } from "../../../kernel/json-document.ts";
import { promptStart } from "./prompt-start.ts";
import { viewRequest } from "./view.ts";

interface Message {
  readonly role: string;
  readonly content: string;
}

function startOf(messages: readonly Message[], more: object = {}): string {
  const body = Buffer.from(JSON.stringify({ model: "m", ...more, messages, n: 1 }));
  const start = promptStart(viewRequest(parseJsonDocument(body, { depth: 16 })));
  assert.ok(start !== null);
  return Buffer.from(start).toString("utf8");
}

const instructions = { role: "system", content: 'Say "{yes}" or \\"[no]\\"' };
const question = { role: "user", content: "Why?" };

test("a prompt begins with its instructions and the first message after them", () => {
  const rest = [
    { role: "assistant", content: "Because." },
    { role: "user", content: "And?" },
  ];
  assert.equal(startOf([instructions, question, ...rest]), JSON.stringify([instructions, question]).slice(0, -1));
});

test("the next turn of a conversation begins like the one before", () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ unit: "grapheme" }), { minLength: 1 }),
      fc.string({ unit: "grapheme" }),
      (turns, system) => {
        const opening = [{ role: "developer", content: system }];
        const messages = turns.map((content, index) => ({ role: index % 2 === 0 ? "user" : "assistant", content }));
        const longer = startOf([...opening, ...messages, { role: "user", content: "more" }]);
        assert.equal(longer, startOf([...opening, ...messages.slice(0, 1)]));
      },
    ),
  );
});

test("prompts that share as much as a cache needs begin alike, whatever comes later", () => {
  const long = { role: "system", content: "x".repeat(5000) };
  assert.equal(startOf([long, question]), startOf([long, { role: "user", content: "How?" }]));
  assert.notEqual(startOf([instructions, question]), startOf([instructions, { role: "user", content: "How?" }]));
});

test("the caller's own cache key counts instead of the text", () => {
  const more = { prompt_cache_key: "tickets" };
  assert.equal(startOf([question], more), "tickets");
  assert.equal(startOf([instructions], more), "tickets");
});

test("instructions alone are a beginning, too", () => {
  assert.equal(startOf([instructions]), JSON.stringify([instructions]).slice(0, -1));
});
