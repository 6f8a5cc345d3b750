/**
 * A chat completion request in canonical form. Everything the caller said ends up in it, or is refused by name:
 * fields without a place go to `foreign` under their own names, for the encoder to refuse or report.
 *
 * Wire facts: openai-node, `ChatCompletionCreateParams`. Accepted beside them: `top_k` (vLLM, OpenRouter), `reasoning`
 * (OpenRouter: `{effort, max_tokens}`) and `thinking` (Anthropic's own compatible endpoint: `{type, budget_tokens}`).
 * Consumed without a trace: `user` beside `safety_identifier`, which replaces it, and `stream_options`, which are
 * about our own stream.
 */
import type { CanonicalRequest, OutputFormat } from "../../canonical.ts";
import type { RequestView } from "../../dialect.ts";
import { readFlag, readNumber, readObject, readPositive, readText, type Fields } from "../../openai-fields/fields.ts";
import { invalid, unsupported } from "../../openai-fields/refusals.ts";
import { decodeMessages } from "./messages.ts";
import { decodeReasoning } from "./reasoning-options.ts";
import { decodeToolChoice, decodeTools } from "./tools.ts";

const understood: ReadonlySet<string> = new Set([
  "model",
  "messages",
  "stream",
  "stream_options",
  "n",
  "tools",
  "tool_choice",
  "parallel_tool_calls",
  "max_tokens",
  "max_completion_tokens",
  "temperature",
  "top_p",
  "top_k",
  "stop",
  "response_format",
  "reasoning_effort",
  "reasoning",
  "thinking",
  "user",
  "safety_identifier",
  "service_tier",
  "functions",
  "function_call",
]);

/** Throws `unsupported_parameter`, `missing_field` or `invalid_value` naming the field. */
export function decodeRequest(view: RequestView): CanonicalRequest {
  const root = view.document.root;
  if (view.choices > 1)
    throw unsupported("n", "The model is served through another API, which gives one answer a call.");
  refuseLegacyFunctions(root);
  const foreign = new Map<string, unknown>();
  for (const name of Object.keys(root)) {
    const value = root[name];
    if (value !== null && !understood.has(name)) foreign.set(name, value);
  }
  return {
    model: view.model,
    stream: view.stream,
    items: decodeMessages(root, foreign),
    tools: decodeTools(root, foreign),
    toolChoice: decodeToolChoice(root["tool_choice"]),
    parallelToolCalls: readFlag(root, "parallel_tool_calls"),
    maxOutputTokens: readPositive(root, "max_completion_tokens") ?? readPositive(root, "max_tokens"),
    temperature: readNumber(root, "temperature", [0, 2]),
    topP: readNumber(root, "top_p", [0, 1]),
    topK: readPositive(root, "top_k"),
    stop: decodeStop(root["stop"]),
    outputFormat: decodeFormat(root),
    reasoning: decodeReasoning(root, foreign),
    endUser: view.endUser,
    serviceTier: readText(root, "service_tier"),
    foreign: Object.fromEntries(foreign),
  };
}

function refuseLegacyFunctions(root: Fields): void {
  for (const name of ["functions", "function_call"]) {
    const value = root[name];
    const empty = value === undefined || value === null || (Array.isArray(value) && value.length === 0);
    if (!empty) throw unsupported(name, "The model is served through another API. Send tools and tool_choice instead.");
  }
}

function decodeStop(stop: unknown): readonly string[] {
  if (stop === undefined || stop === null) return [];
  return typeof stop === "string" ? [stop] : (stop as readonly string[]);
}

function decodeFormat(root: Fields): OutputFormat | null {
  const format = readObject(root, "response_format");
  if (format === null) return null;
  switch (format["type"]) {
    case "text":
      return { type: "text" };
    case "json_object":
      return { type: "json-object" };
    case "json_schema":
      return decodeSchema(readObject(format, "json_schema", "response_format."));
    default:
      throw unsupported("response_format.type", "Only text, json_object and json_schema can be translated.");
  }
}

function decodeSchema(wire: Fields | null): OutputFormat {
  const prefix = "response_format.json_schema.";
  const name = wire === null ? null : readText(wire, "name", prefix);
  if (wire === null || name === null || name === "") throw invalid(`${prefix}name`, "a non-empty string");
  return {
    type: "json-schema",
    name,
    description: readText(wire, "description", prefix),
    schema: readObject(wire, "schema", prefix) ?? {},
    strict: readFlag(wire, "strict", prefix),
  };
}
