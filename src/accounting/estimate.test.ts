import assert from "node:assert/strict";
import { test } from "node:test";
import { meterInput, meterOutput, worstUsage } from "./estimate.ts";

const request = { inputBytes: 1000, maxOutputTokens: 50, choices: 1, operation: "chat" } as const;

test("the bound of the input is a token for every byte and what providers add", () => {
  assert.equal(worstUsage(request).inputTokens, 1000 + 1024);
});

test("media by reference adds an allowance that its bytes do not show", () => {
  assert.equal(worstUsage({ ...request, images: 2, documents: 1 }).inputTokens, 1000 + 1024 + 2 * 8192 + 65_536);
});

test("the bound of the output is what the caller allowed, once for each answer", () => {
  assert.equal(worstUsage(request).outputTokens, 50);
  assert.equal(worstUsage({ ...request, choices: 3 }).outputTokens, 150);
});

test("a request without any bound on its output is held at the most that models write", () => {
  assert.equal(worstUsage({ ...request, maxOutputTokens: null }).outputTokens, 128_000);
});

test("embeddings write nothing", () => {
  assert.equal(worstUsage({ ...request, operation: "embeddings", maxOutputTokens: null }).outputTokens, 0);
});

test("metering counts a token for every four bytes begun", () => {
  assert.deepEqual(
    [0, 1, 4, 5].map((bytes) => meterInput(Buffer.alloc(bytes, "x"))),
    [0, 1, 1, 2],
  );
  assert.deepEqual(
    [0, 1, 4, 5].map((bytes) => meterOutput(bytes, 0)),
    [0, 1, 1, 2],
  );
});

test("a bound or a number of answers beyond anything a model does is cut, so that the hold stays exact", () => {
  const absurd = { ...request, maxOutputTokens: Number.MAX_SAFE_INTEGER, choices: Number.MAX_SAFE_INTEGER };
  assert.equal(worstUsage(absurd).outputTokens, 1_000_000 * 1024);
});

test("an image sent inline counts as an image, not by its four bytes a token", () => {
  const photograph = Buffer.alloc(3_000_000, 251).toString("base64");
  const sound = Buffer.alloc(2_000_000, 7).toString("base64url");
  const text = "Words, and more words. ".repeat(1000);
  const rest = Buffer.byteLength(JSON.stringify({ text, images: ["", ""] }));
  const body = Buffer.from(JSON.stringify({ text, images: [photograph, sound] }));
  assert.equal(meterInput(body), Math.ceil(rest / 4) + 2 * 1600);
  const escaped = Buffer.from(
    JSON.stringify({ text, images: [photograph.replaceAll("A", "/"), ""] }).replaceAll("/", "\\/"),
  );
  assert.equal(meterInput(escaped), Math.ceil(rest / 4) + 1600);
});

test("a small inline image counts by its bytes, and so do long words", () => {
  const body = Buffer.from(`"${"x".repeat(2000)}" "${"y".repeat(900)}"`);
  assert.equal(meterInput(body), Math.ceil(body.byteLength / 4));
});

test("searches and tools of the provider are held for where it may use them", () => {
  assert.deepEqual([worstUsage(request).searchUnits, worstUsage(request).toolUnits], [0, 0]);
  const { searchUnits, toolUnits } = worstUsage({ ...request, ownTools: true });
  assert.ok(searchUnits > 0 && toolUnits > 0);
});

test("each event of a stream with output counts as one token at least", () => {
  assert.equal(meterOutput(10, 9), 9);
  assert.equal(meterOutput(100, 9), 25);
});
