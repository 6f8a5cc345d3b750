import type { Tool, ToolChoice } from "../../canonical.ts";
import { readArray, readFlag, readObject, readText, requireObject, type Fields } from "../../request-fields/fields.ts";
import { collectForeign } from "../../request-fields/foreign.ts";
import { invalid, missing, unsupported } from "../../request-fields/refusals.ts";

/**
 * Function tools, in their order. Tools of another type and members beyond openai-node's `ChatCompletionFunctionTool`
 * go to `foreign` as `tools[1]` or `tools[1].cache_control`.
 */
export function decodeTools(root: Fields, foreign: Map<string, unknown>): readonly Tool[] {
  const tools: Tool[] = [];
  const names = new Set<string>();
  for (const [index, value] of (readArray(root, "tools") ?? []).entries()) {
    const path = `tools[${index}]`;
    const wire = requireObject(value, path);
    if (wire["type"] !== "function") {
      foreign.set(path, wire);
      continue;
    }
    const tool = decodeFunction(wire, path, foreign);
    if (names.has(tool.name)) throw invalid(`${path}.function.name`, "a name that no other tool of the request has");
    names.add(tool.name);
    tools.push(tool);
  }
  return tools;
}

function decodeFunction(wire: Fields, path: string, foreign: Map<string, unknown>): Tool {
  const prefix = `${path}.function.`;
  const definition = requireObject(wire["function"], `${path}.function`);
  collectForeign(wire, ["type", "function"], `${path}.`, foreign);
  collectForeign(definition, ["name", "description", "parameters", "strict"], prefix, foreign);
  return {
    name: readName(definition, prefix),
    description: readText(definition, "description", prefix),
    parameters: readObject(definition, "parameters", prefix),
    strict: readFlag(definition, "strict", prefix),
  };
}

function readName(fields: Fields, prefix: string): string {
  const name = readText(fields, "name", prefix);
  if (name === null) throw missing(`${prefix}name`);
  if (name === "") throw invalid(`${prefix}name`, "the name of a tool, not an empty string");
  return name;
}

/** openai-node, `ChatCompletionToolChoiceOption`. */
export function decodeToolChoice(value: unknown, foreign: Map<string, unknown>): ToolChoice | null {
  if (value === undefined || value === null) return null;
  if (value === "auto" || value === "none" || value === "required") return { mode: value };
  if (typeof value === "string") throw invalid("tool_choice", "auto, none, required or an object");
  const choice = requireObject(value, "tool_choice");
  switch (choice["type"]) {
    case "function":
      return { mode: "named", name: readFunctionName(choice, "tool_choice.", foreign) };
    case "allowed_tools":
      collectForeign(choice, ["type", "allowed_tools"], "tool_choice.", foreign);
      return decodeAllowed(requireObject(choice["allowed_tools"], "tool_choice.allowed_tools"), foreign);
    default:
      throw unsupported("tool_choice.type", "Only function and allowed_tools can be translated.");
  }
}

function decodeAllowed(allowed: Fields, foreign: Map<string, unknown>): ToolChoice {
  const prefix = "tool_choice.allowed_tools.";
  collectForeign(allowed, ["mode", "tools"], prefix, foreign);
  const mode = allowed["mode"];
  if (mode !== "auto" && mode !== "required") throw invalid(`${prefix}mode`, "auto or required");
  const names = (readArray(allowed, "tools", prefix) ?? []).map((value, index) => {
    const path = `${prefix}tools[${index}]`;
    const tool = requireObject(value, path);
    if (tool["type"] !== "function") throw unsupported(`${path}.type`, "Only function tools can be translated.");
    return readFunctionName(tool, `${path}.`, foreign);
  });
  return { mode: "allowed", required: mode === "required", names };
}

/** Of `{type: "function", function: {name}}`. */
function readFunctionName(fields: Fields, prefix: string, foreign: Map<string, unknown>): string {
  const named = requireObject(fields["function"], `${prefix}function`);
  collectForeign(fields, ["type", "function"], prefix, foreign);
  collectForeign(named, ["name"], `${prefix}function.`, foreign);
  return readName(named, `${prefix}function.`);
}
