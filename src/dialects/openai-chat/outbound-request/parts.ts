/** Canonical parts as content (openai-node, `ChatCompletionContentPart`). A single text is a plain string. */
import { HeadgateError } from "../../../kernel/errors.ts";
import type { MediaSource, Part } from "../../canonical.ts";
import type { Loss } from "../../dialect.ts";

export function encodeParts(parts: readonly Part[], losses: Set<Loss>): string | object[] {
  for (const part of parts) if ("cache" in part) losses.add("cache_control");
  const [only] = parts;
  if (parts.length === 1 && only?.type === "text") return only.text;
  return parts.map(encodePart);
}

function encodePart(part: Part): object {
  switch (part.type) {
    case "text":
      return { type: "text", text: part.text };
    case "refusal":
      return { type: "refusal", refusal: part.text };
    case "image": {
      const detail = part.detail === null ? {} : { detail: part.detail };
      return { type: "image_url", image_url: { url: encodeUrl(part.source, "image"), ...detail } };
    }
    case "document": {
      const name = part.name === null ? {} : { filename: part.name };
      const { source } = part;
      if (source.from === "file") return { type: "file", file: { file_id: source.fileId, ...name } };
      return { type: "file", file: { file_data: encodeUrl(source, "document"), ...name } };
    }
    case "audio":
      return { type: "input_audio", input_audio: encodeAudio(part.source) };
  }
}

function encodeUrl(source: MediaSource, what: string): string {
  switch (source.from) {
    case "url":
      return source.url;
    case "base64":
      return `data:${source.mediaType};base64,${source.data}`;
    case "file":
      throw unsupported(`an ${what} by file id`);
  }
}

function encodeAudio(source: MediaSource): object {
  if (source.from !== "base64") throw unsupported("audio by URL or file id");
  const subtype = source.mediaType.replace(/^audio\//, "");
  return { data: source.data, format: subtype === "mpeg" ? "mp3" : subtype };
}

function unsupported(what: string): HeadgateError {
  return new HeadgateError(
    "unsupported_parameter",
    `The chat completions API does not take ${what}. Send its content in base64.`,
    { param: "messages" },
  );
}
