/**
 * Parts of canonical items as content blocks. Each block kind takes only what the API takes: images as JPEG, PNG, GIF
 * or WebP, documents as PDF or plain text, nothing heard. A file id belongs to the provider that issued it, so a
 * foreign one is refused instead of being sent where it means nothing, or something else.
 *
 * Wire facts: `ImageBlockParam`, `DocumentBlockParam`, `CacheControlEphemeral` in anthropic-sdk-typescript; at most four
 * cache breakpoints a request, and no empty text block, per the API's prompt-caching and errors pages.
 */
import type { CacheHint, MediaSource, Part } from "../../canonical.ts";
import type { Loss } from "../../dialect.ts";
import { invalid, unsupported } from "./refusal.ts";
import type { CacheControl, ContentBlock, DocumentBlock, FileSource, ImageBlock, TextBlock } from "./wire.ts";

const IMAGE_TYPES: ReadonlySet<string> = new Set(["image/jpeg", "image/png", "image/gif", "image/webp"]);
/** What callers write for a type that the API takes by another name. */
const imageTypeAliases: ReadonlyMap<string, string> = new Map([["image/jpg", "image/jpeg"]]);
const CACHE_BREAKPOINTS_MAX = 4;

/** What the encoding of one request keeps track of. */
export interface Tracking {
  readonly losses: Set<Loss>;
  cacheBreakpoints: number;
}

/** Text, images and documents, as a user says them or a tool returns them. Empty text is left out: it says nothing. */
export function encodeContent(parts: readonly Part[], tracking: Tracking): ContentBlock[] {
  const blocks: ContentBlock[] = [];
  for (const part of parts) {
    switch (part.type) {
      case "text":
      case "refusal":
        pushText(part, blocks, tracking);
        break;
      case "image":
        blocks.push(encodeImage(part, tracking));
        break;
      case "document":
        blocks.push(encodeDocument(part, tracking));
        break;
      case "audio":
        throw unsupported("messages", "The Anthropic Messages API takes no audio. Send a transcript instead.");
    }
  }
  return blocks;
}

/** Text only, as the system and the assistant say it. A refusal was the assistant's own words and stays so. */
export function encodeText(parts: readonly Part[], speaker: string, tracking: Tracking): TextBlock[] {
  const blocks: TextBlock[] = [];
  for (const part of parts) {
    if (part.type !== "text" && part.type !== "refusal") {
      throw unsupported(
        "messages",
        `A message of the role ${speaker} holds a part of the type ${part.type}; the Anthropic Messages API takes only text there. Move the part to a user message.`,
      );
    }
    pushText(part, blocks, tracking);
  }
  return blocks;
}

function pushText(
  part: Part & { type: "text" | "refusal" },
  blocks: (TextBlock | ContentBlock)[],
  tracking: Tracking,
): void {
  if (part.text === "") {
    if (part.type === "text" && part.cache !== undefined) tracking.losses.add("cache_control");
    return;
  }
  blocks.push({
    type: "text",
    text: part.text,
    ...encodeCache(part.type === "text" ? part.cache : undefined, tracking),
  });
}

function encodeImage(part: Part & { type: "image" }, tracking: Tracking): ImageBlock {
  if (part.detail === "low" || part.detail === "high") tracking.losses.add("image_url.detail");
  const { source } = part;
  const cache = encodeCache(part.cache, tracking);
  if (source.from === "url") return { type: "image", source: { type: "url", url: source.url }, ...cache };
  if (source.from === "file") return { type: "image", source: encodeFile(source), ...cache };
  const mediaType = imageTypeAliases.get(source.mediaType) ?? source.mediaType;
  if (!IMAGE_TYPES.has(mediaType)) {
    throw unsupported(
      "messages",
      `The Anthropic Messages API takes images as JPEG, PNG, GIF or WebP, not as ${source.mediaType}. Convert the image.`,
    );
  }
  return { type: "image", source: { type: "base64", media_type: mediaType, data: source.data }, ...cache };
}

function encodeDocument(part: Part & { type: "document" }, tracking: Tracking): DocumentBlock {
  const cache = encodeCache(part.cache, tracking);
  const title = part.name === null || part.name === "" ? {} : { title: part.name };
  return { type: "document", source: encodeDocumentSource(part.source), ...title, ...cache };
}

function encodeDocumentSource(source: MediaSource): DocumentBlock["source"] {
  if (source.from === "url") return { type: "url", url: source.url };
  if (source.from === "file") return encodeFile(source);
  if (source.mediaType === "application/pdf") {
    return { type: "base64", media_type: "application/pdf", data: source.data };
  }
  if (source.mediaType === "text/plain") {
    return { type: "text", media_type: "text/plain", data: Buffer.from(source.data, "base64").toString("utf8") };
  }
  throw unsupported(
    "messages",
    `The Anthropic Messages API takes documents as PDF or plain text, not as ${source.mediaType}. Convert the document.`,
  );
}

function encodeFile({ fileId, origin }: MediaSource & { from: "file" }): FileSource {
  if (origin === "anthropic-messages") return { type: "file", file_id: fileId };
  throw unsupported(
    "messages",
    `The file ${fileId} is known to the provider it was uploaded to, not to this one. Send its content instead.`,
  );
}

function encodeCache(hint: CacheHint | undefined, tracking: Tracking): { cache_control?: CacheControl } {
  if (hint === undefined) return {};
  if (++tracking.cacheBreakpoints > CACHE_BREAKPOINTS_MAX) {
    throw invalid(
      "cache_control",
      `The request marks more than ${CACHE_BREAKPOINTS_MAX} prompt-cache breakpoints. Keep at most ${CACHE_BREAKPOINTS_MAX}.`,
    );
  }
  return { cache_control: hint.ttl === "1h" ? { type: "ephemeral", ttl: "1h" } : { type: "ephemeral" } };
}
