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
import { readExactMember } from "../../exact-json.ts";
import { collectForeign } from "../../request-fields/foreign.ts";
import { readFlag, readNumber, readObject, readPositive, readText, type Fields } from "../../request-fields/fields.ts";
import { invalid, missing, unsupported } from "../../request-fields/refusals.ts";
import { decodeMessages } from "./messages.ts";
import { decodeReasoning } from "./reasoning-options.ts";
import { decodeToolChoice, decodeTools } from "./tools.ts";

const understood: readonly string[] = [
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
];

/** Throws `unsupported_parameter`, `missing_field` or `invalid_value` naming the field. */
export function decodeRequest(view: RequestView): CanonicalRequest {
  const { document } = view;
  // Schemas are the caller's data: their numbers keep every digit.
  const root: Fields = {
    ...document.root,
    tools: readExactMember(document, "tools"),
    response_format: readExactMember(document, "response_format"),
  };
  if (view.choices > 1)
    throw unsupported("n", "The model is served through another API, which gives one answer a call.");
  refuseLegacyFunctions(root);
  const foreign = new Map<string, unknown>();
  collectForeign(root, understood, "", foreign);
  return {
    model: view.model,
    stream: view.stream,
    items: decodeMessages(root, foreign),
    tools: decodeTools(root, foreign),
    toolChoice: decodeToolChoice(root["tool_choice"], foreign),
    parallelToolCalls: readFlag(root, "parallel_tool_calls"),
    maxOutputTokens: readPositive(root, "max_completion_tokens") ?? readPositive(root, "max_tokens"),
    temperature: readNumber(root, "temperature", [0, 2]),
    topP: readNumber(root, "top_p", [0, 1]),
    topK: readPositive(root, "top_k"),
    stop: decodeStop(root["stop"]),
    outputFormat: decodeFormat(root, foreign),
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

function decodeFormat(root: Fields, foreign: Map<string, unknown>): OutputFormat | null {
  const format = readObject(root, "response_format");
  if (format === null) return null;
  const known = format["type"] === "json_schema" ? ["type", "json_schema"] : ["type"];
  collectForeign(format, known, "response_format.", foreign);
  switch (format["type"]) {
    case "text":
      return { type: "text" };
    case "json_object":
      return { type: "json-object" };
    case "json_schema":
      return decodeSchema(readObject(format, "json_schema", "response_format."), foreign);
    default:
      throw unsupported("response_format.type", "Only text, json_object and json_schema can be translated.");
  }
}

function decodeSchema(wire: Fields | null, foreign: Map<string, unknown>): OutputFormat {
  const prefix = "response_format.json_schema.";
  const name = wire === null ? null : readText(wire, "name", prefix);
  if (wire === null || name === null || name === "") throw invalid(`${prefix}name`, "a non-empty string");
  const schema = readObject(wire, "schema", prefix);
  if (schema === null) throw missing(`${prefix}schema`);
  collectForeign(wire, ["name", "description", "schema", "strict"], prefix, foreign);
  return {
    type: "json-schema",
    name,
    description: readText(wire, "description", prefix),
    schema,
    strict: readFlag(wire, "strict", prefix),
  };
}
