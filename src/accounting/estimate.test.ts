import assert from "node:assert/strict";
import { test } from "node:test";
import { expectedUsage, meterInput, meterOutput, worstUsage, type RequestSize } from "./estimate.ts";

const request: RequestSize = {
  inputBytes: 1000,
  maxOutputTokens: 50,
  choices: 1,
  operation: "chat",
  images: 0,
  tokensPerImage: 8192,
  documents: 0,
  ownCalls: 0,
  turns: 1,
  summaries: 0,
  contextTokens: 200_000,
};

/** Held by allowances of policy `strict`. */
function worstOf(size: RequestSize) {
  return worstUsage(size, expectedUsage(size));
}

test("the bound of the input is a token for every byte and what providers add", () => {
  assert.equal(expectedUsage(request).inputTokens, 1000 + 1024);
});

test("an image adds what one counts at the most, a document what is usual", () => {
  const size = { ...request, images: 2, documents: 1 };
  assert.equal(expectedUsage(size).inputTokens, 1000 + 1024 + 2 * 8192 + 65_536);
});

test("a request of nothing but text and images has no worse case than is expected", () => {
  const size = { ...request, images: 2 };
  const expected = expectedUsage(size);
  assert.equal(worstUsage(size, expected), expected);
});

test("a document may fill the model's context window, or a million tokens where nobody knows it", () => {
  const size = { ...request, documents: 1 };
  assert.equal(worstOf(size).inputTokens, 200_000);
  assert.equal(worstOf({ ...size, contextTokens: null }).inputTokens, 1_048_576);
});

test("documents that are expected to fill more than the window are held for in the worst case, too", () => {
  const size = { ...request, documents: 4 };
  assert.deepEqual(worstOf(size), expectedUsage(size));
});

test("every turn of the provider's own may fill the window again", () => {
  assert.equal(worstOf({ ...request, turns: 10 }).inputTokens, 2_000_000);
  assert.equal(expectedUsage({ ...request, turns: 10 }).inputTokens, 1000 + 1024);
});

test("a summary is as long as an answer in the worst case, and not expected", () => {
  const size = { ...request, turns: 2, summaries: 1 };
  assert.equal(expectedUsage(size).outputTokens, 50);
  assert.equal(worstOf(size).outputTokens, 100);
});

test("the bound of the output is what the caller allowed, once for each answer", () => {
  assert.equal(expectedUsage(request).outputTokens, 50);
  assert.equal(expectedUsage({ ...request, choices: 3 }).outputTokens, 150);
});

test("a request without any bound on its output is held at the most that models write", () => {
  assert.equal(expectedUsage({ ...request, maxOutputTokens: null }).outputTokens, 128_000);
});

test("embeddings write nothing", () => {
  assert.equal(expectedUsage({ ...request, operation: "embeddings", maxOutputTokens: null }).outputTokens, 0);
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
  assert.equal(expectedUsage(absurd).outputTokens, 1_000_000 * 1024);
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
  assert.deepEqual([expectedUsage(request).searchUnits, expectedUsage(request).toolUnits], [0, 0]);
  const { searchUnits, toolUnits } = expectedUsage({ ...request, ownCalls: 32 });
  assert.deepEqual([searchUnits, toolUnits], [32, 32]);
});

test("each event of a stream with output counts as one token at least", () => {
  assert.equal(meterOutput(10, 9), 9);
  assert.equal(meterOutput(100, 9), 25);
});
