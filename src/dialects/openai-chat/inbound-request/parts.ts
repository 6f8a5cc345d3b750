/**
 * Content parts in canonical form (openai-node, `ChatCompletionContentPart`). `cache_control` on a part, as OpenRouter
 * and other gateways take it for Anthropic models, and OpenAI's `prompt_cache_breakpoint` both mark a prompt-cache
 * breakpoint; OpenAI's lifetimes, 30 minutes and 12 hours, become the longest that the canonical form has.
 */
import type { CacheHint, MediaSource, Part } from "../../canonical.ts";
import { readObject, readText, requireObject, type Fields } from "../../request-fields/fields.ts";
import { collectForeign } from "../../request-fields/foreign.ts";
import { invalid, unsupported } from "../../request-fields/refusals.ts";

type Foreign = Map<string, unknown>;

const CACHE_MARKS = ["cache_control", "prompt_cache_breakpoint"] as const;

/** `path` is that of the content: `messages[2].content`. Members without a place go to `foreign` by their path. */
export function decodeContent(content: unknown, path: string, foreign: Foreign): readonly Part[] {
  if (content === undefined || content === null) return [];
  if (typeof content === "string") return [{ type: "text", text: content }];
  if (!Array.isArray(content)) throw invalid(path, "a string or an array of content parts");
  return content.map((value, index) => {
    const part = requireObject(value, `${path}[${index}]`);
    return decodePart(part, `${path}[${index}].`, foreign);
  });
}

function decodePart(part: Fields, prefix: string, foreign: Foreign): Part {
  switch (part["type"]) {
    case "text":
      collectForeign(part, ["type", "text", ...CACHE_MARKS], prefix, foreign);
      return { type: "text", text: requireText(part, "text", prefix), ...decodeCache(part, prefix, foreign) };
    case "refusal":
      collectForeign(part, ["type", "refusal"], prefix, foreign);
      return { type: "refusal", text: requireText(part, "refusal", prefix) };
    case "image_url":
      collectForeign(part, ["type", "image_url", ...CACHE_MARKS], prefix, foreign);
      return decodeImage(part, prefix, foreign);
    case "input_audio":
      collectForeign(part, ["type", "input_audio"], prefix, foreign);
      return decodeAudio(requireObject(part["input_audio"], `${prefix}input_audio`), `${prefix}input_audio.`, foreign);
    case "file":
      collectForeign(part, ["type", "file", ...CACHE_MARKS], prefix, foreign);
      return decodeFile(part, prefix, foreign);
    default:
      throw unsupported(`${prefix}type`, "Parts of this type cannot be translated for the model's provider.");
  }
}

function requireText(fields: Fields, name: string, prefix: string): string {
  const text = readText(fields, name, prefix);
  if (text === null) throw invalid(prefix + name, "a string");
  return text;
}

function decodeImage(part: Fields, prefix: string, foreign: Foreign): Part {
  const image = requireObject(part["image_url"], `${prefix}image_url`);
  const inner = `${prefix}image_url.`;
  collectForeign(image, ["url", "detail"], inner, foreign);
  const detail = readText(image, "detail", inner);
  if (detail !== null && detail !== "auto" && detail !== "low" && detail !== "high") {
    throw unsupported(`${inner}detail`, "Only auto, low and high can be translated.");
  }
  const source = decodeUrl(requireText(image, "url", inner), `${inner}url`);
  return { type: "image", source, detail, ...decodeCache(part, prefix, foreign) };
}

/** `data:` with base64, `http:` or `https:`. */
function decodeUrl(url: string, path: string): MediaSource {
  if (/^https?:\/\//i.test(url)) return { from: "url", url };
  const comma = url.indexOf(",");
  // The head is short; the pattern never runs over the data.
  const head = /^data:([^;,]+)(?:;[^;,]+)*;base64$/i.exec(url.slice(0, comma < 0 ? 0 : Math.min(comma, 256)));
  if (head === null) throw invalid(path, "an http or https URL, or a data URL with a media type and base64");
  return { from: "base64", mediaType: (head[1] ?? "").toLowerCase(), data: url.slice(comma + 1) };
}

const audioTypes: ReadonlyMap<string, string> = new Map([["mp3", "audio/mpeg"]]);

function decodeAudio(audio: Fields, prefix: string, foreign: Foreign): Part {
  collectForeign(audio, ["format", "data"], prefix, foreign);
  const format = requireText(audio, "format", prefix);
  const mediaType = audioTypes.get(format) ?? `audio/${format}`;
  return { type: "audio", source: { from: "base64", mediaType, data: requireText(audio, "data", prefix) } };
}

function decodeFile(part: Fields, prefix: string, foreign: Foreign): Part {
  const file = requireObject(part["file"], `${prefix}file`);
  const inner = `${prefix}file.`;
  collectForeign(file, ["file_id", "file_data", "filename"], inner, foreign);
  const fileId = readText(file, "file_id", inner);
  const data = readText(file, "file_data", inner);
  if (fileId === null && data === null) throw invalid(`${prefix}file`, "an object with file_id or file_data");
  const source: MediaSource =
    data === null
      ? { from: "file", fileId: fileId ?? "", origin: "openai-chat" }
      : decodeUrl(data, `${inner}file_data`);
  return { type: "document", source, name: readText(file, "filename", inner), ...decodeCache(part, prefix, foreign) };
}

function decodeCache(part: Fields, prefix: string, foreign: Foreign): { readonly cache?: CacheHint } {
  const control = readObject(part, "cache_control", prefix);
  if (control !== null) {
    collectForeign(control, ["type", "ttl"], `${prefix}cache_control.`, foreign);
    const ttl = readText(control, "ttl", `${prefix}cache_control.`) ?? "5m";
    if (ttl !== "5m" && ttl !== "1h") throw invalid(`${prefix}cache_control.ttl`, "5m or 1h");
    return { cache: { ttl } };
  }
  const breakpoint = readObject(part, "prompt_cache_breakpoint", prefix);
  if (breakpoint === null) return {};
  collectForeign(breakpoint, ["mode", "ttl"], `${prefix}prompt_cache_breakpoint.`, foreign);
  return { cache: { ttl: breakpoint["ttl"] === undefined ? "5m" : "1h" } };
}
