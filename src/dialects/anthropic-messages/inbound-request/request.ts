/**
 * A Messages request in canonical form. Everything the caller said ends up in it, or is refused by name: fields without a
 * place go to `foreign` under their own names, for the encoder to refuse or report.
 *
 * Wire facts: `MessageCreateParams` in anthropic-sdk-typescript, resources/messages/messages.ts and
 * resources/beta/messages/messages.ts; `temperature`, `top_p` and `top_k`, which its latest models refuse, as in the API
 * reference.
 */
import type { CanonicalRequest, OutputFormat } from "../../canonical.ts";
import type { RequestView } from "../../dialect.ts";
import { readExactMember } from "../../exact-json.ts";
import { readNumber, readObject, readPositive, readText, type Fields } from "../../request-fields/fields.ts";
import { collectForeign } from "../../request-fields/foreign.ts";
import { invalid, missing, unsupported } from "../../request-fields/refusals.ts";
import type { Foreign } from "./blocks.ts";
import { decodeConversation } from "./messages.ts";
import { decodeReasoning } from "./reasoning.ts";
import { decodeToolChoice, decodeTools } from "./tools.ts";

const understood: readonly string[] = [
  "model",
  "max_tokens",
  "system",
  "messages",
  "stream",
  "tools",
  "tool_choice",
  "temperature",
  "top_p",
  "top_k",
  "stop_sequences",
  "thinking",
  "output_config",
  "output_format",
  "metadata",
  "service_tier",
];

/** A schema has no name here; other dialects demand one. */
const SCHEMA_NAME = "output";

/** Throws `unsupported_parameter`, `missing_field` or `invalid_value` naming the field. */
export function decodeRequest(view: RequestView): CanonicalRequest {
  const root = readExactFields(view);
  if (view.maxOutputTokens === 0) {
    throw unsupported("max_tokens", "The model is served through another API, whose cache cannot be warmed. Send 1.");
  }
  const foreign: Foreign = new Map();
  collectForeign(root, understood, "", foreign);
  const metadata = readObject(root, "metadata");
  if (metadata !== null) collectForeign(metadata, ["user_id"], "metadata.", foreign);
  return {
    model: view.model,
    stream: view.stream,
    items: decodeConversation(root, foreign),
    tools: decodeTools(root, foreign),
    toolChoice: decodeToolChoice(readObject(root, "tool_choice"), foreign),
    // That a model may call several at once goes without saying.
    parallelToolCalls: view.needs.parallelTools ? false : null,
    maxOutputTokens: view.maxOutputTokens,
    temperature: readNumber(root, "temperature", [0, 1]),
    topP: readNumber(root, "top_p", [0, 1]),
    topK: readPositive(root, "top_k"),
    stop: (root["stop_sequences"] as readonly string[] | null | undefined) ?? [],
    outputFormat: decodeFormat(root, foreign),
    reasoning: decodeReasoning(root, foreign),
    endUser: view.endUser,
    serviceTier: decodeServiceTier(readText(root, "service_tier")),
    foreign: Object.fromEntries(foreign),
  };
}

/** Schemas and what tools were called with are the caller's data: their numbers keep every digit. */
function readExactFields({ document, needs }: RequestView): Fields {
  const fields: Record<string, unknown> = { ...document.root };
  for (const name of ["tools", "messages", "output_config", "output_format"]) {
    if (name in fields && (name !== "messages" || needs.tools)) fields[name] = readExactMember(document, name);
  }
  return fields;
}

function decodeFormat(root: Fields, foreign: Foreign): OutputFormat | null {
  const config = readObject(root, "output_config");
  if (config !== null) collectForeign(config, ["effort", "format"], "output_config.", foreign);
  const current = config === null ? null : readObject(config, "format", "output_config.");
  const path = current === null ? "output_format" : "output_config.format";
  const format = current ?? readObject(root, "output_format");
  if (format === null) return null;
  if (format["type"] !== "json_schema") throw unsupported(`${path}.type`, "Only json_schema can be translated.");
  const schema = readObject(format, "schema", `${path}.`);
  if (schema === null) throw missing(`${path}.schema`);
  collectForeign(format, ["type", "schema"], `${path}.`, foreign);
  // This API always enforces a schema.
  return { type: "json-schema", name: SCHEMA_NAME, description: null, schema, strict: true };
}

function decodeServiceTier(tier: string | null): string | null {
  if (tier === null || tier === "auto") return tier;
  if (tier === "standard_only") return "default";
  throw invalid("service_tier", "auto or standard_only");
}
