import assert from "node:assert/strict";
import { test } from "node:test";
import { parseJsonDocument } from "../../kernel/json-document.ts";
import type { RequestView } from "../dialect.ts";
import { anthropicMessages } from "./anthropic-messages.ts";

test("passes a request of its own dialect through byte for byte except for the model", () => {
  const body = '{ "model":"alias" , "max_tokens": 1.0, "future":{"a" : [1e2,"\\u00fc"]}, "messages":[]}';
  const document = parseJsonDocument(Buffer.from(body), { depth: 32 });
  const spliced = anthropicMessages.outbound!.splice({ document } as RequestView, {
    model: "claude-opus-4-8",
    maxOutputTokens: null,
    quirks: {},
  });
  assert.equal(Buffer.from(spliced).toString("utf8"), body.replace('"alias"', '"claude-opus-4-8"'));
});

test("is posted to /messages below a base URL that names the version", () => {
  assert.equal(anthropicMessages.outbound!.path("claude-opus-4-8", true), "/messages");
});
