import assert from "node:assert/strict";
import { test } from "node:test";
import { HeadgateError } from "../../../kernel/errors.ts";
import type { Part } from "../../canonical.ts";
import { encodeContent, type Tracking } from "./blocks.ts";

function encode(...parts: Part[]): { blocks: unknown[]; losses: string[] } {
  const tracking: Tracking = { losses: new Set(), cacheBreakpoints: 0 };
  return { blocks: encodeContent(parts, tracking), losses: [...tracking.losses] };
}

function refuses(part: Part, mention: RegExp): void {
  assert.throws(
    () => encode(part),
    (thrown) =>
      thrown instanceof HeadgateError && thrown.code === "unsupported_parameter" && mention.test(thrown.message),
  );
}

const png = { from: "base64", mediaType: "image/png", data: "iVBO" } as const;

test("carries images by URL and by content", () => {
  const { blocks, losses } = encode(
    { type: "image", source: { from: "url", url: "https://example.com/a.png" }, detail: "auto" },
    { type: "image", source: png, detail: null },
  );
  assert.deepEqual(blocks, [
    { type: "image", source: { type: "url", url: "https://example.com/a.png" } },
    { type: "image", source: { type: "base64", media_type: "image/png", data: "iVBO" } },
  ]);
  assert.deepEqual(losses, []);
});

test("takes image/jpg for JPEG, as callers write it", () => {
  const { blocks, losses } = encode({ type: "image", source: { ...png, mediaType: "image/jpg" }, detail: null });
  const source = { type: "base64", media_type: "image/jpeg", data: "iVBO" };
  assert.deepEqual([blocks, losses], [[{ type: "image", source }], []]);
});

test("reports a cache breakpoint that goes with the empty text it hangs on", () => {
  const { blocks, losses } = encode(
    { type: "text", text: "a" },
    { type: "text", text: "", cache: { ttl: "5m" } },
    { type: "text", text: "" },
  );
  assert.deepEqual([blocks, losses], [[{ type: "text", text: "a" }], ["cache_control"]]);
});

test("reports an image detail, which has no counterpart", () => {
  assert.deepEqual(encode({ type: "image", source: png, detail: "high" }).losses, ["image_url.detail"]);
});

test("carries documents as PDF, by URL and as plain text, with their names as titles", () => {
  const { blocks } = encode(
    { type: "document", source: { from: "base64", mediaType: "application/pdf", data: "JVBE" }, name: "a.pdf" },
    { type: "document", source: { from: "url", url: "https://example.com/a.pdf" }, name: null },
    {
      type: "document",
      source: { from: "base64", mediaType: "text/plain", data: Buffer.from("Grüße").toString("base64") },
      name: "",
    },
  );
  assert.deepEqual(blocks, [
    { type: "document", source: { type: "base64", media_type: "application/pdf", data: "JVBE" }, title: "a.pdf" },
    { type: "document", source: { type: "url", url: "https://example.com/a.pdf" } },
    { type: "document", source: { type: "text", media_type: "text/plain", data: "Grüße" } },
  ]);
});

test("sends the ids of files that were uploaded to a provider of this dialect", () => {
  const source = { from: "file", fileId: "file_1", origin: "anthropic-messages" } as const;
  const wire = { type: "file", file_id: "file_1" };
  assert.deepEqual(encode({ type: "image", source, detail: null }, { type: "document", source, name: null }).blocks, [
    { type: "image", source: wire },
    { type: "document", source: wire },
  ]);
});

test("refuses audio, foreign file ids and media types that the API does not take", () => {
  refuses({ type: "audio", source: { from: "base64", mediaType: "audio/wav", data: "UklG" } }, /audio/);
  refuses({ type: "image", source: { from: "file", fileId: "file-1", origin: "openai-chat" }, detail: null }, /file-1/);
  refuses(
    { type: "document", source: { from: "file", fileId: "file-2", origin: "openai-chat" }, name: null },
    /file-2/,
  );
  refuses({ type: "image", source: { ...png, mediaType: "image/tiff" }, detail: null }, /image\/tiff/);
  refuses(
    { type: "document", source: { from: "base64", mediaType: "text/csv", data: "YQ==" }, name: null },
    /text\/csv/,
  );
});

test("carries prompt-cache breakpoints with their lifetimes, at most four", () => {
  const mark = (ttl: "5m" | "1h"): Part => ({ type: "text", text: "x", cache: { ttl } });
  const { blocks } = encode(mark("5m"), mark("1h"), { type: "image", source: png, detail: null, cache: { ttl: "5m" } });
  assert.deepEqual(blocks, [
    { type: "text", text: "x", cache_control: { type: "ephemeral" } },
    { type: "text", text: "x", cache_control: { type: "ephemeral", ttl: "1h" } },
    {
      type: "image",
      source: { type: "base64", media_type: "image/png", data: "iVBO" },
      cache_control: { type: "ephemeral" },
    },
  ]);
  assert.equal(encode(...Array.from({ length: 4 }, () => mark("5m"))).blocks.length, 4);
  assert.throws(
    () => encode(...Array.from({ length: 5 }, () => mark("5m"))),
    (thrown) => thrown instanceof HeadgateError && thrown.param === "cache_control",
  );
});
