import type { RequestView } from "../../dialect.ts";
import type { Fields } from "../../request-fields/fields.ts";

/** Fields that every encoder carries or merely reports, whatever stands in them or within the bounds checked below. */
const carried: ReadonlySet<string> = new Set([
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
  "stop",
  "response_format",
  "seed",
  "store",
  "metadata",
  "user",
  "safety_identifier",
  "prompt_cache_key",
  "prompt_cache_retention",
]);

/** A look at the request's own fields only: what stands deeper, in single messages and schemas, is taken as usual. */
export function isPlain({ document: { root, members }, needs }: RequestView): boolean {
  if (needs.audio || needs.documents || needs.choices) return false;
  for (const { name } of members) if (!carried.has(name) && root[name] !== null) return false;
  return isMild(root["temperature"]) && isStopPlain(root["stop"]) && areToolsPlain(root) && isFormatPlain(root);
}

/** Some dialects end at 1. */
function isMild(temperature: unknown): boolean {
  return typeof temperature !== "number" || temperature <= 1;
}

function isStopPlain(stop: unknown): boolean {
  if (typeof stop === "string") return stop.trim() !== "";
  return !Array.isArray(stop) || stop.every((sequence) => typeof sequence === "string" && sequence.trim() !== "");
}

function areToolsPlain({ tools, tool_choice: choice }: Fields): boolean {
  if (typeof choice === "object" && choice !== null) return false;
  return !Array.isArray(tools) || tools.every((tool) => (tool as Fields)["type"] === "function");
}

function isFormatPlain({ response_format: format }: Fields): boolean {
  const type = (format as Fields | null | undefined)?.["type"];
  return type === undefined || type === "text" || type === "json_schema";
}
