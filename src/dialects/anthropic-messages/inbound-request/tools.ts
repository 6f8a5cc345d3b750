import type { Tool, ToolChoice } from "../../canonical.ts";
import { readArray, readFlag, readText, requireObject, type Fields } from "../../request-fields/fields.ts";
import { collectForeign } from "../../request-fields/foreign.ts";
import { invalid, missing, unsupported } from "../../request-fields/refusals.ts";
import { shortenToolName } from "../tool-name.ts";

/**
 * The caller's own tools, in their order. Tools that Anthropic defines or runs (`web_search_…`, `bash_…`) and members
 * without a place go to `foreign` as `tools[1]` or `tools[1].cache_control`. Wire facts: `Tool` and `ToolUnion` in
 * anthropic-sdk-typescript.
 */
export function decodeTools(root: Fields, foreign: Map<string, unknown>): readonly Tool[] {
  const tools: Tool[] = [];
  const names = new Set<string>();
  for (const [index, value] of (readArray(root, "tools") ?? []).entries()) {
    const path = `tools[${index}]`;
    const wire = requireObject(value, path);
    if ((wire["type"] ?? "custom") !== "custom") {
      foreign.set(path, wire);
      continue;
    }
    collectForeign(wire, ["type", "name", "description", "input_schema", "strict"], `${path}.`, foreign);
    const name = readName(wire, `${path}.`);
    if (names.has(name)) throw invalid(`${path}.name`, "a name that no other tool of the request has");
    names.add(name);
    tools.push({
      name: shortenToolName(name),
      description: readText(wire, "description", `${path}.`),
      parameters: requireObject(wire["input_schema"], `${path}.input_schema`),
      strict: readFlag(wire, "strict", `${path}.`),
    });
  }
  return tools;
}

/** `ToolChoice` in anthropic-sdk-typescript. */
export function decodeToolChoice(choice: Fields | null, foreign: Map<string, unknown>): ToolChoice | null {
  if (choice === null) return null;
  collectForeign(choice, ["type", "name", "disable_parallel_tool_use"], "tool_choice.", foreign);
  switch (choice["type"]) {
    case "auto":
    case "none":
      return { mode: choice["type"] };
    case "any":
      return { mode: "required" };
    case "tool":
      return { mode: "named", name: shortenToolName(readName(choice, "tool_choice.")) };
    default:
      throw unsupported("tool_choice.type", "Only auto, any, tool and none can be translated.");
  }
}

function readName(fields: Fields, prefix: string): string {
  const name = readText(fields, "name", prefix);
  if (name === null) throw missing(`${prefix}name`);
  if (name === "") throw invalid(`${prefix}name`, "the name of a tool, not an empty string");
  return name;
}
