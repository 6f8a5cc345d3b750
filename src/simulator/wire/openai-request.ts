/** Reads chat completion requests, as strictly as the simulator's own behaviour needs. */
import { countText, type Ask, type OfferedTool } from "../answer/answer.ts";
import { isObject, Refusal, type Reading } from "./wire.ts";

const MESSAGE_TOKENS = 3;
const IMAGE_TOKENS = 85;
const CHOICES_MAX = 128;
const ROLES: readonly unknown[] = ["system", "developer", "user", "assistant", "tool", "function"];

/** Field names as in the API reference of `POST /v1/chat/completions`. Throws `Refusal`. */
export function readChatRequest(json: Readonly<Record<string, unknown>>): Reading {
  const messages = json["messages"];
  if (!Array.isArray(messages))
    throw new Refusal(400, "Missing required parameter: 'messages'.", {
      param: "messages",
      code: "missing_required_parameter",
    });
  if (messages.length === 0)
    throw new Refusal(400, "Invalid 'messages': empty array. Expected an array with minimum length 1.", {
      param: "messages",
      code: "empty_array",
    });
  const stream = json["stream"] === true;
  const options = isObject(json["stream_options"]) ? json["stream_options"] : null;
  if (options && !stream) {
    throw new Refusal(400, "The 'stream_options' parameter is only allowed when 'stream' is enabled.", {
      param: "stream_options",
    });
  }
  return {
    ask: readAsk(json, messages),
    stream,
    streamUsage: options?.["include_usage"] === true,
    padding: options?.["include_obfuscation"] === true,
    showReasoning: false,
  };
}

function readAsk(json: Readonly<Record<string, unknown>>, messages: readonly unknown[]): Ask {
  let inputTokens = 0;
  let userText = "";
  const toolResults: string[] = [];
  for (let index = 0; index < messages.length; index++) {
    const message: unknown = messages[index];
    if (!isObject(message) || !ROLES.includes(message["role"])) {
      throw new Refusal(400, `Invalid value for 'messages[${index}].role': one of ${ROLES.join(", ")}.`, {
        param: `messages[${index}].role`,
        code: "invalid_value",
      });
    }
    const text = textOf(message["content"]);
    inputTokens += MESSAGE_TOKENS + countText(text) + countMedia(message["content"]);
    if (message["tool_calls"] !== undefined) inputTokens += countText(JSON.stringify(message["tool_calls"]));
    if (message["role"] === "user") userText = text;
    if (message["role"] === "tool") toolResults.push(text);
    else toolResults.length = 0;
  }
  const tools = readTools(json["tools"]);
  if (tools.length > 0) inputTokens += countText(JSON.stringify(json["tools"]));
  return {
    userText,
    toolResults,
    tools,
    toolUse: readToolChoice(json["tool_choice"]),
    parallelTools: json["parallel_tool_calls"] !== false,
    schema: readSchema(json["response_format"]),
    maxTokens: readCount(json, "max_completion_tokens") ?? readCount(json, "max_tokens"),
    choices: Math.min(CHOICES_MAX, readCount(json, "n") ?? 1),
    inputTokens,
    thinking: false,
  };
}

function textOf(content: unknown): string {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return "";
  let text = "";
  for (const part of content as unknown[]) if (isObject(part) && typeof part["text"] === "string") text += part["text"];
  return text;
}

function countMedia(content: unknown): number {
  if (!Array.isArray(content)) return 0;
  return IMAGE_TOKENS * content.filter((part) => isObject(part) && part["type"] !== "text").length;
}

function readTools(value: unknown): OfferedTool[] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((tool: unknown) => {
    const described = isObject(tool) ? tool["function"] : null;
    return isObject(described) && typeof described["name"] === "string"
      ? [{ name: described["name"], parameters: described["parameters"] ?? {} }]
      : [];
  });
}

function readToolChoice(value: unknown): Ask["toolUse"] {
  if (value === "none" || value === "required") return value;
  const named = isObject(value) && isObject(value["function"]) ? value["function"]["name"] : null;
  return typeof named === "string" ? { name: named } : "auto";
}

function readSchema(format: unknown): unknown {
  if (!isObject(format)) return null;
  if (format["type"] === "json_object")
    return { type: "object", properties: { answer: { type: "string" } }, required: ["answer"] };
  return format["type"] === "json_schema" && isObject(format["json_schema"])
    ? (format["json_schema"]["schema"] ?? {})
    : null;
}

function readCount(json: Readonly<Record<string, unknown>>, name: string): number | null {
  const value = json[name];
  if (value === undefined || value === null) return null;
  if (typeof value === "number" && Number.isInteger(value) && value >= 1) return value;
  throw new Refusal(400, `Invalid '${name}': expected a positive integer.`, { param: name, code: "invalid_value" });
}
