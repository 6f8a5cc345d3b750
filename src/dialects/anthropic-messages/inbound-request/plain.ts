import type { RequestView } from "../../dialect.ts";
import type { Fields } from "../../request-fields/fields.ts";
import { asArray, asObject } from "../../wire-values.ts";

/** Fields that every encoder carries or merely reports, whatever stands in them or within the bounds checked below. */
const carried: ReadonlySet<string> = new Set([
  "model",
  "max_tokens",
  "system",
  "messages",
  "stream",
  "tools",
  "tool_choice",
  "temperature",
  "top_p",
  "stop_sequences",
  "output_config",
  "metadata",
  "service_tier",
]);

const carriedOfTools: ReadonlySet<string> = new Set([
  "type",
  "name",
  "description",
  "input_schema",
  "strict",
  "cache_control",
]);

const carriedOfOutput: ReadonlySet<string> = new Set(["format"]);
const carriedOfMetadata: ReadonlySet<string> = new Set(["user_id"]);

/** Blocks of which nothing is lost but what is reported. */
const carriedBlocks: ReadonlySet<unknown> = new Set([
  "text",
  "image",
  "tool_use",
  "tool_result",
  "thinking",
  "redacted_thinking",
]);

/** A look at the request's own fields, and at the kinds of the blocks; what stands deeper is taken as usual. */
export function isPlain({ document: { root, members }, needs, maxOutputTokens }: RequestView): boolean {
  if (needs.documents || maxOutputTokens === 0) return false;
  for (const { name } of members) if (!carried.has(name) && root[name] !== null) return false;
  return areToolsPlain(root) && areOptionsPlain(root) && areMessagesPlain(root["messages"]);
}

function areToolsPlain({ tools, tool_choice: choice }: Fields): boolean {
  if (asObject(choice)?.["type"] === "tool") return false;
  return (asArray(tools) ?? []).every((tool) => isOwn(tool) && hasOnly(tool, carriedOfTools));
}

function isOwn(tool: unknown): boolean {
  return (asObject(tool)?.["type"] ?? "custom") === "custom";
}

function areOptionsPlain({
  output_config: config,
  metadata,
  stop_sequences: stop,
  service_tier: tier,
}: Fields): boolean {
  if (tier !== undefined && tier !== null && tier !== "auto" && tier !== "standard_only") return false;
  const saysSomething = (sequence: unknown): boolean => typeof sequence === "string" && sequence.trim() !== "";
  return (
    (asArray(stop) ?? []).every(saysSomething) &&
    hasOnly(config, carriedOfOutput) &&
    hasOnly(metadata, carriedOfMetadata)
  );
}

function hasOnly(value: unknown, names: ReadonlySet<string>): boolean {
  for (const name in asObject(value)) if (!names.has(name)) return false;
  return true;
}

/** The beginning of an answer, to be gone on from, is not for every model. */
function areMessagesPlain(messages: unknown): boolean {
  const all = asArray(messages) ?? [];
  if (asObject(all.at(-1))?.["role"] === "assistant") return false;
  return all.every((message) => areBlocksPlain(asObject(message)?.["content"]));
}

function areBlocksPlain(content: unknown): boolean {
  for (const value of asArray(content) ?? []) {
    const block = asObject(value);
    if (!carriedBlocks.has(block?.["type"])) return false;
    if (asObject(block?.["source"])?.["type"] === "file") return false;
    if (block?.["type"] === "tool_result" && !areBlocksPlain(block["content"])) return false;
  }
  return true;
}
