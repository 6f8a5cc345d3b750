/**
 * Tools and the choice among them. The order is the caller's: it is part of the provider's prompt-cache prefix.
 *
 * Wire facts: `Tool` and `ToolChoice` in anthropic-sdk-typescript; names are 1 to 128 letters, digits, `_` or `-`, per
 * the API's tool-use pages. A choice of `allowed` tools has no counterpart and is emulated exactly, by offering only
 * those. A conversation with tool calls needs its tools declared: where the caller no longer offers any, each called
 * name is declared again and the choice is `none`.
 */
import type { CanonicalRequest, Item, Tool, ToolChoice } from "../../canonical.ts";
import { invalid, unsupported } from "./refusal.ts";
import type { WireTool, WireToolChoice } from "./wire.ts";

const NAME = /^[a-zA-Z0-9_-]{1,128}$/;

export interface ToolPlan {
  readonly tools: readonly WireTool[];
  readonly choice: WireToolChoice | null;
  /** The model must call a tool. */
  readonly forced: boolean;
}

export function planTools(request: CanonicalRequest): ToolPlan {
  const offered = request.tools.map(encodeTool);
  refuseDuplicates(offered);
  if (offered.length === 0) return planWithoutTools(request);
  const tools = restrict(offered, request.toolChoice);
  const choice = encodeChoice(request.toolChoice, tools);
  const forced = choice?.type === "any" || choice?.type === "tool";
  if (request.parallelToolCalls !== false || choice?.type === "none") return { tools, choice, forced };
  return { tools, choice: { ...(choice ?? { type: "auto" }), disable_parallel_tool_use: true }, forced };
}

function encodeTool(tool: Tool, index: number): WireTool {
  if (!NAME.test(tool.name)) {
    throw invalid(
      `tools[${index}].function.name`,
      `The tool name ${JSON.stringify(tool.name)} must be 1 to 128 letters, digits, underscores or hyphens.`,
    );
  }
  const parameters = tool.parameters ?? {};
  if (parameters["type"] !== undefined && parameters["type"] !== "object") {
    throw invalid(
      `tools[${index}].function.parameters`,
      `The parameters of the tool ${tool.name} must be a JSON Schema of the type "object".`,
    );
  }
  return {
    name: tool.name,
    ...(tool.description === null || tool.description === "" ? {} : { description: tool.description }),
    input_schema: parameters["type"] === "object" ? parameters : { type: "object", ...parameters },
    ...(tool.strict === true ? { strict: true } : {}),
  };
}

function refuseDuplicates(tools: readonly WireTool[]): void {
  const names = new Set<string>();
  for (const [index, tool] of tools.entries()) {
    if (names.has(tool.name)) {
      throw invalid(`tools[${index}].function.name`, `The tool ${tool.name} is offered twice. Offer each name once.`);
    }
    names.add(tool.name);
  }
}

function planWithoutTools(request: CanonicalRequest): ToolPlan {
  const mode = request.toolChoice?.mode;
  if (mode !== undefined && mode !== "auto" && mode !== "none") {
    throw invalid("tool_choice", "The request demands a tool call but offers no tools.");
  }
  const called = new Set<string>();
  for (const item of request.items) if (item.type === "tool-call") called.add(item.name);
  if (called.size === 0 && !request.items.some(isToolResult)) return { tools: [], choice: null, forced: false };
  const tools = Array.from(called, (name): WireTool => ({ name, input_schema: { type: "object" } }));
  return { tools, choice: tools.length === 0 ? null : { type: "none" }, forced: false };
}

function isToolResult(item: Item): boolean {
  return item.type === "tool-result";
}

function restrict(tools: readonly WireTool[], choice: ToolChoice | null): readonly WireTool[] {
  if (choice?.mode !== "allowed") return tools;
  for (const name of choice.names) requireOffered(tools, name);
  if (choice.names.length === 0)
    throw invalid("tool_choice", "The list of allowed tools is empty. Use the choice none instead.");
  return tools.filter((tool) => choice.names.includes(tool.name));
}

function encodeChoice(choice: ToolChoice | null, tools: readonly WireTool[]): WireToolChoice | null {
  switch (choice?.mode) {
    case undefined:
      return null;
    case "auto":
      return { type: "auto" };
    case "none":
      return { type: "none" };
    case "required":
      return { type: "any" };
    case "allowed":
      return { type: choice.required ? "any" : "auto" };
    case "named":
      requireOffered(tools, choice.name);
      return { type: "tool", name: choice.name };
  }
}

function requireOffered(tools: readonly WireTool[], name: string): void {
  if (!tools.some((tool) => tool.name === name)) {
    throw unsupported("tool_choice", `The choice names the tool ${name}, which the request does not offer.`);
  }
}
