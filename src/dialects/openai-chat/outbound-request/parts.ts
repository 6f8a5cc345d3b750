/**
 * Canonical parts as content (openai-node, `ChatCompletionContentPart`). A single text is a plain string. A document of
 * plain text is emulated as text between <document> tags, which every model reads, and reported.
 */
import type { MediaSource, Part } from "../../canonical.ts";
import type { Loss } from "../../dialect.ts";
import { unsupported } from "./refusal.ts";

/** OpenAI refuses the content of a file without a name. */
const DOCUMENT_NAME = "document.pdf";

export function encodeParts(parts: readonly Part[], losses: Set<Loss>): string | object[] {
  for (const part of parts) if ("cache" in part) losses.add("cache_control");
  const said = parts.map((part) => spellOut(part, losses));
  const [only] = said;
  if (only === undefined) return "";
  if (said.length === 1 && only.type === "text") return only.text;
  return said.map(encodePart);
}

/** A document of plain text as the text that it is; any other part as it stands. */
export function spellOut(part: Part, losses: Set<Loss>): Part {
  if (part.type !== "document" || part.source.from !== "base64" || part.source.mediaType !== "text/plain") return part;
  losses.add("messages.content.type=document");
  const title = part.name === null ? "" : ` title=${JSON.stringify(part.name)}`;
  const text = Buffer.from(part.source.data, "base64").toString("utf8");
  const cache = part.cache === undefined ? {} : { cache: part.cache };
  return { type: "text", text: `<document${title}>\n${text}\n</document>`, ...cache };
}

function encodePart(part: Part): object {
  switch (part.type) {
    case "text":
      return { type: "text", text: part.text };
    case "refusal":
      return { type: "refusal", refusal: part.text };
    case "image": {
      const detail = part.detail === null ? {} : { detail: part.detail };
      return { type: "image_url", image_url: { url: encodeUrl(part.source, "an image"), ...detail } };
    }
    case "document":
      return { type: "file", file: encodeFile(part.source, part.name) };
    case "audio":
      return { type: "input_audio", input_audio: encodeAudio(part.source) };
  }
}

function encodeFile(source: MediaSource, name: string | null): object {
  const filename = name === null ? {} : { filename: name };
  switch (source.from) {
    case "file":
      if (source.origin !== "openai-chat") throw foreignFile(source.fileId);
      return { file_id: source.fileId, ...filename };
    case "url":
      return { file_data: source.url, ...filename };
    case "base64":
      return { file_data: encodeUrl(source, "a document"), filename: name ?? DOCUMENT_NAME };
  }
}

function encodeUrl(source: MediaSource, what: string): string {
  switch (source.from) {
    case "url":
      return source.url;
    case "base64":
      return `data:${source.mediaType};base64,${source.data}`;
    case "file":
      throw source.origin === "openai-chat" ? untaken(`${what} by file id`) : foreignFile(source.fileId);
  }
}

function encodeAudio(source: MediaSource): object {
  if (source.from !== "base64") throw untaken("audio by URL or file id");
  const subtype = source.mediaType.replace(/^audio\//, "");
  return { data: source.data, format: subtype === "mpeg" ? "mp3" : subtype };
}

function foreignFile(fileId: string): Error {
  return unsupported(
    "messages",
    `The file ${fileId} is known to the provider it was uploaded to, not to this one. Send its content instead.`,
  );
}

function untaken(what: string): Error {
  return unsupported("messages", `The chat completions API does not take ${what}. Send its content in base64.`);
}
