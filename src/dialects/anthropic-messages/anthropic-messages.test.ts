import assert from "node:assert/strict";
import { test } from "node:test";
import { anthropicMessages } from "./anthropic-messages.ts";

test("is posted to /messages below a base URL that names the version", () => {
  assert.equal(anthropicMessages.outbound!.path("claude-opus-4-8", true), "/messages");
});
