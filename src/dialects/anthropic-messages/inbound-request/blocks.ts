/**
 * Content blocks as canonical parts: text, images and documents, as callers and tools say them. A text document becomes
 * one in base64, like any other; the blocks of a `content` source are joined by lines, since where one ends only counts
 * for citations. Members without a place go to `foreign` by their path, blocks without one are refused.
 *
 * Wire facts: `TextBlockParam`, `ImageBlockParam`, `DocumentBlockParam` in anthropic-sdk-typescript,
 * resources/messages/messages.ts.
 */
import type { CacheHint, MediaSource, Part } from "../../canonical.ts";
import { readFlag, readObject, readText, requireObject, type Fields } from "../../request-fields/fields.ts";
import { collectForeign } from "../../request-fields/foreign.ts";
import { invalid, unsupported } from "../../request-fields/refusals.ts";

export type Foreign = Map<string, unknown>;

const ORIGIN = "anthropic-messages";

/** What a tool returned, or a system prompt: a string, or blocks. `path` is that of the content. */
export function decodeContent(content: unknown, path: string, foreign: Foreign): readonly Part[] {
  if (content === undefined || content === null || content === "") return [];
  if (typeof content === "string") return [{ type: "text", text: content }];
  if (!Array.isArray(content)) throw invalid(path, "a string or an array of content blocks");
  return content.map((value, index) => {
    const block = requireObject(value, `${path}[${index}]`);
    const part = decodePart(block, `${path}[${index}].`, foreign);
    if (part === null) throw untranslatable(block, `${path}[${index}]`);
    return part;
  });
}

/** `null`: the block is no part of a message. `prefix` is the path of the block, with its final dot. */
export function decodePart(block: Fields, prefix: string, foreign: Foreign): Part | null {
  switch (block["type"]) {
    case "text":
      collectForeign(block, ["type", "text", "cache_control"], prefix, foreign);
      return { type: "text", text: requireText(block, "text", prefix), ...decodeCache(block, prefix, foreign) };
    case "image":
      collectForeign(block, ["type", "source", "cache_control"], prefix, foreign);
      return {
        type: "image",
        source: decodeImageSource(requireObject(block["source"], `${prefix}source`), `${prefix}source.`, foreign),
        detail: null,
        ...decodeCache(block, prefix, foreign),
      };
    case "document":
      return decodeDocument(block, prefix, foreign);
    default:
      return null;
  }
}

/** For a block whose kind has no place where it stands. */
export function untranslatable(block: Fields, path: string): Error {
  return unsupported(
    `${path}.type`,
    `A block of the type ${JSON.stringify(block["type"])} cannot be translated here for the model's provider.`,
  );
}

export function requireText(fields: Fields, name: string, prefix: string): string {
  const text = readText(fields, name, prefix);
  if (text === null) throw invalid(prefix + name, "a string");
  return text;
}

function decodeDocument(block: Fields, prefix: string, foreign: Foreign): Part {
  collectForeign(block, ["type", "source", "title", "citations", "cache_control"], prefix, foreign);
  const citations = readObject(block, "citations", prefix);
  if (citations !== null && readFlag(citations, "enabled", `${prefix}citations.`) === true) {
    foreign.set(`${prefix}citations.enabled`, true);
  }
  return {
    type: "document",
    source: decodeDocumentSource(requireObject(block["source"], `${prefix}source`), `${prefix}source.`, foreign),
    name: readText(block, "title", prefix),
    ...decodeCache(block, prefix, foreign),
  };
}

function decodeImageSource(source: Fields, prefix: string, foreign: Foreign): MediaSource {
  if (source["type"] !== "base64") return decodeReference(source, prefix, foreign);
  collectForeign(source, ["type", "media_type", "data"], prefix, foreign);
  const mediaType = requireText(source, "media_type", prefix).toLowerCase();
  if (!mediaType.startsWith("image/")) throw invalid(`${prefix}media_type`, "a type of images, such as image/png");
  return { from: "base64", mediaType, data: requireText(source, "data", prefix) };
}

function decodeDocumentSource(source: Fields, prefix: string, foreign: Foreign): MediaSource {
  switch (source["type"]) {
    case "base64": {
      collectForeign(source, ["type", "media_type", "data"], prefix, foreign);
      const mediaType = requireText(source, "media_type", prefix).toLowerCase();
      if (mediaType !== "application/pdf") throw invalid(`${prefix}media_type`, "application/pdf");
      return { from: "base64", mediaType, data: requireText(source, "data", prefix) };
    }
    case "text":
      collectForeign(source, ["type", "media_type", "data"], prefix, foreign);
      if (source["media_type"] !== "text/plain") throw invalid(`${prefix}media_type`, "text/plain");
      return plainText(requireText(source, "data", prefix));
    case "content":
      collectForeign(source, ["type", "content"], prefix, foreign);
      return plainText(joinText(source["content"], `${prefix}content`, foreign));
    default:
      return decodeReference(source, prefix, foreign);
  }
}

function plainText(text: string): MediaSource {
  return { from: "base64", mediaType: "text/plain", data: Buffer.from(text).toString("base64") };
}

function joinText(content: unknown, path: string, foreign: Foreign): string {
  const texts = decodeContent(content, path, foreign).map((part, index) => {
    if (part.type === "text") return part.text;
    throw unsupported(`${path}[${index}].type`, "A document made of more than text cannot be translated.");
  });
  return texts.join("\n");
}

function decodeReference(source: Fields, prefix: string, foreign: Foreign): MediaSource {
  switch (source["type"]) {
    case "url": {
      collectForeign(source, ["type", "url"], prefix, foreign);
      const url = requireText(source, "url", prefix);
      if (!/^https?:\/\//i.test(url)) throw invalid(`${prefix}url`, "an http or https URL");
      return { from: "url", url };
    }
    case "file":
      collectForeign(source, ["type", "file_id"], prefix, foreign);
      return { from: "file", fileId: requireText(source, "file_id", prefix), origin: ORIGIN };
    default:
      throw unsupported(`${prefix}type`, "A source of this type cannot be translated for the model's provider.");
  }
}

function decodeCache(block: Fields, prefix: string, foreign: Foreign): { readonly cache?: CacheHint } {
  const control = readObject(block, "cache_control", prefix);
  if (control === null) return {};
  const inner = `${prefix}cache_control.`;
  collectForeign(control, ["type", "ttl"], inner, foreign);
  if (control["type"] !== "ephemeral") throw invalid(`${inner}type`, "ephemeral");
  const ttl = readText(control, "ttl", inner) ?? "5m";
  if (ttl !== "5m" && ttl !== "1h") throw invalid(`${inner}ttl`, "5m or 1h");
  return { cache: { ttl } };
}
