/**
 * Finds what a provider says in the body of an error.
 *
 * Shapes: `{error: {message, type, param, code}}` (OpenAI and most), with a numeric `code` (OpenRouter) or `status`
 * (Google, which also wraps it in an array); `{error: "text"}` (Ollama, xAI with `code` beside it);
 * `{object: "error", message, type, param, code}` (vLLM, Mistral); `{detail}` as text or a list of `{loc, msg}`
 * (FastAPI servers); `{message}` (Cohere). Anything else, HTML included, says nothing.
 */
import { asArray, asObject, asText, type WireObject } from "../wire-values.ts";

export interface ProviderError {
  /** Bounded, without control characters. */
  readonly message: string | null;
  readonly type: string | null;
  readonly code: string | null;
  readonly param: string | null;
}

const MESSAGE_CHARS_MAX = 2_000;
const NAME_CHARS_MAX = 200;
const silent: ProviderError = { message: null, type: null, code: null, param: null };

export function parseErrorBody(body: Uint8Array): ProviderError {
  try {
    return readErrorObject(JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString("utf8")));
  } catch (thrown) {
    if (!(thrown instanceof SyntaxError)) throw thrown;
    return silent;
  }
}

export function readErrorObject(json: unknown): ProviderError {
  const outer = asObject(json) ?? asObject(asArray(json)?.[0]);
  if (outer === null) return silent;
  const error = outer["error"];
  const inner = asObject(error) ?? outer;
  return {
    message: clean(asText(inner["message"]) ?? asText(error) ?? readDetail(outer), MESSAGE_CHARS_MAX),
    type: clean(asText(inner["type"]) ?? asText(inner["status"]), NAME_CHARS_MAX),
    code: clean(readCode(inner["code"]), NAME_CHARS_MAX),
    param: clean(asText(inner["param"]), NAME_CHARS_MAX),
  };
}

function readCode(value: unknown): string | null {
  return typeof value === "number" ? String(value) : asText(value);
}

/** `detail`, or Mistral's `message: {detail: [...]}`. */
function readDetail(outer: WireObject): string | null {
  const detail = outer["detail"] ?? asObject(outer["message"])?.["detail"];
  if (typeof detail === "string") return detail;
  const lines = asArray(detail)?.map((entry) => {
    const fields = asObject(entry);
    const place = asArray(fields?.["loc"])?.join(".");
    const said = asText(fields?.["msg"]) ?? "";
    return place === undefined ? said : `${place}: ${said}`;
  });
  return lines === undefined ? null : lines.join("; ");
}

function clean(text: string | null, charsMax: number): string | null {
  if (text === null) return null;
  const bounded = text.length > charsMax ? `${text.slice(0, charsMax)}…` : text;
  const printable = bounded.replaceAll(/[\s\p{Cc}]+/gu, " ").trim();
  return printable === "" || /^<(?:!doctype|html|\?xml)/i.test(printable) ? null : printable;
}
